// From a package's graphs to this project's own kernels, where a graph is one that they compute and memory allows.
import { loadEmbed, planEmbed, type EmbedTable } from "#engine/kernel/embed-table.ts";
import { EngineError } from "#engine/errors.ts";
import type { KernelHelpers, WeightFiles } from "#engine/kernel/memory.ts";
import { loadLlama, type Llama } from "#engine/kernel/llama.ts";
import { planLlama } from "#engine/kernel/llama-plan.ts";
import { readOnnx, type OnnxGraph } from "#formats/onnx-reader.ts";
import type { GraphFiles } from "#engine/package.ts";
import type { PackageFiles } from "#engine/types.ts";
import { planVision } from "#engine/kernel/vision-plan.ts";
import { fitsKernel, loadTower, type VisionTower } from "#engine/kernel/vision.ts";

/** Undefined where the runtime has to run the graph: it computes something else, or its weights do not fit a WebAssembly memory. */
export function openLlama(
  graph: GraphFiles,
  files: PackageFiles,
  contextLength: number,
  helpers: KernelHelpers | undefined,
): Promise<Llama | undefined> {
  return open(graph, files, (onnx, from) => {
    const plan = planLlama(onnx);
    return plan && loadLlama({ plan, contextLength, helpers, ...from });
  });
}

/** The same of a vision graph for pictures of `image` × `image` pixels. */
export function openTower(
  graph: GraphFiles,
  files: PackageFiles,
  image: number,
  helpers: KernelHelpers | undefined,
): Promise<VisionTower | undefined> {
  return open(graph, files, (onnx, from) => {
    const plan = planVision(onnx);
    return plan && fitsKernel(plan, image) ? loadTower({ plan, image, helpers, ...from }) : undefined;
  });
}

/** The same of the graph that looks up embeddings. */
export function openEmbed(graph: GraphFiles, files: PackageFiles): Promise<EmbedTable | undefined> {
  return open(graph, files, (onnx, from) => {
    const plan = planEmbed(onnx);
    return plan && loadEmbed(plan, from);
  });
}

async function open<T>(
  graph: GraphFiles,
  files: PackageFiles,
  load: (onnx: OnnxGraph, from: WeightFiles) => Promise<T> | undefined,
): Promise<T | undefined> {
  if (graph.bits !== 4 && graph.bits !== 8) return undefined;
  const onnx = readOnnx(new Uint8Array(await (await files.blob(graph.path)).arrayBuffer()));
  const folder = graph.path.slice(0, graph.path.lastIndexOf("/") + 1);
  try {
    return await load(onnx, { files, pathOf: (file) => folder + file });
  } catch (error) {
    if (error instanceof EngineError && error.code === "out-of-memory") return undefined;
    throw error;
  }
}
