// Which conversation template a checkpoint was made for, told from its name as LLaVA does. Knows names only.

/** Models that have seen pictures between tags, also those whose language model was not trained on instructions. */
const tagged = "(?=.*mmtag|(?!.*finetune).*plain)";

const rules: readonly { readonly when: RegExp; readonly template: string }[] = [
  { when: /nanollava/, template: "chatml_direct" },
  { when: /onevision|interleave|qwen/, template: "qwen_1_5" },
  { when: /llama-2/, template: "llava_llama_2" },
  { when: /hermes|v1\.6-34b/, template: "chatml_direct" },
  { when: /mistral|mixtral/, template: "mistral_instruct" },
  { when: new RegExp(`^(?=.*v1)${tagged}`), template: "v1_mmtag" },
  { when: /v1/, template: "llava_v1" },
  { when: /mpt/, template: "mpt" },
  { when: new RegExp(`^${tagged}`), template: "v0_mmtag" },
  { when: /v0/, template: "llava_v0" },
];

/** The template's id; `vicuna_v1`, LLaVA's default, for names that say nothing. */
export function templateForName(name: string): string {
  const lower = name.toLowerCase();
  return rules.find(({ when }) => when.test(lower))?.template ?? "vicuna_v1";
}
