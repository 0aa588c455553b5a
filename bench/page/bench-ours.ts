// The worker in which the bench page runs this project's engine.
import { expose, transfer } from "comlink";
import { decodeImage } from "#engine/picture/decode.web.ts";
import { createEngine, type Engine } from "#engine/engine.ts";
import { openEmbed } from "#engine/model/kernel-load.ts";
import { probeGpu } from "#engine/runtime/gpu.web.ts";
import { createWasmRuntime, createWebGpuRuntime } from "#engine/runtime/runtime.web.ts";
import type { Runtime } from "#engine/runtime/runtime.ts";
import { createIdbFeatures } from "#weights/store/features.web.ts";
import { startGpuMeter } from "../gpu-meter.ts";
import { engineSystem, type Split } from "../systems/ours.ts";
import type { OursApi } from "./api.ts";
import { watchMemory } from "./memory.ts";
import { fetchPackage, type ServedPackage } from "./package.ts";

interface Running {
  readonly engine: Engine;
  readonly runtime: Runtime;
  readonly served: ServedPackage;
  readonly longestAnswer: number;
}
let running: Running | undefined;
const meter = startGpuMeter();
const memory = watchMemory(meter);

function loaded(): Running {
  if (!running) throw new Error("nothing is loaded");
  return running;
}

const api: OursApi = {
  async load({ packageUrl, runtimeUrl, device, longestAnswer, keepFeatures = false }) {
    const served = await fetchPackage(packageUrl);
    const began = performance.now();
    const probe = device === "wasm" ? undefined : await probeGpu();
    const gpu = probe?.kind === "adapter" && (device === "webgpu" || !probe.software) ? probe : undefined;
    if (device === "webgpu" && !gpu) throw new Error("WebGPU was asked for, and there is no adapter");
    const runtime = gpu ? await createWebGpuRuntime(gpu, { runtimeUrl }) : await createWasmRuntime({ runtimeUrl });
    const keptFeatures = keepFeatures ? createIdbFeatures().open("bench", device) : undefined;
    const engine = await createEngine({ runtime, files: served.files, info: served.info, decodeImage, keptFeatures });
    // As the app does before it answers; recorded steps depend on it.
    if ((await engine.selfTest())?.ok === false) throw new Error("this device computes wrong numbers");
    running = { engine, runtime, served, longestAnswer };
    return {
      loadMs: performance.now() - began,
      fetchMs: served.fetchMs,
      device: runtime.device,
      adapter: runtime.adapter,
      threads: runtime.threads,
      model: served.info.model.name,
      contextLength: engine.contextLength,
    };
  },
  async ask(messages) {
    const { engine, longestAnswer } = loaded();
    let split: Split | undefined;
    const found = await engineSystem(engine, longestAnswer, { meter, onSplit: (told) => (split = told) })(messages);
    return found && { ...found, split };
  },
  memory: () => Promise.resolve(memory()),
  async embeddings() {
    const { served } = loaded();
    // Without the runtime, which would leave its memory among what this engine is said to hold.
    const table = await openEmbed(served.info.graphs.embed, served.files);
    if (!table) return undefined;
    const tokens = await tokenCount(served);
    const values = table.rows(Array.from({ length: tokens }, (_, id) => id));
    return transfer({ values, tokens, hidden: values.length / tokens }, [values.buffer]);
  },
};

async function tokenCount({ files }: ServedPackage): Promise<number> {
  const config: unknown = JSON.parse(await (await files.blob("config.json")).text());
  const text =
    typeof config === "object" && config !== null && "text_config" in config ? config.text_config : undefined;
  if (typeof text === "object" && text !== null && "vocab_size" in text && typeof text.vocab_size === "number")
    return text.vocab_size;
  throw new Error("config.json does not say how many tokens there are");
}

expose(api);
