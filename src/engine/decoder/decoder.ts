// What the model asks of a decoder: rows of embeddings in, logits out, keys and values in a cache. Three files implement it: kernel-decoder.ts
// on this project's WebAssembly kernel, replay-decoder.ts on a WebGPU session that replays captured steps, session-decoder.ts on any other
// session of the runtime. Knows no words and no sampling.
import { EngineError } from "#engine/errors.ts";
import type { RuntimeTensor } from "#engine/runtime/runtime.ts";
import type { KvCache } from "./kv-cache.ts";

/** A decoder with its weights. One run at a time. */
export interface Decoder {
  /** An empty cache for this decoder, of at most `contextLength` rows; the caller disposes it. */
  createCache(contextLength: number): KvCache;
  /**
   * Runs `embeds` [1, slots, hidden] after the cache's rows and adds them to the cache as `slots`. Returns the logits [vocab] after each of
   * the last `keep` rows, as copies. Disposes nothing of the caller's. With `top`, the caller looks at that many of the largest logits only:
   * all others may come back as −Infinity. Throws "context-full" where the cache cannot take the rows.
   */
  run(
    embeds: RuntimeTensor,
    slots: readonly number[],
    cache: KvCache,
    keep: number,
    top?: number,
  ): Promise<Float32Array[]>;
  /**
   * Present where the device can capture a step of one row and replay it. Off until the self-test has shown that this device replays correctly.
   */
  readonly replay?: { enabled: boolean };
  release(): Promise<void>;
}

/** Runs the decoder and returns the logits [vocab] after the last row. */
export async function decodeLast(
  decoder: Decoder,
  embeds: RuntimeTensor,
  slots: readonly number[],
  cache: KvCache,
  top?: number,
): Promise<Float32Array> {
  const [logits] = await decoder.run(embeds, slots, cache, 1, top);
  if (!logits) throw new EngineError("internal", "a run without logits");
  return logits;
}

/** Runs of at most `mostRows` rows on one decoder, longer ones on the other, which takes the first one's caches, too. Releases both. */
export function splitByLength(short: Decoder, long: Decoder, mostRows: number): Decoder {
  return {
    createCache: (contextLength) => short.createCache(contextLength),
    run: (embeds, slots, cache, keep, top) =>
      (slots.length <= mostRows ? short : long).run(embeds, slots, cache, keep, top),
    async release() {
      await short.release();
      await long.release();
    },
  };
}
