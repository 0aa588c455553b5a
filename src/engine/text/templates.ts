// Conversation templates as data, under the names that LLaVA's conversation.py gives them. prompt.ts renders each style.

/** LLaVA's separator styles. "mpt" covers every layout whose turns have a header and an end marker. */
export type TemplateStyle = "single" | "two" | "mpt" | "llama-2" | "plain";

/** Layout of a conversation. `sep` ends the system text and user messages, `sep2` ends assistant messages. */
export interface Template {
  readonly id: string;
  readonly style: TemplateStyle;
  readonly system: string;
  /** What a turn of each role begins with; `system` is needed where the style is "mpt". */
  readonly roles: { readonly user: string; readonly assistant: string; readonly system?: string };
  readonly sep: string;
  readonly sep2: string;
  /** Pictures are sent in a message of their own, `<Image><image></Image>`, which the assistant answers with "Received.". */
  readonly mmtag?: boolean;
  /** A one-shot example that precedes every conversation. */
  readonly example?: readonly [question: string, answer: string];
}

const manners = "The assistant gives helpful, detailed, and polite answers to the";
const forUser = `A chat between a curious user and an artificial intelligence assistant. ${manners} user's questions.`;
const forHuman = `A chat between a curious human and an artificial intelligence assistant. ${manners} human's questions.`;
const sees =
  "The assistant is able to understand the visual content that the user provides, " +
  "and assist the user with a variety of tasks using natural language.";
const tagged =
  `A chat between a curious user and an artificial intelligence assistant. ${sees}` +
  "The visual content will be provided with the following format: <Image>visual content</Image>.";
const llama2System =
  "You are a helpful, respectful and honest assistant. Always answer as helpfully as possible, while being safe.  " +
  "Your answers should not include any harmful, unethical, racist, sexist, toxic, dangerous, or illegal content. " +
  "Please ensure that your responses are socially unbiased and positive in nature.\n\n" +
  "If a question does not make any sense, or is not factually coherent, explain why instead of answering something not correct. " +
  "If you don't know the answer to a question, please don't share false information.";

const seeing =
  "You are a helpful language and vision assistant. You are able to understand the visual content that the user provides, " +
  "and assist the user with a variety of tasks using natural language.";

const vicuna = { style: "two", roles: { user: "USER", assistant: "ASSISTANT" }, sep: " ", sep2: "</s>" } as const;
const early = { style: "single", roles: { user: "Human", assistant: "Assistant" }, sep: "###", sep2: "###" } as const;
const llama2 = { ...vicuna, style: "llama-2", sep: "<s>" } as const;
const chatml = {
  style: "mpt",
  roles: { system: "<|im_start|>system\n", user: "<|im_start|>user\n", assistant: "<|im_start|>assistant\n" },
  sep: "<|im_end|>",
  sep2: "<|im_end|>",
} as const;

const qwen = { ...chatml, system: "You are a helpful assistant.", sep: "<|im_end|>\n", sep2: "<|im_end|>\n" } as const;

// Vicuna 0.1's one-shot example, verbatim, because the model was tuned with it.
const energies = [
  "What are the key differences between renewable and non-renewable energy sources?",
  `Renewable energy sources are those that can be replenished naturally in a relatively short amount of time, such as solar, wind, hydro, geothermal, and biomass. Non-renewable energy sources, on the other hand, are finite and will eventually be depleted, such as coal, oil, and natural gas. Here are some key differences between renewable and non-renewable energy sources:
1. Availability: Renewable energy sources are virtually inexhaustible, while non-renewable energy sources are finite and will eventually run out.
2. Environmental impact: Renewable energy sources have a much lower environmental impact than non-renewable sources, which can lead to air and water pollution, greenhouse gas emissions, and other negative effects.
3. Cost: Renewable energy sources can be more expensive to initially set up, but they typically have lower operational costs than non-renewable sources.
4. Reliability: Renewable energy sources are often more reliable and can be used in more remote locations than non-renewable sources.
5. Flexibility: Renewable energy sources are often more flexible and can be adapted to different situations and needs, while non-renewable sources are more rigid and inflexible.
6. Sustainability: Renewable energy sources are more sustainable over the long term, while non-renewable sources are not, and their depletion can lead to economic and social instability.
`,
] as const;

/** Every template that a package's `template` can name. */
export const templates: readonly Template[] = [
  { id: "vicuna_v1", ...vicuna, system: forUser },
  { id: "v1", ...vicuna, system: forUser },
  { id: "llava_v1", ...vicuna, system: forHuman },
  { id: "bunny_llama_3", ...vicuna, system: forUser, sep2: "<|end_of_text|>" },
  { id: "v1_mmtag", ...vicuna, system: tagged, mmtag: true },
  { id: "default", ...early, system: forHuman, example: energies },
  { id: "v0", ...early, system: forHuman, example: energies },
  { id: "llava_v0", ...early, system: forHuman },
  { id: "v0_mmtag", ...early, system: tagged, mmtag: true },
  { id: "llama_2", ...llama2, system: llama2System },
  { id: "llava_llama_2", ...llama2, system: seeing },
  {
    id: "llama_3",
    style: "mpt",
    system: seeing,
    roles: {
      system: "<|start_header_id|>system<|end_header_id|>\n\n",
      user: "<|start_header_id|>user<|end_header_id|>\n\n",
      assistant: "<|start_header_id|>assistant<|end_header_id|>\n\n",
    },
    sep: "<|eot_id|>",
    sep2: "<|eot_id|>",
  },
  {
    id: "phi_3",
    style: "mpt",
    system: "",
    roles: { system: "<|system|>\n", user: "<|user|>\n", assistant: "<|assistant|>\n" },
    sep: "<|end|>\n",
    sep2: "<|end|>\n",
  },
  { id: "mistral_instruct", ...llama2, system: "", sep: "" },
  { id: "chatml_direct", ...chatml, system: "Answer the questions." },
  { id: "mistral_direct", ...chatml, system: "Answer the questions." },
  {
    id: "mpt",
    ...chatml,
    system:
      "A conversation between a user and an LLM-based AI assistant. The assistant gives helpful and honest answers.",
  },
  { id: "qwen_1_5", ...qwen },
  { id: "qwen_2", ...qwen },
  { id: "plain", style: "plain", system: "", roles: { user: "", assistant: "" }, sep: "\n", sep2: "\n" },
  { id: "v0_plain", style: "plain", system: "", roles: { user: "", assistant: "" }, sep: "\n", sep2: "\n" },
];
