// Runs the decoder's graph in a session of the runtime, on any device. Also takes the exports of others, whose graphs have other inputs.
import { EngineError } from "#engine/errors.ts";
import type { Runtime, RuntimeTensor, Session } from "#engine/runtime/runtime.ts";
import type { Decoder } from "./decoder.ts";
import { createKvCache, type CacheShape, type KvCache } from "./kv-cache.ts";
import { readLogits } from "./logits.ts";

/** What a decoder on a session must know of the model. */
export interface DecoderShape extends Pick<CacheShape, "layers" | "kvHeads" | "headSize"> {
  readonly hiddenSize: number;
  readonly vocabSize: number;
}

/** The decoder on this session, which it then owns. `adapterInputs` tells the graph's `lora.…` inputs; asked at each run. */
export function createSessionDecoder(
  runtime: Runtime,
  session: Session,
  shape: DecoderShape,
  adapterInputs: () => Readonly<Record<string, RuntimeTensor>> | undefined,
): Decoder {
  const hasInput = (name: string): boolean => session.inputNames.includes(name);
  return {
    createCache: (contextLength) =>
      // Graphs with `position_ids`, exported by others, do not read the past from the buffer that they write the present to.
      createKvCache(runtime, { ...shape, contextLength, shared: !hasInput("position_ids") }),
    async run(embeds, slots, cache, keep, top) {
      cache.reserve(cache.slots.length + slots.length);
      const lengths = lengthInputs(runtime, cache, slots.length, keep, hasInput);
      try {
        const outputs = await session.run(
          { inputs_embeds: embeds, ...lengths, ...adapterInputs(), ...cache.inputs() },
          cache.into(),
        );
        const logits = outputs.get("logits");
        if (!logits) throw new EngineError("bad-package", "the decoder yields no logits");
        outputs.delete("logits");
        try {
          await cache.accept(outputs, slots);
          return await readLogits(runtime, logits, shape.vocabSize, keep, top);
        } finally {
          logits.dispose();
        }
      } finally {
        for (const tensor of Object.values(lengths)) tensor.dispose();
      }
    },
    release: () => session.release(),
  };
}

/** The inputs that say how many rows there are, where they stand, and how many logits are wanted. */
function lengthInputs(
  runtime: Runtime,
  cache: KvCache,
  rows: number,
  keep: number,
  hasInput: (name: string) => boolean,
): Record<string, RuntimeTensor> {
  const past = cache.slots.length;
  const total = past + rows;
  const inputs: Record<string, RuntimeTensor> = {
    attention_mask: runtime.tensor("int64", new BigInt64Array(total).fill(1n), [1, total]),
  };
  // Graphs of others may yield all logits, may want positions, and may have a branch for an empty cache.
  if (hasInput("num_logits_to_keep")) {
    inputs["num_logits_to_keep"] = runtime.tensor("int64", BigInt64Array.of(BigInt(keep)), []);
  }
  if (hasInput("position_ids")) {
    const positions = BigInt64Array.from({ length: rows }, (_, i) => BigInt(past + i));
    inputs["position_ids"] = runtime.tensor("int64", positions, [1, rows]);
  }
  if (hasInput("use_cache_branch")) {
    inputs["use_cache_branch"] = runtime.tensor("bool", Uint8Array.of(past > 0 ? 1 : 0), [1]);
  }
  return inputs;
}
