// Runs in a page that bench/gguf/smollm.ts opens: llama.cpp (wllama) answers prompts from a GGUF file, greedily.
import { Wllama } from "@wllama/wllama/esm/index.js";
import * as v from "valibot";

interface LlamaCppRequest {
  /** Addresses relative to the page. */
  readonly modelUrl: string;
  readonly wasmUrl: string;
  readonly prompts: readonly string[];
  readonly tokens: number;
  readonly threads: number;
}

export interface LlamaCppAnswer {
  readonly promptTokens: number;
  readonly ids: readonly number[];
  /** For each token, how much likelier it was than the next, in nats. */
  readonly margins: readonly number[];
}

declare global {
  interface Window {
    answerAll: (request: LlamaCppRequest) => Promise<readonly LlamaCppAnswer[]>;
  }
}

const Token = v.object({ id: v.number(), logprob: v.number() });
const Choice = v.object({
  logprobs: v.object({ content: v.array(v.object({ ...Token.entries, top_logprobs: v.array(Token) })) }),
});

window.answerAll = async ({ modelUrl, wasmUrl, prompts, tokens, threads }) => {
  const at = (path: string): string => new URL(path, document.baseURI).href;
  const model = await (await fetch(at(modelUrl))).blob();
  const wllama = new Wllama({ default: at(wasmUrl) }, { suppressNativeLog: true });
  await wllama.loadModel([model], { n_ctx: 1024, n_threads: threads, n_gpu_layers: 0 });
  const answers: LlamaCppAnswer[] = [];
  for (const prompt of prompts) {
    const response = await wllama.createCompletion({
      prompt,
      max_tokens: tokens,
      temperature: 0,
      logprobs: 2,
      stream: false,
    });
    const { content } = v.parse(Choice, response.choices[0]).logprobs;
    answers.push({
      promptTokens: response.usage.prompt_tokens,
      ids: content.map(({ id }) => id),
      margins: content.map(
        ({ top_logprobs: [first, second] }) => (first?.logprob ?? 0) - (second?.logprob ?? -Infinity),
      ),
    });
    console.log(`llama.cpp: ${answers.length} of ${prompts.length}`);
  }
  await wllama.exit();
  return answers;
};
document.body.textContent = "ready";
