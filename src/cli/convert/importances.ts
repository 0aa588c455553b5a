// Measures how much each input channel of a model's matrices carries: runs conversations through a temporary package whose graphs
// also yield sums of squares. The converter weights its rounding errors by them.
import { rm } from "node:fs/promises";
import { resolve } from "node:path";
import type { CheckpointFolder } from "#convert/checkpoint/folders.ts";
import { convert, type ConvertOptions, type ConvertProgress } from "#convert/convert.ts";
import { packageFolder } from "#convert/package/folder.node.ts";
import { besideTarget, cleanAtExit, removeNow } from "#convert/package/half-written.node.ts";
import { matrixOfSquares, type Importances } from "#convert/onnx/weight-ops.ts";
import { decodeImage } from "#engine/picture/decode.node.ts";
import { createGenerator } from "#engine/generate.ts";
import { loadModel } from "#engine/model/load.ts";
import { packageFolder as packageFiles } from "#engine/package-folder.node.ts";
import type { PackageInfo } from "#engine/package.ts";
import { createNodeRuntime } from "#engine/runtime/runtime.node.ts";
import type { Runtime, RuntimeTensor, Session } from "#engine/runtime/runtime.ts";
import type { Message } from "#engine/types.ts";
import type { Calibration } from "./calibration-file.ts";

export interface MeasureOptions {
  readonly from: CheckpointFolder;
  /** Where the package will be: the temporary one is written beside it, and taken away. */
  readonly beside: string;
  readonly calibration: Pick<Calibration, "count" | "entries">;
  /** Of the temporary package; 8 bits compute nearly the same in a quarter of the memory. */
  readonly bits?: 8 | 32;
  readonly more?: ConvertOptions["more"];
  readonly template?: string | undefined;
  readonly renderChat?: ConvertOptions["renderChat"];
  readonly onProgress?: ((progress: ConvertProgress) => void) | undefined;
  readonly onEntry?: ((done: number, total: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Squares of each matrix's inputs, summed over all tokens of all conversations. */
export async function measureImportances(options: MeasureOptions): Promise<Importances> {
  const { from, beside, bits = 8, more, template, renderChat, onProgress, signal } = options;
  const folder = besideTarget(resolve(beside), "calibration");
  const ended = cleanAtExit(() => removeNow(folder));
  try {
    const manifest = await convert(from, await packageFolder(folder, { force: false }), {
      bits: { vision: bits, embed: bits, decoder: bits },
      observed: true,
      more,
      template,
      renderChat,
      onProgress,
      signal,
    });
    const sums = new Map<string, Float64Array>();
    await runAll(folder, manifest, sums, options);
    const rounded = new Map(Array.from(sums, ([matrix, squares]) => [matrix, Float32Array.from(squares)]));
    return (matrix) => rounded.get(matrix);
  } finally {
    await rm(folder, { recursive: true, force: true });
    ended();
  }
}

async function runAll(
  folder: string,
  info: PackageInfo,
  sums: Map<string, Float64Array>,
  { calibration, onEntry, signal }: MeasureOptions,
): Promise<void> {
  const runtime = createNodeRuntime();
  try {
    const model = await loadModel({
      runtime: withSquares(runtime, sums),
      files: packageFiles(folder),
      info,
      memoryBudget: 0,
    });
    try {
      let done = 0;
      for await (const entry of calibration.entries()) {
        const messages = await entry.messages();
        signal?.throwIfAborted();
        // A new generator per prompt: positions found in a prefix cache would not be run, and so not measured.
        const generator = createGenerator({
          model,
          ...info.model,
          decodeImage,
          prefillChunk: 256,
          featureBytes: 2 ** 26,
        });
        try {
          // The first token is drawn and dropped: what counts is the prompt's run.
          const events = generator.generate(requestOf(messages), signal);
          while ((await events.next()).done !== true);
        } catch (cause) {
          const why = cause instanceof Error ? cause.message : String(cause);
          throw new Error(`${entry.name} can't be used: ${why}`, { cause });
        } finally {
          generator.dispose();
        }
        signal?.throwIfAborted();
        onEntry?.(++done, calibration.count);
      }
    } finally {
      await model.dispose();
    }
  } finally {
    await runtime.dispose();
  }
}

function requestOf(messages: readonly Message[]) {
  const sampling = { temperature: 0, topK: 0, topP: 1, minP: 0, repetitionPenalty: 1 };
  return { messages, sampling, maxNewTokens: 1, stop: [] };
}

/** The same runtime; what observed graphs yield of squares is added up in `sums`, and the caller never sees it. */
function withSquares(runtime: Runtime, sums: Map<string, Float64Array>): Runtime {
  return {
    ...runtime,
    async createSession(source, onDevice) {
      const session = await runtime.createSession(source, onDevice);
      return {
        ...session,
        run: (inputs, into) => runWithSquares(runtime, session, inputs, into, sums),
      };
    },
  };
}

async function runWithSquares(
  runtime: Runtime,
  session: Session,
  inputs: Readonly<Record<string, RuntimeTensor>>,
  into: Readonly<Record<string, RuntimeTensor>> | undefined,
  sums: Map<string, Float64Array>,
): Promise<Map<string, RuntimeTensor>> {
  // The last layer computes only the positions whose logits are asked for: all of them.
  const keepAll = "num_logits_to_keep" in inputs ? runtime.tensor("int64", BigInt64Array.of(0n), []) : undefined;
  const outputs = await session
    .run(keepAll ? { ...inputs, num_logits_to_keep: keepAll } : inputs, into)
    .finally(() => keepAll?.dispose());
  for (const [output, tensor] of outputs) {
    const matrix = matrixOfSquares(output);
    if (matrix === undefined) continue;
    outputs.delete(output);
    try {
      const squares = await runtime.read(tensor);
      const sum = sums.get(matrix) ?? new Float64Array(squares.length);
      sums.set(matrix, sum);
      squares.forEach((square, i) => (sum[i] = (sum[i] ?? 0) + square));
    } finally {
      tensor.dispose();
    }
  }
  return outputs;
}
