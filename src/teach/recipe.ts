// How a model is taught on this machine: which blocks are trained, by how many threads, with how many views and questions, in how many steps. All of
// it from sizes and from what was measured here; the numbers are from docs/teaching.md.
import type { Recipe } from "./teach.ts";
import { sitesOf, type DecoderShape, type LoraSpec } from "#teach/training/shape.ts";
import { TrainMemory } from "#teach/training/train-memory.ts";
import type { TeachOptions } from "./types.ts";

/** Bytes of weights and rows that a thread may have, and of all threads together. */
const [threadBytes, allBytes] = [320e6, 1.2e9];
/** Rows of a picture's conversations beside the picture. */
const talkRows = 192;
const leastRows = 320;
/** Of the packed rows of a picture those that predict, about. */
const predictingRows = 64;
/** Rows of text in a packed row, about. */
const packedTalkRows = 120;

export interface TeachSetup {
  readonly spec: LoraSpec;
  readonly threads: number;
  /** Rows of a picture's packed conversations, at most. */
  readonly mostRows: number;
  /** Main memory of training. */
  readonly bytes: number;
}

/** Multiplications of a row by a block's matrices. */
function blockWeights(shape: DecoderShape): number {
  return Object.values(sitesOf(shape, 1).sites).reduce((sum, site) => sum + site.inputs * site.outputs, 0);
}

/**
 * The blocks and threads that memory allows, for pictures of so many rows; how many bytes it would take where it allows not even two blocks in
 * one thread.
 */
export function chooseSetup(
  shape: DecoderShape,
  pictureRows: number,
  cores: number,
  { rank = 8, threads }: TeachOptions,
): TeachSetup | number {
  const { hidden, ffn, vocab, layers, heads, kvHeads, headSize } = shape;
  const mostRows = Math.max(leastRows, pictureRows + talkRows);
  const qkv = (heads + 2 * kvHeads) * headSize;
  // What a block keeps of each row on the way forward: its input, output, two norms and the sum between, the heads, and the gated rows.
  const kept = mostRows * (5 * hidden + qkv + heads * headSize + 3 * ffn + heads * mostRows);
  const perBlock = 4 * (blockWeights(shape) + kept);
  // The output layer with the logits of the rows that predict; gradients of one block; a frozen block and its rows.
  const once = vocab * hidden + predictingRows * vocab + mostRows * (4 * hidden + qkv + 2 * ffn) + blockWeights(shape);
  const fitting = Math.floor((threadBytes - 4 * once) / perBlock);
  const blocks = Math.min(layers, Math.max(2, fitting));
  const bytes = 4 * once + blocks * perBlock;
  // Two blocks of a model with a large vocabulary may take one thread more than its share.
  if (bytes > allBytes) return bytes;
  const count = Math.max(1, Math.min(threads ?? cores, Math.floor(allBytes / bytes)));
  return { spec: { firstBlock: layers - blocks, rank, scale: 2 }, threads: count, mostRows, bytes: bytes * count };
}

/** Seconds of what teaching is made of, measured on this machine. */
export interface Costs {
  /** A picture, encoded. */
  readonly picture: number;
  /** A short answer. */
  readonly answer: number;
  /** The frozen blocks, for the packed rows of one picture. */
  readonly frozen: number;
  /** A step of training. */
  readonly step: number;
}

/** Pictures and questions that are not taught. */
export interface ReplaySize {
  readonly pictures: number;
  readonly questions: number;
}

/** Of the time that may be taken, what preparing may. */
const preparingShare = 0.5;

/** The recipe for so many trained pictures: as many views and questions of each as there is time to look at. */
export function recipeFor(
  pictures: number,
  { mostRows }: Pick<TeachSetup, "mostRows">,
  costs: Costs,
  replay: ReplaySize,
  seconds: number,
): Recipe {
  const most = Math.max(2, Math.min(4, Math.round(120 / pictures)));
  const choices = Array.from({ length: most }, (_, i) => ({ views: most - i, details: i === 0 ? 6 : i === 1 ? 4 : 2 }));
  const recipes = choices.map(({ views, details }): Recipe => ({
    steps: Math.min(240, Math.max(120, pictures * 6)),
    rate: 2e-3,
    taughtPerStep: 4,
    replayPerStep: 4,
    viewsPerPicture: views,
    detailsPerPicture: details,
    mostRows,
    lookEvery: 8,
  }));
  const fits = recipes.find((recipe) => preparingSeconds(pictures, recipe, costs, replay) <= preparingShare * seconds);
  return fits ?? (recipes.at(-1) as Recipe);
}

/** Questions about a whole picture, whose answers are kept. */
const keptPerPicture = 3;

/** Looking at the pictures that are taught and at those that are not, and asking about them. */
export function preparingSeconds(
  pictures: number,
  { viewsPerPicture, detailsPerPicture }: Recipe,
  { picture, answer, frozen }: Costs,
  replay: ReplaySize,
): number {
  const shown = pictures * viewsPerPicture + replay.pictures;
  const asked = pictures * (keptPerPicture + detailsPerPicture) + replay.questions;
  return shown * (picture + frozen) + asked * answer;
}

/** Seconds of one multiplication in a product, measured here. */
async function productSeconds(): Promise<number> {
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
  return (performance.now() - started) / 1000 / times / (rows * inner * outputs);
}

/** Seconds of a step, and of the frozen blocks for the packed rows of a picture. */
export async function trainingCosts(
  shape: DecoderShape,
  pictureRows: number,
  { spec, threads }: TeachSetup,
): Promise<Pick<Costs, "frozen" | "step">> {
  const product = await productSeconds();
  const rows = pictureRows + packedTalkRows;
  const weights = blockWeights(shape);
  // Forward and back through the frozen weights, and a third more for all that is no such product.
  const trained = rows * (shape.layers - spec.firstBlock) * weights * 2 * 1.33;
  const output = predictingRows * shape.vocab * shape.hidden;
  const rowsPerStep = 8;
  return {
    frozen: (product * rows * spec.firstBlock * weights * 1.15) / threads,
    step: (product * (trained + output) * rowsPerStep) / threads,
  };
}
