// Runs a replayable decoder graph on WebGPU. What changes from step to step are numbers in device buffers, so a decode step of one row, once
// captured, is submitted to the GPU again as it was: the runtime neither walks the graph nor binds buffers (CUDA graphs' idea; ONNX Runtime calls
// it graph capture). Prompts and drafts, whose lengths differ, run normally in the same session. Knows no tokens.
import { EngineError } from "#engine/errors.ts";
import { elementCount, type Runtime, type RuntimeTensor, type Session } from "#engine/runtime/runtime.ts";
import type { Decoder } from "./decoder.ts";
import { createKvCache, type KvCache } from "./kv-cache.ts";
import { readLogits } from "./logits.ts";
import type { DecoderShape } from "./session-decoder.ts";

/** Whether the session runs a replayable graph. */
export function isReplayable(session: Session): boolean {
  return session.inputNames.includes("kept_positions");
}

/** The decoder on a session for which `isReplayable` holds and which it then owns. Its buffers are allocated at the first run. */
export function createReplayDecoder(runtime: Runtime, session: Session, shape: DecoderShape): Decoder {
  const { hiddenSize, vocabSize } = shape;
  const replay = { enabled: false };
  let buffers: StepBuffers | undefined;
  /** A captured step is bound to its buffers, so each cache, told by its first tensor, has a step of its own. */
  const capturedSteps = new WeakMap<RuntimeTensor, number>();
  let captured = 0;
  const stepOf = (into: Readonly<Record<string, RuntimeTensor>>): number | undefined => {
    const [first] = Object.values(into);
    if (!first) return undefined;
    const step = capturedSteps.get(first) ?? ++captured;
    capturedSteps.set(first, step);
    return step;
  };

  return {
    replay,
    createCache: (contextLength) => createKvCache(runtime, { ...shape, contextLength }),
    async run(embeds, slots, cache, keep, top) {
      const rows = elementCount(embeds.dims) / hiddenSize;
      const total = cache.slots.length + rows;
      cache.reserve(total);
      buffers ??= allocateBuffers(runtime, hiddenSize, vocabSize);
      runtime.rewrite(buffers.lastPosition, Int32Array.of(total - 1));
      runtime.rewrite(buffers.total, Int32Array.of(total));
      const into = cache.into();
      const inputs = {
        ...cache.inputs(),
        seqlens_k: buffers.lastPosition,
        total_sequence_length: buffers.total,
      };
      const step = rows === 1 && replay.enabled ? stepOf(into) : undefined;
      if (step === undefined) {
        const logits = await runWhole(runtime, session, embeds, rows, keep, inputs, into);
        return acceptAndRead(logits, slots, cache, keep, top).finally(() => logits.dispose());
      }
      const { logits } = buffers;
      runtime.copy([{ from: embeds, fromOffset: 0, to: buffers.embeds, toOffset: 0, count: hiddenSize }]);
      await session.run(
        { ...inputs, inputs_embeds: buffers.embeds, kept_positions: buffers.keptPosition },
        { ...into, logits },
        step,
      );
      return acceptAndRead(logits, slots, cache, keep, top);
    },
    async release() {
      for (const tensor of Object.values(buffers ?? {})) tensor.dispose();
      buffers = undefined;
      await session.release();
    },
  };

  async function acceptAndRead(
    logits: RuntimeTensor,
    slots: readonly number[],
    cache: KvCache,
    keep: number,
    top: number | undefined,
  ): Promise<Float32Array[]> {
    await cache.accept(new Map(), slots);
    return readLogits(runtime, logits, vocabSize, keep, top);
  }
}

/** Runs the graph as any other: walked by the runtime, with the logits in a new tensor [1, keep, vocab]. */
async function runWhole(
  runtime: Runtime,
  session: Session,
  embeds: RuntimeTensor,
  rows: number,
  keep: number,
  inputs: Readonly<Record<string, RuntimeTensor>>,
  into: Readonly<Record<string, RuntimeTensor>>,
): Promise<RuntimeTensor> {
  const keptPositions = runtime.upload(
    Int32Array.from({ length: keep }, (_, i) => rows - keep + i),
    [keep],
  );
  try {
    const outputs = await session.run({ ...inputs, inputs_embeds: embeds, kept_positions: keptPositions }, into);
    const logits = outputs.get("logits");
    if (!logits) throw new EngineError("bad-package", "the decoder yields no logits");
    return logits;
  } finally {
    keptPositions.dispose();
  }
}

type StepBuffers = ReturnType<typeof allocateBuffers>;

/** The inputs and outputs of a captured step, on the device. */
function allocateBuffers(runtime: Runtime, hidden: number, vocab: number) {
  return {
    embeds: runtime.allocate([1, 1, hidden]),
    logits: runtime.allocate([1, 1, vocab]),
    lastPosition: runtime.upload(Int32Array.of(0), [1]),
    total: runtime.upload(Int32Array.of(0), []),
    keptPosition: runtime.upload(Int32Array.of(0), [1]),
  };
}
