// From a package's decoder graph to a decoder on this project's own kernel, where the graph is one that it computes and memory allows.
import { EngineError } from "./errors.ts";
import type { KernelHelpers } from "./kernel-memory.ts";
import { loadLlama, type LlamaDecoder } from "./llama-decoder.ts";
import { planLlama } from "./llama-plan.ts";
import { readOnnx } from "./onnx-reader.ts";
import type { GraphFiles } from "./package.ts";
import type { PackageFiles } from "./types.ts";

/** Undefined where the runtime has to run the graph: it computes something else, or its weights do not fit a WebAssembly memory. */
export async function openLlama(
  graph: GraphFiles,
  files: PackageFiles,
  contextLength: number,
  helpers: KernelHelpers | undefined,
): Promise<LlamaDecoder | undefined> {
  if (graph.bits !== 4 && graph.bits !== 8) return undefined;
  const plan = planLlama(readOnnx(new Uint8Array(await (await files.blob(graph.path)).arrayBuffer())));
  if (!plan) return undefined;
  const folder = graph.path.slice(0, graph.path.lastIndexOf("/") + 1);
  try {
    return await loadLlama({ plan, pathOf: (file) => folder + file, files, contextLength, helpers });
  } catch (error) {
    if (error instanceof EngineError && error.code === "out-of-memory") return undefined;
    throw error;
  }
}
