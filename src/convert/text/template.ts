// Which conversation template a checkpoint was trained with: its own chat template, the one its name stands for in LLaVA's convention,
// or its tokenizer's. Gives the reason for the choice, and warns where two of these disagree.
import type { ChatTemplate, TriedTemplate } from "./chat-template.ts";

/** The template id of packages that use the checkpoint's own chat template. */
export const ownTemplate = "chat_template";

const defaultTemplate = "vicuna_v1";

/** Models that have seen pictures between tags, also those whose language model was not trained on instructions. */
const tagged = String.raw`(?=.*\bmmtag\b|(?!.*\bfinetune\b).*\bplain\b)`;

const rules: readonly { readonly when: RegExp; readonly template: string }[] = [
  { when: /\bnanollava\b/, template: "chatml_direct" },
  { when: /\bbunny-llama\b|\bbunny\b.*\bllama-?3/, template: "bunny_llama_3" },
  { when: /\b(meta-?)?llama-?3(\.\d+)*\b/, template: "llama_3" },
  { when: /\bphi-?3(\.\d+)*\b/, template: "phi_3" },
  {
    when: /\bonevision\b|\binterleave\b|\bqwen-?\d*(\.\d+)*\b|\b(llava|next)-(v?1\.6-)?(72|110)b\b/,
    template: "qwen_1_5",
  },
  { when: /\bllama-?2\b/, template: "llava_llama_2" },
  { when: /\bhermes\b|\b(v?1\.6|next)-34b\b/, template: "chatml_direct" },
  { when: /\bmistral\b|\bmixtral\b/, template: "mistral_instruct" },
  { when: new RegExp(String.raw`^(?=.*\bv1(\.\d+)*\b)${tagged}`), template: "v1_mmtag" },
  { when: /\bv1(\.\d+)*\b/, template: "llava_v1" },
  { when: /\bmpt\b/, template: "mpt" },
  { when: new RegExp(`^${tagged}`), template: "v0_mmtag" },
  { when: /\bv0\b/, template: "llava_v0" },
];

/** The template that a model's name stands for, by whole words; undefined for names that stand for none. */
export function namedTemplate(name: string): string | undefined {
  const lower = name.toLowerCase();
  return rules.find(({ when }) => when.test(lower))?.template;
}

/** The same, with LLaVA's default for names that stand for none. */
export function templateForName(name: string): string {
  return namedTemplate(name) ?? defaultTemplate;
}

/** What follows a question in each template that a name or a tokenizer may point at, without white space. */
const cues: Readonly<Record<string, string>> = {
  vicuna_v1: "ASSISTANT:",
  llava_v1: "ASSISTANT:",
  v1_mmtag: "ASSISTANT:",
  bunny_llama_3: "ASSISTANT:",
  v0_mmtag: "###Assistant:",
  llava_v0: "###Assistant:",
  mpt: "<|im_end|><|im_start|>assistant",
  chatml_direct: "<|im_end|><|im_start|>assistant",
  qwen_1_5: "<|im_end|><|im_start|>assistant",
  llava_llama_2: "[/INST]",
  mistral_instruct: "[/INST]",
  llama_3: "<|eot_id|><|start_header_id|>assistant<|end_header_id|>",
  phi_3: "<|end|><|assistant|>",
};

export interface TemplateChoice {
  /** Id of one of the engine's templates, or `ownTemplate`. */
  readonly id: string;
  /** "template: …", for people. */
  readonly reason: string;
  readonly warnings: readonly string[];
}

export interface TemplateEvidence {
  /** What the user asked for. */
  readonly stated?: string | undefined;
  /** Names of the checkpoint and of what it was made from, the most telling first. */
  readonly names: readonly string[];
  /** Whether the checkpoint is in the layout of LLaVA's own repository, whose templates go by names. */
  readonly original: boolean;
  /** The checkpoint's chat template, as it was tried. */
  readonly own?: (ChatTemplate & TriedTemplate) | undefined;
  /** Special tokens of the tokenizer. */
  readonly tokens: ReadonlySet<string>;
}

/** The template, and why. Never fails: `vicuna_v1` is LLaVA's default. */
export function chooseTemplate({ stated, names, original, own, tokens }: TemplateEvidence): TemplateChoice {
  const named = names.flatMap((name) => {
    const template = namedTemplate(name);
    return template === undefined ? [] : [{ name, template }];
  })[0];
  const byTokens = templateForTokens(tokens);
  if (stated !== undefined) return { id: stated, reason: `${stated}, as --template says`, warnings: [] };

  if (own && (own.use === "parts" ? !(original && named) : own.use === "text" && !named)) {
    const how = own.use === "parts" ? "" : ", with pictures before the text";
    const warnings =
      named && own.cue !== undefined && own.cue !== cues[named.template]
        ? [
            `the name ${named.name} stands for the template ${named.template}, but the checkpoint's chat template writes ` +
              `"${shortened(own.cue)}" before an answer; its chat template is used (--template ${named.template} takes the other)`,
          ]
        : [];
    return { id: ownTemplate, reason: `the checkpoint's own (${own.file})${how}`, warnings };
  }
  const unusable =
    own?.use === "none" ? [`the chat template in ${own.file} makes no prompt with pictures, so it is not used`] : [];
  if (named) {
    const { name, template } = named;
    const other =
      byTokens !== undefined && template !== "bunny_llama_3" && cues[byTokens.template] !== cues[template]
        ? [
            `the name ${name} stands for the template ${template}, but the tokenizer has ${byTokens.token}, which belongs to ` +
              `${byTokens.template}; if answers are odd, try --template ${byTokens.template}`,
          ]
        : [];
    return {
      id: template,
      reason: `${template}, which the name ${name} stands for`,
      warnings: [...unusable, ...other],
    };
  }
  if (byTokens) {
    const { token, template } = byTokens;
    return { id: template, reason: `${template}, because the tokenizer has ${token}`, warnings: unusable };
  }
  return {
    id: defaultTemplate,
    reason: `${defaultTemplate}, LLaVA's default: neither a chat template nor the name says another (--template chooses)`,
    warnings: unusable,
  };
}

/** The token that a family of language models begins its turns with. */
const tellingTokens = [
  { token: "<|start_header_id|>", template: "llama_3" },
  { token: "<|im_start|>", template: "qwen_1_5" },
  { token: "<|assistant|>", template: "phi_3" },
] as const;

function templateForTokens(tokens: ReadonlySet<string>) {
  return tellingTokens.find(({ token }) => tokens.has(token));
}

function shortened(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
