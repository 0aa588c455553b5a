// The features of a conversation's pictures: held from an earlier request, read from a store of earlier visits, or encoded now.
// Knows pictures and no prompt.
import { createImageFeatures, type FeatureStore } from "#engine/model/image-features.ts";
import type { Runtime, RuntimeTensor } from "#engine/runtime/runtime.ts";
import type { Picture, PictureClock } from "./encode-picture.ts";
import type { Pictures } from "./pictures.ts";
import type { GenerateEvent, PictureKind } from "./types.ts";

export interface PictureFeaturesOptions {
  readonly runtime: Runtime;
  readonly pictures: Pictures;
  readonly hiddenSize: number;
  /** Of float32 features that stay in memory between requests. */
  readonly maxBytes: number;
  /** All by default. */
  readonly maxPictures?: number | undefined;
  /** Asked before the vision encoder. */
  readonly store?: FeatureStore | undefined;
}

export interface PictureFeatures {
  /** [1, rows, hidden] of a picture that was brought here before; stays this object's. */
  get(key: string): RuntimeTensor | undefined;
  /** What the vision encoder took such a picture for; undefined where it does not say, or never saw it. */
  kindOf(key: string): PictureKind | undefined;
  /** Brings the features of these pictures into memory. Yields before each picture and each tile; ends with false as soon as `isAborted`. */
  bring(
    pictures: readonly Picture[],
    clock: PictureClock,
    isAborted: () => boolean,
  ): AsyncGenerator<GenerateEvent, boolean>;
  /** Hands what was encoded since the last time to the store. Reads it off the device, so not between an answer's tokens. Never rejects. */
  save(): Promise<void>;
  /** Drops the least recently used ones until the rest fits; not while a request uses them. */
  trim(): void;
  dispose(): void;
}

/** Nothing is in memory yet. */
export function createPictureFeatures(options: PictureFeaturesOptions): PictureFeatures {
  const { runtime, pictures, hiddenSize, store } = options;
  const held = createImageFeatures(options.maxBytes, options.maxPictures);
  const photographs = new Map<string, number>(); // verdicts by key, above 0 for a photograph
  const unsaved = new Set<string>(); // keys
  const stage = (name: "image" | "vision", done: number, total: number): GenerateEvent => ({
    type: "stage",
    stage: name,
    done,
    total,
  });

  /** Whether the store had them, in the shape that this model gives. A verdict is stored as one number behind them. */
  async function readStored({ key, rows }: Picture): Promise<boolean> {
    const stored = await store?.get(key).catch(() => undefined);
    const length = rows * hiddenSize;
    if (stored?.length !== length && stored?.length !== length + 1) return false;
    held.put(key, runtime.upload(stored.subarray(0, length), [1, rows, hiddenSize]));
    const verdict = stored[length];
    if (verdict !== undefined) photographs.set(key, verdict);
    return true;
  }

  /** The features as the store keeps them. */
  async function toStore(key: string, tensor: RuntimeTensor): Promise<Float32Array<ArrayBuffer>> {
    const features = await runtime.read(tensor);
    const verdict = photographs.get(key);
    const stored = new Float32Array(features.length + (verdict === undefined ? 0 : 1));
    stored.set(features);
    if (verdict !== undefined) stored[features.length] = verdict;
    return stored;
  }

  return {
    get: (key) => held.get(key),
    kindOf(key) {
      const verdict = photographs.get(key);
      return verdict === undefined ? undefined : verdict > 0 ? "photograph" : "drawing";
    },
    async *bring(wanted, clock, isAborted) {
      for (const [i, picture] of wanted.entries()) {
        yield stage("image", i, wanted.length);
        if (isAborted()) return false;
        if (held.get(picture.key) || (await readStored(picture))) continue;
        const encoding = pictures.encode(picture, clock);
        for (;;) {
          yield stage("vision", i, wanted.length);
          if (isAborted()) return false;
          const tile = await encoding.next();
          if (tile.done !== true) continue;
          const { features, photograph } = tile.value;
          held.put(picture.key, features);
          if (photograph !== undefined) photographs.set(picture.key, photograph);
          if (store) unsaved.add(picture.key);
          break;
        }
      }
      if (wanted.length > 0) yield stage("vision", wanted.length, wanted.length);
      return true;
    },
    async save() {
      try {
        for (const key of unsaved) {
          const tensor = held.get(key);
          // The answer does not wait for the store: what is not stored is encoded again on the next visit.
          if (tensor) store?.put(key, await toStore(key, tensor)).catch(() => undefined);
        }
      } catch {
        // The answer is complete; a device that is lost makes the next request fail.
      }
      unsaved.clear();
    },
    trim: () => held.trim(),
    dispose: () => held.dispose(),
  };
}
