// Checks whether a device computes correctly: a few golden logits, from all three graphs on a picture made by formula.
import * as v from "valibot";
import { readJson } from "./config.ts";
import { decodeLast } from "#engine/decoder/decoder.ts";
import { EngineError } from "#engine/errors.ts";
import type { Model, RowRun } from "./model.ts";
import { normalise, type Preprocess } from "#engine/picture/image.ts";
import type { SelfTest } from "#engine/package.ts";
import type { RuntimeTensor } from "#engine/runtime/runtime.ts";
import type { PackageFiles } from "#engine/types.ts";

export interface SelfTestResult {
  readonly ok: boolean;
  /** Largest |difference| in logits; NaN and infinities count as infinite. */
  readonly worst: number;
}

const SelfTestSchema: v.GenericSchema<SelfTest> = v.object({
  version: v.literal(1),
  promptIds: v.array(v.number()),
  positions: v.array(v.number()),
  logits: v.array(v.number()),
  tolerance: v.number(),
});

/** Runs the package's self-test on a loaded model. */
export async function runSelfTest(model: Model, files: PackageFiles, path: string): Promise<SelfTestResult> {
  const parsed = v.safeParse(SelfTestSchema, await readJson(files, path));
  if (!parsed.success) throw new EngineError("bad-package", `${path}: ${parsed.issues[0].message}`);
  const { promptIds, positions, logits, tolerance } = parsed.output;
  if (positions.length === 0 || positions.length !== logits.length) {
    throw new EngineError("bad-package", `${path}: positions and logits do not pair up`);
  }
  const worstOf = (actual: Float32Array): number =>
    positions.reduce((worst, position, i) => {
      const difference = Math.abs((actual[position] ?? NaN) - (logits[i] ?? NaN));
      return Math.max(worst, Number.isFinite(difference) ? difference : Infinity);
    }, 0);
  // Replay stays on where it gives the golden logits, too.
  const { replay } = model.decoder;
  if (replay) {
    replay.enabled = true;
    const both = await logitsAfter(model, promptIds, true).catch(() => []);
    const worst = Math.max(...both.map(worstOf));
    if (both.length > 0 && worst <= tolerance) return { ok: true, worst };
    replay.enabled = false;
  }
  const worst = worstOf(await lastLogits(model, promptIds));
  return { ok: worst <= tolerance, worst };
}

/** Logits [vocab] after the prompt, computed in one prefill. The prompt has one image token, which becomes the formula picture's rows. */
export async function lastLogits(model: Model, promptIds: readonly number[]): Promise<Float32Array> {
  const [logits = new Float32Array(0)] = await logitsAfter(model, promptIds, false);
  return logits;
}

/** The same. With `step`, also the logits from a decode step of the last token alone, after a step of another token in its place. */
async function logitsAfter(model: Model, promptIds: readonly number[], step: boolean): Promise<Float32Array[]> {
  const { config } = model;
  const cache = model.decoder.createCache(2 ** 20);
  const owned: RuntimeTensor[] = [];
  const own = (tensor: RuntimeTensor): RuntimeTensor => {
    owned.push(tensor);
    return tensor;
  };
  try {
    const features = own(
      (await model.encodeImage(normalise(formulaPicture(config.preprocess), config.preprocess))).features,
    );
    const imageRows = features.dims.at(-2) ?? 0;
    const imageAt = promptIds.indexOf(config.imageTokenId);
    const before = promptIds.slice(0, imageAt);
    const after = promptIds.slice(imageAt + 1);
    if (imageAt < 0) throw new EngineError("bad-package", "the self-test's prompt has no picture");
    const text = own(await model.embed([...before, ...after]));
    const runs: RowRun[] = [
      { tensor: text, start: 0, rows: before.length },
      { tensor: features, start: 0, rows: imageRows },
      { tensor: text, start: before.length, rows: after.length },
    ];
    const embeds = own(model.concat(runs.filter(({ rows }) => rows > 0)));
    const slots = [...before, ...Array.from({ length: imageRows }, () => -1), ...after];
    const found = [await decodeLast(model.decoder, embeds, slots, cache)];
    const last = slots.at(-1);
    if (!step || last === undefined) return found;
    for (const token of [before[0] ?? 0, last]) {
      cache.truncate(slots.length - 1);
      found[1] = await decodeLast(model.decoder, own(await model.embed([token])), [token], cache);
    }
    return found;
  } finally {
    for (const tensor of owned) tensor.dispose();
    cache.dispose();
  }
}

/** Channel c of pixel x,y is (x·7 + y·13 + c·29) mod 256, at the vision tower's size: [size, size, 3]. */
function formulaPicture({ size }: Preprocess): Uint8Array {
  const rgb = new Uint8Array(size * size * 3);
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      for (let c = 0; c < 3; c++) rgb[(y * size + x) * 3 + c] = (x * 7 + y * 13 + c * 29) % 256;
    }
  }
  return rgb;
}

/** The largest difference between devices that compute correctly: twice the one measured between CPU, WASM and WebGPU. */
const defaultTolerance = 0.02;

/**
 * Records a self-test from a model on a device that is trusted: the likeliest tokens after the prompt and a spread of others. Rejects with
 * "numerics" where a logit is NaN or infinite.
 */
export async function makeSelfTest(model: Model, tolerance = defaultTolerance): Promise<SelfTest> {
  const { tokenizer } = model;
  const promptIds = tokenizer.encode("USER: <image>\nWhat is in this picture? ASSISTANT:");
  const logits = await lastLogits(model, promptIds);
  if (!logits.every(Number.isFinite)) throw new EngineError("numerics", "the model computes no numbers");
  const order = [...logits.keys()].sort((a, b) => (logits[b] ?? 0) - (logits[a] ?? 0));
  const stride = Math.max(1, Math.floor(logits.length / 8));
  const positions = [...new Set([...order.slice(0, 8), ...order.filter((_, i) => i % stride === 0)])];
  return {
    version: 1,
    promptIds,
    positions,
    logits: positions.map((position) => logits[position] ?? 0),
    tolerance,
  };
}
