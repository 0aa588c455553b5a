// Runs the package in the built-in model's place on the browser's GPU or on WASM and counts what tokens ask of the GPU. Bundled by the test that
// opens it; no part of the app.
import { startGpuMeter } from "../../bench/gpu-meter.ts";
import { decodeImage } from "#engine/picture/decode.web.ts";
import { createEngine } from "#engine/engine.ts";
import { probeGpu } from "#engine/runtime/gpu.web.ts";
import { createWasmRuntime, createWebGpuRuntime } from "#engine/runtime/runtime.web.ts";
import { servedFiles } from "#testing/served-files.ts";
import { parseManifest } from "#weights/manifest.ts";

export interface Answered {
  readonly text: string;
  readonly promptTokens: number;
  /** GPU buffers made for each token after the first. */
  readonly buffers: readonly number[];
  /** Tensors that outlive their engine. */
  readonly leaked: number;
}

declare global {
  interface Window {
    /** Greedy answer to a text, after the self-test. */
    answer: (runtimeUrl: string, device: "webgpu" | "wasm", question: string, tokens: number) => Promise<Answered>;
  }
}

const meter = startGpuMeter();
const files = servedFiles(new URL("models/pocket-llava/", document.baseURI));

window.answer = async (runtimeUrl, device, question, tokens) => {
  const parsed = parseManifest(JSON.parse(await (await files.blob("manifest.json")).text()));
  const probe = await probeGpu();
  if (!parsed.ok || probe.kind !== "adapter" || !meter) throw new Error("no package, or no GPU");
  const runtime = await (device === "wasm"
    ? createWasmRuntime({ runtimeUrl })
    : createWebGpuRuntime(probe, { runtimeUrl }));
  const engine = await createEngine({ runtime, files, info: parsed.manifest, decodeImage, drafts: false });
  if ((await engine.selfTest())?.ok !== true) throw new Error("the self-test failed");
  const buffers: number[] = [];
  let text = "";
  let promptTokens = 0;
  let made = meter().buffers;
  const sampling = { temperature: 0, topK: 0, topP: 1, minP: 0, repetitionPenalty: 1 };
  const messages = [{ role: "user" as const, parts: [{ type: "text" as const, text: question }] }];
  for await (const event of engine.generate({ messages, sampling, maxNewTokens: tokens, stop: [] })) {
    if (event.type === "text") text += event.text;
    if (event.type === "done") promptTokens = event.usage.promptTokens;
    if (event.type === "text" || (event.type === "stage" && event.stage === "decode")) {
      buffers.push(meter().buffers - made);
      made = meter().buffers;
    }
  }
  await engine.dispose();
  const leaked = runtime.aliveTensors;
  await runtime.dispose();
  return { text, promptTokens, buffers: buffers.slice(1), leaked };
};
document.body.textContent = "ready";
