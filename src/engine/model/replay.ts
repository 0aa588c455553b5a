// Runs a replayable decoder: what changes from step to step are numbers in buffers of the device, so that a step of one token, once recorded,
// is handed to the GPU as it was, without the runtime walking through the graph and binding buffers anew (CUDA graphs' idea; ONNX Runtime's
// "graph capture"). Prompts and guesses, whose lengths differ, run plainly in the same session. Knows no tokens.
import { EngineError } from "#engine/errors.ts";
import type { KvCache } from "./kv-cache.ts";
import { elementCount, type Runtime, type RuntimeTensor, type Session } from "#engine/runtime/runtime.ts";

/** Logits that a run left on the device; `release` is called when they have been read. */
export interface Logits {
  readonly tensor: RuntimeTensor;
  release(): void;
}

export interface Replay {
  /** Whether steps of one token are recorded and done again; they are not until someone has seen that this device does that right. */
  enabled: boolean;
  /** Rows `embeds` [1, rows, hidden] after those of the cache, written into its buffers; logits [1, keep, vocab] of the last `keep` of them. */
  run(session: Session, embeds: RuntimeTensor, cache: KvCache, keep: number): Promise<Logits>;
  dispose(): void;
}

/** Whether the session is of a replayable graph. */
export function isReplayable(session: Session): boolean {
  return session.inputNames.includes("kept_positions");
}

/** For one session; its buffers are made with the first run. */
export function createReplay(runtime: Runtime, shape: { readonly hidden: number; readonly vocab: number }): Replay {
  const { hidden, vocab } = shape;
  const own: RuntimeTensor[] = [];
  const owned = (tensor: RuntimeTensor): RuntimeTensor => {
    own.push(tensor);
    return tensor;
  };
  const make = () => ({
    embeds: owned(runtime.allocate([1, 1, hidden])),
    logits: owned(runtime.allocate([1, 1, vocab])),
    last: owned(runtime.upload(Int32Array.of(0), [1])),
    total: owned(runtime.upload(Int32Array.of(0), [])),
    first: owned(runtime.upload(Int32Array.of(0), [1])),
  });
  let fixed: ReturnType<typeof make> | undefined;
  /** A recorded step belongs to the buffers it was recorded with: to a cache, by its first tensor. */
  const numbers = new WeakMap<RuntimeTensor, number>();
  let recorded = 0;
  const numberOf = (into: Readonly<Record<string, RuntimeTensor>>): number | undefined => {
    const [first] = Object.values(into);
    if (!first) return undefined;
    const known = numbers.get(first) ?? ++recorded;
    numbers.set(first, known);
    return known;
  };

  const replay: Replay = {
    enabled: false,
    async run(session, embeds, cache, keep) {
      fixed ??= make();
      const rows = elementCount(embeds.dims) / hidden;
      const total = cache.slots.length + rows;
      runtime.rewrite(fixed.last, Int32Array.of(total - 1));
      runtime.rewrite(fixed.total, Int32Array.of(total));
      const into = cache.into();
      const same = { ...cache.inputs(), seqlens_k: fixed.last, total_sequence_length: fixed.total };
      const number = rows === 1 && replay.enabled ? numberOf(into) : undefined;
      if (number !== undefined) {
        const { logits } = fixed;
        runtime.copy([{ from: embeds, fromOffset: 0, to: fixed.embeds, toOffset: 0, count: hidden }]);
        const inputs = { ...same, inputs_embeds: fixed.embeds, kept_positions: fixed.first };
        await session.run(inputs, { ...into, logits }, number);
        return { tensor: logits, release: () => undefined };
      }
      const kept = runtime.upload(
        Int32Array.from({ length: keep }, (_, i) => rows - keep + i),
        [keep],
      );
      try {
        const outputs = await session.run({ ...same, inputs_embeds: embeds, kept_positions: kept }, into);
        const logits = outputs.get("logits");
        if (!logits) throw new EngineError("bad-package", "the decoder yields no logits");
        return { tensor: logits, release: () => logits.dispose() };
      } finally {
        kept.dispose();
      }
    },
    dispose() {
      for (const tensor of own.splice(0)) tensor.dispose();
      fixed = undefined;
    },
  };
  return replay;
}
