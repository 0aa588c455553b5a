// Conversation templates as data, under the names LLaVA gives them. How each style is laid out is in prompt.ts.

/** How a conversation is laid out; LLaVA's separator styles. */
export type TemplateStyle = "single" | "two" | "mpt" | "llama-2" | "plain";

/** Layout of a conversation; `sep` ends the system text and user messages, `sep2` (where given) assistant messages. */
export interface Template {
  readonly id: string;
  readonly style: TemplateStyle;
  readonly system: string;
  readonly roles: { readonly user: string; readonly assistant: string };
  readonly sep: string;
  readonly sep2: string;
  /** A picture comes in a message of its own, `<Image><image></Image>`, which is answered with "Received.". */
  readonly mmtag?: boolean;
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

const vicuna = { style: "two", roles: { user: "USER", assistant: "ASSISTANT" }, sep: " ", sep2: "</s>" } as const;
const early = { style: "single", roles: { user: "Human", assistant: "Assistant" }, sep: "###", sep2: "###" } as const;
const llama2 = { ...vicuna, style: "llama-2", sep: "<s>" } as const;
const chatml = {
  style: "mpt",
  roles: { user: "<|im_start|>user\n", assistant: "<|im_start|>assistant\n" },
  sep: "<|im_end|>",
  sep2: "<|im_end|>",
} as const;

const qwen = { ...chatml, system: "You are a helpful assistant.", sep: "<|im_end|>\n", sep2: "<|im_end|>\n" } as const;

/** Every template that can be named by a package's `template`. */
export const templates: readonly Template[] = [
  { id: "vicuna_v1", ...vicuna, system: forUser },
  { id: "v1", ...vicuna, system: forUser },
  { id: "llava_v1", ...vicuna, system: forHuman },
  { id: "v1_mmtag", ...vicuna, system: tagged, mmtag: true },
  { id: "llava_v0", ...early, system: forHuman },
  { id: "v0_mmtag", ...early, system: tagged, mmtag: true },
  { id: "llama_2", ...llama2, system: llama2System },
  {
    id: "llava_llama_2",
    ...llama2,
    system:
      "You are a helpful language and vision assistant. You are able to understand the visual content that the user provides, " +
      "and assist the user with a variety of tasks using natural language.",
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
