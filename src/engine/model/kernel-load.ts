// Opens a package's graphs on this project's own kernels, where they take the graph and there is memory for it.
import { loadEmbed, planEmbed, type EmbedTable } from "#engine/kernel/embed-table.ts";
import { EngineError } from "#engine/errors.ts";
import type { KernelHelpers, WeightFiles } from "#engine/kernel/memory.ts";
import { loadLlama, type Llama, type LlamaOptions } from "#engine/kernel/llama.ts";
import { planLlama } from "#engine/kernel/llama-plan.ts";
import { readOnnx, type OnnxGraph } from "#formats/onnx-reader.ts";
import type { GraphFiles } from "#engine/package.ts";
import type { PackageFiles } from "#engine/types.ts";
import { planVision } from "#engine/kernel/vision-plan.ts";
import { fitsKernel, loadTower, type VisionTower } from "#engine/kernel/vision.ts";

/** The decoder's layers; undefined where the kernel does not take the graph, or a WebAssembly memory does not hold its weights. */
export function openLlama(
  graph: GraphFiles,
  files: PackageFiles,
  options: Pick<LlamaOptions, "contextLength" | "helpers" | "lora">,
): Promise<Llama | undefined> {
  return open(graph, files, (onnx, from) => {
    const plan = planLlama(onnx);
    return plan && loadLlama({ plan, ...options, ...from });
  });
}

/** The vision tower, for pictures of `image` × `image` pixels; undefined likewise. */
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

/** The embedding table; undefined likewise. */
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
