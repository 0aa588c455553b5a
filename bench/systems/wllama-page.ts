// Runs in a page of its own, which the wllama bench opens: this engine's worker out of the built app, and wllama on the same weights. wllama starts its
// workers from blobs, which the app's own policy does not allow, so it is no part of the page /bench.
import { Wllama } from "@wllama/wllama/esm/index.js";
import { wrap } from "comlink";
import { ggufOf } from "../gguf/gguf-of-package.ts";
import { mmprojOf } from "../gguf/mmproj-of-package.ts";
import type { Loaded, OursApi } from "../page/api.ts";
import { fetchPackage } from "../page/package.ts";
import { runPlan, type PlanSize, type Row } from "../plan.ts";
import { joinedParts, wllamaSystem } from "./wllama-system.ts";

export interface WllamaRequest extends PlanSize {
  /** Addresses relative to the page. */
  readonly worker: string;
  readonly packageUrl: string;
  readonly runtimeUrl: string;
  readonly wasmUrl: string;
  readonly pictureUrl: string;
  readonly longestAnswer: number;
}

export interface WllamaReport {
  readonly ours: Loaded;
  /** False where llama.cpp has no vision tower of this package's kind. */
  readonly pictures: boolean;
  readonly wllama: { readonly loadMs: number; readonly threads: number; readonly version: string };
  readonly rows: readonly Row[];
}

declare global {
  interface Window {
    runBench: (request: WllamaRequest) => Promise<WllamaReport>;
  }
}

window.runBench = async ({ worker, longestAnswer, ...request }) => {
  const at = (path: string): string => new URL(path, document.baseURI).href;
  const packageUrl = at(request.packageUrl);
  const ours = wrap<OursApi>(new Worker(at(worker), { type: "module" }));
  const loaded = await ours.load({ packageUrl, runtimeUrl: at(request.runtimeUrl), device: "wasm", longestAnswer });
  const served = await fetchPackage(packageUrl);
  const { contextLength, imageTokens, template } = served.info.model;
  const tower = request.pictures === false ? undefined : await mmprojOf(served);
  const weights = [await ggufOf(served), ...(tower === undefined ? [] : [tower])];
  const began = performance.now();
  const wllama = new Wllama({ default: at(request.wasmUrl) }, { suppressNativeLog: true });
  await wllama.loadModel(weights, {
    n_ctx: Math.min(contextLength, Math.max(512, imageTokens + 128, ...request.contexts) + longestAnswer + 128),
    n_threads: loaded.threads,
    n_gpu_layers: 0,
    chat_template: joinedParts,
    jinja: true,
    skip_chat_parsing: true, // no answer calls a tool
  });
  const loadMs = performance.now() - began;
  const rows = await runPlan(
    {
      ours: (messages) => ours.ask(messages),
      peers: { wllama: wllamaSystem(wllama, template, longestAnswer) },
    },
    await (await fetch(at(request.pictureUrl))).blob(),
    { ...request, pictures: tower !== undefined },
    (done, of) => (document.title = `${done} of ${of}`),
  );
  return {
    ours: loaded,
    pictures: tower !== undefined,
    wllama: { loadMs, threads: wllama.getNumThreads(), version: Wllama.getLibllamaVersion() },
    rows,
  };
};
document.body.textContent = "ready";
