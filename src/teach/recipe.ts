// How a model is taught on this machine: which blocks are trained, by how many threads, in how many steps. All of it from sizes and one measured
// product; the numbers are from docs/teaching.md.
import type { Recipe } from "./teach.ts";
import { sitesOf, type DecoderShape, type LoraSpec } from "#teach/training/shape.ts";
import { TrainMemory } from "#teach/training/train-memory.ts";
import type { TeachOptions } from "./types.ts";

/** Bytes of f32 weights that a thread may have, and of all threads together. */
const [threadBytes, allBytes] = [320e6, 1.2e9];
/** What else a thread's rows take: measured, 20 MB for Pocket LLaVA. */
const rowBytes = 40e6;
const mostRows = 320;

export interface TeachSetup {
  readonly spec: LoraSpec;
  readonly threads: number;
  /** Main memory of training. */
  readonly bytes: number;
}

/** The blocks and threads that memory allows; how many bytes it would take where it allows not even two blocks in one thread. */
export function chooseSetup(
  shape: DecoderShape,
  cores: number,
  { rank = 8, threads }: TeachOptions,
): TeachSetup | number {
  const { hidden, vocab, layers } = shape;
  const weights = Object.values(sitesOf(shape, rank).sites).reduce((sum, site) => sum + site.inputs * site.outputs, 0);
  const headBytes = 4 * vocab * hidden;
  const fitting = Math.floor((threadBytes - headBytes) / (4 * weights));
  const blocks = Math.min(layers, Math.max(2, fitting));
  const bytes = headBytes + blocks * 4 * weights + rowBytes;
  // Two blocks of a model with a large vocabulary may take one thread more than its share.
  if (bytes > allBytes) return bytes;
  const count = Math.max(1, Math.min(threads ?? cores, Math.floor(allBytes / bytes)));
  return { spec: { firstBlock: layers - blocks, rank, scale: 2 }, threads: count, bytes: bytes * count };
}

/** The recipe for so many trained pictures. */
export function recipeFor(pictures: number): Recipe {
  return {
    steps: Math.min(240, Math.max(120, pictures * 6)),
    rate: 2e-3,
    taughtPerStep: 4,
    replayPerStep: 4,
    viewsPerPicture: Math.max(2, Math.min(4, Math.round(120 / pictures))),
    mostRows,
    lookEvery: 8,
  };
}

/** Seconds of one step, by a product that is measured here. */
export async function stepSeconds(shape: DecoderShape, { spec, threads }: TeachSetup, recipe: Recipe): Promise<number> {
  const [rows, inner, outputs] = [160, 256, 512];
  const memory = await TrainMemory.create();
  const [a, b, c, scratch] = [rows * inner, inner * outputs, rows * outputs, (rows + 11) * 256 + 32].map((words) =>
    memory.place(words),
  ) as [number, number, number, number];
  const run = (): void => {
    memory.kernel.product(rows, outputs, inner, 1, a, inner, 1, b, 1, inner, c, outputs, scratch);
  };
  for (let i = 0; i < 5; i++) run();
  const started = performance.now();
  const times = 10;
  for (let i = 0; i < times; i++) run();
  const perProduct = (performance.now() - started) / 1000 / times / (rows * inner * outputs);
  const weights = Object.values(sitesOf(shape, spec.rank).sites).reduce(
    (sum, site) => sum + site.inputs * site.outputs,
    0,
  );
  const blocks = shape.layers - spec.firstBlock;
  // Forward and back through the frozen weights, and a third more for all that is no such product.
  const perRow = 180 * blocks * weights * 2 * 1.33 + 60 * shape.vocab * shape.hidden;
  return (perProduct * perRow * (recipe.taughtPerStep + recipe.replayPerStep)) / threads;
}
