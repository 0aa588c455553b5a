// Tensor names of LLaVA's own repository, of Idefics3 and of plain language models, as Hugging Face's LLaVA has them.
// Knows names only: tensors are passed on unread.
import { Checkpoint, type Tensor } from "#convert/checkpoint/checkpoint.ts";

/**
 * Linear layers of an `mlpNx_gelu` projector stand at every second place of a list; a `linear` one is the list's whole. ViP-LLaVA's list is
 * called `final_linear` and has a norm before it.
 */
function projectorName(whole: string): string {
  if (whole.startsWith("clip_layernorm.")) return `multi_modal_projector.projector_layernorm.${whole.slice(15)}`;
  const rest = whole.replace(/^final_linear\./, "");
  const [first = "", ...more] = rest.split(".");
  const index = /^\d+$/.test(first) ? Number(first) : 0;
  return `multi_modal_projector.linear_${index / 2 + 1}.${(/^\d+$/.test(first) ? more : [first, ...more]).join(".")}`;
}

const tower = (rest: string): string =>
  `vision_tower.${rest.startsWith("vision_model.") ? rest : `vision_model.${rest}`}`;
const decoder = (rest: string): string => `language_model.model.${rest}`;
const same = (name: string) => (rest: string) => name + rest;

/** The first rule that fits holds. Newer files of Hugging Face put `model.` before names that older ones have without, and others the other way. */
const rules: readonly { readonly prefix: string; readonly rename: (rest: string) => string }[] = [
  { prefix: "model.mm_projector.", rename: projectorName },
  { prefix: "mm_projector.", rename: projectorName },
  { prefix: "connector._connector.", rename: projectorName },
  { prefix: "vision_tower._vision_tower.", rename: tower },
  { prefix: "model.multi_modal_projector.", rename: same("multi_modal_projector.") },
  { prefix: "model.vision_tower.vision_tower.", rename: tower },
  { prefix: "model.vision_tower.", rename: tower },
  { prefix: "vision_tower.vision_tower.", rename: tower },
  { prefix: "vision_tower.", rename: tower },
  // Idefics3 and SmolVLM: their connector is a linear projector.
  { prefix: "model.text_model.", rename: decoder },
  { prefix: "model.vision_model.", rename: tower },
  { prefix: "model.connector.modality_projection.proj.", rename: same("multi_modal_projector.linear_1.") },
  { prefix: "model.image_newline", rename: same("image_newline") },
  { prefix: "model.language_model.lm_head.", rename: same("language_model.lm_head.") },
  { prefix: "model.language_model.model.", rename: decoder },
  { prefix: "model.language_model.", rename: decoder },
  // What transformers 5 saves from under DeepSpeed's ZeRO-3.
  { prefix: "language_model.model.model.", rename: decoder },
  { prefix: "language_model.model.", rename: decoder },
  { prefix: "language_model.lm_head.", rename: same("language_model.lm_head.") },
  { prefix: "language_model.", rename: decoder },
  { prefix: "model.lm_head.", rename: same("language_model.lm_head.") },
  { prefix: "model.", rename: decoder },
  { prefix: "lm_head.", rename: same("language_model.lm_head.") },
];

/** The one name that a tensor has here, whatever layout and version it comes from: Hugging Face's older one. Names of no layout stay. */
export function huggingFaceName(name: string): string {
  const rule = rules.find(({ prefix }) => name.startsWith(prefix));
  return rule ? rule.rename(name.slice(rule.prefix.length)) : name;
}

/** The checkpoint under Hugging Face's names, with a second checkpoint's tower where it has none itself. */
export function translateNames(checkpoint: Checkpoint, tower?: Checkpoint): Checkpoint {
  const tensors = new Map<string, Tensor>();
  for (const [name, tensor] of checkpoint.tensors) tensors.set(huggingFaceName(name), tensor);
  if (tower && !hasTower(checkpoint)) {
    for (const [name, tensor] of tower.tensors) {
      const rest = /^(?:vision_model\.|model\.vision_model\.)(.*)$/.exec(name)?.[1];
      if (rest !== undefined) tensors.set(`vision_tower.vision_model.${rest}`, tensor);
    }
  }
  return new Checkpoint(tensors);
}

/** Whether a checkpoint brings the weights of its vision tower. */
export function hasTower(checkpoint: Checkpoint): boolean {
  return [...checkpoint.tensors.keys()].some((name) => huggingFaceName(name).startsWith("vision_tower."));
}
