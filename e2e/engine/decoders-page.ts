// Runs a decoder on the browser's GPU and on WASM's kernel, and compares their logits. Bundled by the test that opens it; no part of the app.
import { decodeLast } from "#engine/decoder/decoder.ts";
import { loadModel } from "#engine/model/load.ts";
import type { PackageInfo } from "#engine/package.ts";
import { probeGpu } from "#engine/runtime/gpu.web.ts";
import { createWasmRuntime, createWebGpuRuntime } from "#engine/runtime/runtime.web.ts";
import type { Runtime } from "#engine/runtime/runtime.ts";
import { servedFiles } from "#testing/served-files.ts";

interface Compared {
  /** Largest difference after the prompt and each step, in parts of the logits' root mean square. */
  readonly differences: readonly number[];
  readonly onKernel: boolean;
  /** Whether the GPU has a graph whose steps can be recorded. */
  readonly recorded: boolean;
  readonly leaked: number;
}

declare global {
  interface Window {
    compareDecoders: (runtimeUrl: string, info: PackageInfo) => Promise<Compared>;
  }
}

const files = servedFiles(new URL("shaped/", document.baseURI));
/** Rows of each run; steps of one row from the fifth on are recorded where that can be. */
const runs = [100, 1, 5, 1, 1, 1, 1];
const plainRuns = 4;

/** The logits after each run, over the same embeddings on every runtime. */
async function logitsOf(runtime: Runtime, info: PackageInfo) {
  const model = await loadModel({ runtime, files, info, memoryBudget: 0 });
  const { decoder, config } = model;
  const cache = decoder.createCache(info.model.contextLength);
  const logits: Float32Array[] = [];
  let at = 0;
  for (const [i, rows] of runs.entries()) {
    if (i === plainRuns) {
      // A GPU whose steps can't be recorded has nothing more to show.
      if (!decoder.replay && !model.ownKernel) break;
      if (decoder.replay) decoder.replay.enabled = true;
    }
    const embeds = Float32Array.from(
      { length: rows * config.hiddenSize },
      (_, j) => Math.sin((at + 1) * 12.9898 + j * 78.233) * 2,
    );
    at += rows;
    const tensor = decoder.replay
      ? runtime.upload(embeds, [1, rows, config.hiddenSize])
      : runtime.tensor("float32", embeds, [1, rows, config.hiddenSize]);
    const slots = Array.from({ length: rows }, (_, j) => cache.slots.length + j);
    logits.push(await decodeLast(decoder, tensor, slots, cache));
    tensor.dispose();
  }
  const found = { logits, onKernel: model.ownKernel, recorded: decoder.replay !== undefined };
  cache.dispose();
  await model.dispose();
  const leaked = runtime.aliveTensors;
  await runtime.dispose();
  return { ...found, leaked };
}

window.compareDecoders = async (runtimeUrl, info) => {
  const probe = await probeGpu();
  if (probe.kind !== "adapter") throw new Error("no GPU");
  const gpu = await logitsOf(await createWebGpuRuntime(probe, { runtimeUrl }), info);
  const wasm = await logitsOf(await createWasmRuntime({ runtimeUrl }), info);
  const differences = gpu.logits.map((row, i) => {
    const other = wasm.logits[i] ?? new Float32Array();
    const rms = Math.sqrt(other.reduce((sum, value) => sum + value * value, 0) / other.length);
    return row.reduce((most, value, j) => Math.max(most, Math.abs(value - (other[j] ?? NaN))), 0) / rms;
  });
  return { differences, onKernel: wasm.onKernel, recorded: gpu.recorded, leaked: gpu.leaked + wasm.leaked };
};
document.body.textContent = "ready";
