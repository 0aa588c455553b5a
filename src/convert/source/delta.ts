// Deltas: a LLaVA given as its difference to a language model that could not be passed on. Adds and subtracts, tensor by tensor.
// Knows which tensors may be new or have grown; reads weights only when the result is read.
import * as v from "valibot";
import { badCheckpoint } from "#convert/checkpoint/bad-checkpoint.ts";
import {
  Checkpoint,
  elementsOf,
  requireFloat,
  sameShape,
  shapeText,
  type Tensor,
  computedTensor,
} from "#convert/checkpoint/checkpoint.ts";

/** Names the base of a delta; make-delta writes it beside the weights. */
export const deltaNoteName = "delta.json";

/** Tensors that a LLaVA has and its language model lacks: they are in a delta as they are. */
const added = /^model\.(mm_projector|vision_tower|image_newline)\b/;
/** Tables with a row per token, to which LLaVA may have added tokens. */
const grows = new Set(["model.embed_tokens.weight", "lm_head.weight"]);
/** Buffers that older files carry along; they follow from the config. */
const buffer = /rotary_emb\.inv_freq$/;

/** The whole model: base + delta, in the delta's types of floats, rows beyond the base's being the delta's own. */
export function applyDelta(base: Checkpoint, delta: Checkpoint): Checkpoint {
  return combine(base, delta, "delta", (own, other) => own + other);
}

/** The difference target − base, from which `applyDelta` makes the target again. */
export function makeDelta(base: Checkpoint, target: Checkpoint): Checkpoint {
  return combine(base, target, "model", (own, other) => own - other);
}

function combine(
  base: Checkpoint,
  given: Checkpoint,
  what: string,
  operation: (own: number, other: number) => number,
): Checkpoint {
  for (const name of base.tensors.keys()) {
    if (!given.has(name) && !buffer.test(name))
      throw badCheckpoint(`the ${what} has no tensor ${name}, which its base has`);
  }
  const tensors = new Map<string, Tensor>();
  for (const [name, tensor] of given.tensors) {
    if (buffer.test(name)) continue;
    const below = base.tensors.get(name);
    if (below) tensors.set(name, combined(tensor, below, what, operation));
    else if (added.test(name)) tensors.set(name, tensor);
    else throw badCheckpoint(`the base has no tensor ${name}, which the ${what} has: is it another base?`);
  }
  return new Checkpoint(tensors);
}

function combined(
  tensor: Tensor,
  base: Tensor,
  what: string,
  operation: (own: number, other: number) => number,
): Tensor {
  requireFloat(tensor);
  requireFloat(base);
  const same = sameShape(tensor.shape, base.shape);
  const [rows = 0, cols = 0] = tensor.shape;
  const [baseRows = 0, baseCols = 0] = base.shape;
  const fits = tensor.shape.length === 2 && base.shape.length === 2 && baseRows <= rows && baseCols <= cols;
  if (!same && !(grows.has(tensor.name) && fits)) {
    throw badCheckpoint(
      `tensor ${tensor.name} has shape ${shapeText(tensor.shape)} in the ${what} and ${shapeText(base.shape)} in the base: ` +
        "is it another base?",
    );
  }
  return computedTensor(tensor, {
    async read(start, count) {
      const values = await tensor.read(start, count);
      if (same) {
        const others = await base.read(start, count);
        for (let i = 0; i < count; i++) values[i] = operation(values[i] ?? NaN, others[i] ?? NaN);
        return values;
      }
      // The base is the block at the top left of a table that has grown.
      const lastRow = Math.min(baseRows, Math.ceil((start + count) / cols));
      for (let row = Math.floor(start / cols); row < lastRow; row++) {
        const from = Math.max(start, row * cols);
        const to = Math.min(start + count, row * cols + baseCols);
        if (from >= to) continue;
        const others = await base.read(row * baseCols + (from - row * cols), to - from);
        for (let i = 0; i < to - from; i++) {
          values[from - start + i] = operation(values[from - start + i] ?? NaN, others[i] ?? NaN);
        }
      }
      return values;
    },
  });
}

const Note = v.object({ version: v.literal(1), base: v.object({ name: v.string(), sha256: v.string() }) });

/** The note for `deltaNoteName`: by this a base is known again. */
export async function describeBase(base: Checkpoint, name: string): Promise<string> {
  return `${JSON.stringify({ version: 1, base: { name, sha256: await fingerprint(base) } }, null, 2)}\n`;
}

/** Throws when a delta's note names another base than this, or when the delta is plainly a whole model. */
export async function checkBase(base: Checkpoint, delta: Checkpoint, note: unknown): Promise<void> {
  if (note !== undefined) {
    const parsed = v.safeParse(Note, note);
    if (!parsed.success) throw badCheckpoint(`${deltaNoteName} is not a note that a delta comes with`);
    if (parsed.output.base.sha256 !== (await fingerprint(base))) {
      throw badCheckpoint(`the delta was made from ${parsed.output.base.name}, and the base given has other weights`);
    }
  }
  let [dot, ownSquare, baseSquare] = [0, 0, 0];
  for (const tensor of normsOf(base)) {
    const own = delta.tensors.get(tensor.name);
    if (!own || !sameShape(own.shape, tensor.shape)) continue;
    const [a, b] = [await own.read(0, elementsOf(own.shape)), await tensor.read(0, elementsOf(tensor.shape))];
    for (const [i, value] of a.entries()) {
      dot += value * (b[i] ?? 0);
      ownSquare += value * value;
      baseSquare += (b[i] ?? 0) ** 2;
    }
  }
  // A difference of two models' norms is small and points anywhere; those of two models lie along each other.
  const ratio = Math.sqrt(ownSquare / baseSquare);
  if (ratio > 0.5 && dot > 0.9 * Math.sqrt(ownSquare * baseSquare)) {
    throw badCheckpoint("what is given as a delta has the weights of a whole model; it needs no base");
  }
}

function normsOf(checkpoint: Checkpoint): Tensor[] {
  const norms = [...checkpoint.tensors.values()].filter(({ name, shape }) => shape.length === 1 && !buffer.test(name));
  return norms.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** SHA-256 over the norms' weights: a few hundred kB that differ between any two trained models. */
async function fingerprint(base: Checkpoint): Promise<string> {
  const parts: BlobPart[] = [];
  for (const tensor of normsOf(base)) parts.push(`${tensor.name}\n`, await tensor.read(0, elementsOf(tensor.shape)));
  const digest = await crypto.subtle.digest("SHA-256", await new Blob(parts).arrayBuffer());
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
