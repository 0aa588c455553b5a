// Projectors alone: what the first stage of LLaVA's training leaves. Puts one on its language model, or takes one out of a checkpoint.
// Knows their names in both layouts.
import { badCheckpoint } from "#convert/checkpoint/bad-checkpoint.ts";
import type { CheckpointFolder } from "#convert/checkpoint/folders.ts";
import { Checkpoint, sameShape, shapeText, type Tensor } from "#convert/checkpoint/checkpoint.ts";
import { openTensorFile } from "#convert/checkpoint/open-checkpoint.ts";
import { huggingFaceName } from "./original-layout.ts";

export const projectorBase = "mm_projector";

/** The projector in a folder that holds one alone, under the original's names; undefined when there is none. */
export async function openProjector(folder: CheckpointFolder): Promise<Checkpoint | undefined> {
  const file = await openTensorFile(folder, [`${projectorBase}.safetensors`, `${projectorBase}.bin`]);
  if (!file) return undefined;
  const tensors = new Map<string, Tensor>();
  for (const [name, tensor] of file.tensors) {
    const found = /(?:^|\.)(mm_projector\..*|embed_tokens\.weight)$/.exec(name)?.[1];
    if (found === undefined) throw badCheckpoint(`${tensor.origin} holds ${name}, which is no part of a projector`);
    tensors.set(`model.${found}`, tensor);
  }
  return new Checkpoint(tensors);
}

/** The base under its own names, with the projector. */
export function attachProjector(base: Checkpoint, projector: Checkpoint): Checkpoint {
  const tensors = new Map(base.tensors);
  for (const [name, tensor] of projector.tensors) {
    const below = base.tensors.get(name);
    // Tokens for a picture's start and end may have been trained along.
    if (name.includes("embed_tokens") && !(below && sameShape(below.shape, tensor.shape))) {
      const own = below ? `the base's has ${shapeText(below.shape)}` : "the base has none of that name";
      throw badCheckpoint(`the projector's file brings token embeddings of shape ${shapeText(tensor.shape)}; ${own}`);
    }
    tensors.set(name, tensor);
  }
  return new Checkpoint(tensors);
}

/** The projector of a checkpoint in either layout, under the original's names. */
export function extractProjector(checkpoint: Checkpoint): Checkpoint {
  const found = new Map<string, Tensor>();
  for (const [name, tensor] of checkpoint.tensors) {
    const part = /^multi_modal_projector\.(.*)$/.exec(huggingFaceName(name))?.[1];
    if (part !== undefined) found.set(part, tensor);
  }
  if (found.size === 0)
    throw badCheckpoint("the checkpoint has no projector: neither model.mm_projector.* nor multi_modal_projector.*");
  const single = ![...found.keys()].some((part) => part.startsWith("linear_2."));
  const originalName = (part: string) =>
    part.replace(/^linear_(\d+)\./, (_, n: string) => (single ? "" : `${2 * (Number(n) - 1)}.`));
  return new Checkpoint(
    new Map([...found].map(([part, tensor]) => [`model.mm_projector.${originalName(part)}`, tensor])),
  );
}
