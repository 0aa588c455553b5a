// Merges a LoRA adapter into its base as tensors are read: W + B·A·alpha/r, of a DoRA brought to the lengths that it learned.
// Knows no file: adapter-file.ts reads adapters.
import type { EngineError } from "#engine/errors.ts";
import { badCheckpoint } from "#convert/checkpoint/bad-checkpoint.ts";
import type { Adapter, LoraUpdate } from "./adapter-file.ts";
import {
  Checkpoint,
  computedTensor,
  elementsOf,
  requireFloat,
  sameShape,
  shapeText,
  type Tensor,
} from "#convert/checkpoint/checkpoint.ts";
import { huggingFaceName } from "./original-layout.ts";
import { rowMatrix } from "#convert/checkpoint/tensor-views.ts";

/** up [rows, rank] · down [rank, cols] → [rows, cols]; a host may have a faster one than ours. */
export type Multiply = (
  up: Float32Array<ArrayBuffer>,
  down: Float32Array<ArrayBuffer>,
  rows: number,
  rank: number,
  cols: number,
) => Promise<Float32Array> | Float32Array;

const table = "language_model.model.embed_tokens.weight";
const head = "language_model.lm_head.weight";
/** Tables with a row per token, which may have grown. */
const grows = new Set([table, head]);

/** The base, under its own names, with the adapter merged into it; computed in f32 and rounded once to the base's types. */
export function mergeAdapter(base: Checkpoint, adapter: Adapter, multiply: Multiply = multiplyPlainly): Checkpoint {
  const hint = adapter.baseName === undefined ? "" : ` (it was trained on ${adapter.baseName})`;
  const names = new Map([...base.tensors.keys()].map((name) => [huggingFaceName(name), name]));
  const tensors = new Map(base.tensors);
  untie(adapter, names, tensors);
  const hasTower = [...names.keys()].some((name) => name.startsWith("vision_tower."));
  const isNew = (weight: string): boolean =>
    /^(multi_modal_projector\.|image_newline$)/.test(weight) || (!hasTower && weight.startsWith("vision_tower."));

  /** The tensor with the changes applied so far. */
  const target = (weight: string, verb: string): { readonly name: string; readonly tensor: Tensor } => {
    const name = names.get(weight);
    const tensor = name === undefined ? undefined : tensors.get(name);
    if (name === undefined || !tensor)
      throw badCheckpoint(`the adapter ${verb} ${weight}, which the base does not have${hint}`);
    return { name, tensor };
  };
  const mismatch = (what: string, shape: readonly number[], own: readonly number[]): EngineError =>
    badCheckpoint(
      `the adapter ${what} ${shapeText(shape)}, and the base's has ${shapeText(own)}: it belongs to another base${hint}`,
    );

  for (const [weight, tensor] of adapter.whole) {
    if (!names.has(weight) && isNew(weight)) {
      const name = originalName(weight, tensor.name);
      names.set(weight, name);
      tensors.set(name, tensor);
      continue;
    }
    const { name, tensor: below } = target(weight, "brings");
    if (!sameShape(below.shape, tensor.shape) && !grows.has(weight)) {
      throw mismatch(`brings ${weight} of shape`, tensor.shape, below.shape);
    }
    tensors.set(name, tensor);
  }
  for (const [weight, { indices, values }] of adapter.rows) {
    const { name, tensor } = target(weight, "changes rows of");
    const [rows = 0, cols = 0] = tensor.shape;
    if (values.shape[1] !== cols) throw mismatch(`changes rows of ${weight} of shape`, values.shape, tensor.shape);
    const outside = indices.find((index) => index >= rows);
    if (outside !== undefined)
      throw badCheckpoint(`the adapter changes row ${outside} of ${weight}, and the base's has ${rows}${hint}`);
    tensors.set(name, withRows(tensor, indices, values));
  }
  const held: HeldMatrix = { multiply, tensor: undefined, values: undefined };
  for (const [weight, update] of adapter.updates) {
    const { name, tensor } = target(weight, "changes");
    const shape = [update.up.shape[0] ?? 0, update.down.shape[1] ?? 0];
    const own = rowMatrix(tensor).shape;
    if (!sameShape(own, shape)) throw mismatch(`changes ${weight} as a matrix of`, shape, own);
    tensors.set(name, mergedTensor(tensor, update, held));
  }
  for (const [weight, { bias, scale }] of adapter.biases) {
    const { name, tensor } = target(weight, "adds to");
    if (!sameShape(tensor.shape, bias.shape)) throw mismatch(`adds to ${weight} a bias of`, bias.shape, tensor.shape);
    tensors.set(name, withBias(tensor, bias, scale));
  }
  return new Checkpoint(tensors);
}

/**
 * A base may use its table of embeddings as its output layer, too. An adapter that changes one of them was trained with the other as it was,
 * so they part ways.
 */
function untie(adapter: Adapter, names: Map<string, string>, tensors: Map<string, Tensor>): void {
  const own = names.get(table);
  const embeddings = own === undefined ? undefined : tensors.get(own);
  const changes = (weight: string): boolean => adapter.whole.has(weight) || adapter.updates.has(weight);
  if (names.has(head) || own === undefined || !embeddings || !(changes(head) || changes(table))) return;
  if (adapter.keepsTied && !changes(head)) return;
  const name = own.startsWith("language_model.model.") ? head : "lm_head.weight";
  names.set(head, name);
  tensors.set(name, { ...embeddings, name });
}

/** A new tensor keeps the name it was saved under, without the wrapping. */
function originalName(weight: string, saved: string): string {
  const found = /(?:^|\.)(model\.(?:mm_projector|vision_tower|image_newline).*)$/.exec(saved)?.[1];
  return found === undefined || /\.(modules_to_save|base_layer)\./.test(found) ? weight : found;
}

/** The last `down` matrix that was read: runs of rows of one weight follow one another. */
interface HeldMatrix {
  readonly multiply: Multiply;
  tensor: Tensor | undefined;
  values: Promise<Float32Array<ArrayBuffer>> | undefined;
}

function mergedTensor(base: Tensor, { down, up, scale, magnitude }: LoraUpdate, held: HeldMatrix): Tensor {
  for (const tensor of [base, down, up]) requireFloat(tensor);
  const [rank = 0, cols = 0] = down.shape;
  const [rows = 0] = up.shape;
  /** W + B·A·scale of whole rows. */
  const sumOfRows = async (first: number, count: number): Promise<Float32Array<ArrayBuffer>> => {
    if (held.tensor !== down) {
      held.tensor = down;
      held.values = down.read(0, elementsOf(down.shape));
    }
    const upRows = await up.read(first * rank, count * rank);
    const change = await held.multiply(upRows, (await held.values) ?? new Float32Array(), count, rank, cols);
    const values = await base.read(first * cols, count * cols);
    for (let i = 0; i < values.length; i++) values[i] = (values[i] ?? NaN) + scale * (change[i] ?? NaN);
    return values;
  };
  const stretch = magnitude && stretcher(magnitude.lengths, magnitude.of, rows, cols, sumOfRows);
  return computedTensor(base, {
    origin: `${base.origin} + ${down.origin}`,
    async read(start, count) {
      const first = Math.floor(start / cols);
      const whole = Math.ceil((start + count) / cols) - first;
      const values = await sumOfRows(first, whole);
      await stretch?.(values, first);
      const shift = start - first * cols;
      return values.length === count ? values : values.slice(shift, shift + count);
    },
  });
}

/** Brings rows, or the columns of the whole matrix, to the lengths that a DoRA learned. */
function stretcher(
  lengths: Tensor,
  of: "rows" | "columns",
  rows: number,
  cols: number,
  read: (first: number, count: number) => Promise<Float32Array>,
): (values: Float32Array, first: number) => Promise<void> {
  const wanted = of === "rows" ? rows : cols;
  if (elementsOf(lengths.shape) !== wanted) {
    throw badCheckpoint(`${lengths.name} has shape ${shapeText(lengths.shape)}, and ${wanted} lengths are needed`);
  }
  if (of === "rows") {
    return async (values, first) => {
      const count = values.length / cols;
      const goals = await lengths.read(first, count);
      for (let row = 0; row < count; row++) {
        const line = values.subarray(row * cols, (row + 1) * cols);
        let sum = 0;
        for (const value of line) sum += value * value;
        const factor = (goals[row] ?? NaN) / Math.sqrt(sum);
        for (let i = 0; i < cols; i++) line[i] = factor * (line[i] ?? NaN);
      }
    };
  }
  let factors: Promise<Float64Array> | undefined;
  const measure = async (): Promise<Float64Array> => {
    const sums = new Float64Array(cols);
    const step = Math.max(1, Math.floor(2 ** 20 / cols));
    for (let first = 0; first < rows; first += step) {
      const values = await read(first, Math.min(step, rows - first));
      for (let i = 0; i < values.length; i++) sums[i % cols] = (sums[i % cols] ?? 0) + (values[i] ?? NaN) ** 2;
    }
    const goals = await lengths.read(0, cols);
    return sums.map((sum, i) => (goals[i] ?? NaN) / Math.sqrt(sum));
  };
  return async (values) => {
    factors ??= measure();
    const known = await factors;
    for (let i = 0; i < values.length; i++) values[i] = (values[i] ?? NaN) * (known[i % cols] ?? NaN);
  };
}

/** A table with some of its rows replaced. */
function withRows(base: Tensor, indices: readonly number[], rows: Tensor): Tensor {
  for (const tensor of [base, rows]) requireFloat(tensor);
  const [, cols = 0] = base.shape;
  return computedTensor(base, {
    origin: `${base.origin} + ${rows.origin}`,
    async read(start, count) {
      const values = await base.read(start, count);
      for (const [i, index] of indices.entries()) {
        const from = Math.max(start, index * cols);
        const to = Math.min(start + count, (index + 1) * cols);
        if (from < to) values.set(await rows.read(i * cols + from - index * cols, to - from), from - start);
      }
      return values;
    },
  });
}

function withBias(base: Tensor, bias: Tensor, scale: number): Tensor {
  for (const tensor of [base, bias]) requireFloat(tensor);
  return computedTensor(base, {
    origin: `${base.origin} + ${bias.origin}`,
    async read(start, count) {
      const [values, change] = [await base.read(start, count), await bias.read(start, count)];
      for (let i = 0; i < count; i++) values[i] = (values[i] ?? NaN) + scale * (change[i] ?? NaN);
      return values;
    },
  });
}
/** Four ranks at a time, which saves most of the passes over the result. */
function multiplyPlainly(up: Float32Array, down: Float32Array, rows: number, rank: number, cols: number): Float32Array {
  const out = new Float32Array(rows * cols);
  for (let row = 0; row < rows; row++) {
    const target = out.subarray(row * cols, (row + 1) * cols);
    for (let k = 0; k < rank; k += 4) {
      const at = row * rank + k;
      const left = rank - k;
      const [u0, u1, u2, u3] = [
        up[at] ?? 0,
        left > 1 ? (up[at + 1] ?? 0) : 0,
        left > 2 ? (up[at + 2] ?? 0) : 0,
        left > 3 ? (up[at + 3] ?? 0) : 0,
      ];
      const d0 = k * cols;
      const d1 = left > 1 ? d0 + cols : d0;
      const d2 = left > 2 ? d1 + cols : d0;
      const d3 = left > 3 ? d2 + cols : d0;
      for (let col = 0; col < cols; col++) {
        target[col] =
          (target[col] ?? 0) +
          u0 * (down[d0 + col] ?? 0) +
          u1 * (down[d1 + col] ?? 0) +
          u2 * (down[d2 + col] ?? 0) +
          u3 * (down[d3 + col] ?? 0);
      }
    }
  }
  return out;
}
