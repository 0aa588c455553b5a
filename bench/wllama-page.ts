// Runs in a page of its own, which the wllama bench opens: this engine's worker out of the built app, and wllama on the same weights. wllama starts its
// workers from blobs, which the app's own policy does not allow, so it is no part of the page /bench.
import { Wllama } from "@wllama/wllama/esm/index.js";
import { wrap } from "comlink";
import { renderPrompt } from "#engine/prompt.ts";
import type { Message } from "#engine/types.ts";
import { ggufOf } from "./gguf-of-package.ts";
import { Clock } from "./clock.ts";
import type { Loaded, OursApi } from "./page/api.ts";
import { fetchPackage } from "./page/package.ts";
import { runPlan, type PlanSize, type Row } from "./plan.ts";

export interface WllamaRequest extends PlanSize {
  /** Addresses relative to the page. */
  readonly worker: string;
  readonly packageUrl: string;
  readonly runtimeUrl: string;
  readonly wasmUrl: string;
  readonly longestAnswer: number;
}

export interface WllamaReport {
  readonly ours: Loaded;
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
  const weights = await ggufOf(served);
  const began = performance.now();
  const wllama = new Wllama({ default: at(request.wasmUrl) }, { suppressNativeLog: true });
  await wllama.loadModel([weights], {
    n_ctx: Math.min(served.info.model.contextLength, Math.max(512, ...request.contexts) + longestAnswer + 128),
    n_threads: loaded.threads,
    n_gpu_layers: 0,
  });
  const loadMs = performance.now() - began;
  const { template } = served.info.model;
  const plain = { template, chatTemplate: undefined, bosToken: "", eosToken: "", defuse: (words: string) => words };
  const rows = await runPlan(
    {
      ours: (messages) => ours.ask(messages),
      peers: {
        wllama: async (messages: readonly Message[]) => {
          const clock = new Clock();
          const { text, images, stop } = renderPrompt(messages, plain);
          if (images.length > 0) return undefined;
          let answer = "";
          await wllama.createCompletion({
            prompt: text.replace(/^<s>/, ""), // it begins with that token itself
            max_tokens: longestAnswer,
            temperature: 0,
            stop: [...stop],
            stream: true,
            onData: ({ choices }) => {
              clock.tick();
              answer += choices[0]?.text ?? "";
            },
          });
          return clock.told(answer);
        },
      },
    },
    new Blob(),
    { ...request, pictures: false },
    (done, of) => (document.title = `${done} of ${of}`),
  );
  return {
    ours: loaded,
    wllama: { loadMs, threads: wllama.getNumThreads(), version: Wllama.getLibllamaVersion() },
    rows,
  };
};
document.body.textContent = "ready";
