// Conversation templates as data, under the names LLaVA gives them. How each style is laid out is in prompt.ts.

/** Layout of a conversation; `sep` ends the system text and user messages, `sep2` (where given) assistant messages. */
export interface Template {
  readonly id: string;
  readonly style: "two";
  readonly system: string;
  readonly roles: { readonly user: string; readonly assistant: string };
  readonly sep: string;
  readonly sep2: string;
}

const manners = "The assistant gives helpful, detailed, and polite answers to the";

/** Every template that can be named by a package's `template`. */
export const templates: readonly Template[] = [
  {
    id: "vicuna_v1",
    style: "two",
    system: `A chat between a curious user and an artificial intelligence assistant. ${manners} user's questions.`,
    roles: { user: "USER", assistant: "ASSISTANT" },
    sep: " ",
    sep2: "</s>",
  },
  {
    id: "llava_v1",
    style: "two",
    system: `A chat between a curious human and an artificial intelligence assistant. ${manners} human's questions.`,
    roles: { user: "USER", assistant: "ASSISTANT" },
    sep: " ",
    sep2: "</s>",
  },
];
