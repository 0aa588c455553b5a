// Runs what a checkpoint brings along as a program (its chat template, its tokenizer's patterns) in a thread of its own, with a limit on time
// and memory: a template can ask for a billion turns of a loop, a pattern for more time than there is.
import { createRequire } from "node:module";
import { Worker } from "node:worker_threads";
import * as v from "valibot";
import { TemplateOutOfBounds, type RenderChat } from "./chat-template.ts";
import type { TryTokenizer } from "./check-tokens.ts";

const rendering = `
const { parentPort, workerData } = require("node:worker_threads");
const { Template } = require(workerData.library);
let answer;
try {
  const template = new Template(workerData.source);
  answer = { texts: workerData.contexts.map((context) => template.render(context)) };
} catch (error) {
  answer = { problem: String(error && error.message || error) };
}
parentPort.postMessage(answer);`;

const Answer = v.union([v.object({ texts: v.array(v.string()) }), v.object({ problem: v.string() })]);

export interface RenderLimits {
  readonly ms: number;
  readonly megabytes: number;
}

/** A renderer that gives up at these limits; the time counts from the thread's start. */
export function renderChatThread({ ms, megabytes }: RenderLimits = { ms: 3000, megabytes: 128 }): RenderChat {
  const library = createRequire(import.meta.url).resolve("@huggingface/jinja");
  return async (template, contexts) => {
    const worker = new Worker(rendering, {
      eval: true,
      workerData: { library, source: template, contexts },
      resourceLimits: { maxOldGenerationSizeMb: megabytes, maxYoungGenerationSizeMb: 16 },
    });
    let timer: NodeJS.Timeout | undefined;
    try {
      const answer = await new Promise<unknown>((resolve, reject) => {
        timer = setTimeout(() => {
          reject(new TemplateOutOfBounds(`is not rendered within ${ms / 1000} s`));
        }, ms);
        worker.once("message", resolve);
        worker.once("error", (error: Error & { code?: string }) => {
          const full = error.code === "ERR_WORKER_OUT_OF_MEMORY";
          reject(full ? new TemplateOutOfBounds(`takes more than ${megabytes} MB to render`) : error);
        });
      });
      const parsed = v.parse(Answer, answer);
      if ("problem" in parsed) throw new Error(parsed.problem);
      return parsed.texts;
    } finally {
      clearTimeout(timer);
      await worker.terminate();
    }
  };
}

const encoding = `
const { parentPort, workerData } = require("node:worker_threads");
const { Tokenizer } = require(workerData.library);
let tokenizer;
try {
  tokenizer = new Tokenizer(workerData.tokenizer, {});
} catch {}
parentPort.postMessage("ready");
for (const text of workerData.texts) {
  try {
    tokenizer?.encode(text);
  } catch {}
  parentPort.postMessage("next");
}
parentPort.postMessage("done");`;

/** Runs a tokenizer on texts, with a time limit for each. Files that are no tokenizer at all are reported elsewhere. */
export function tokenizerThread(ms = 2000): TryTokenizer {
  const library = createRequire(import.meta.url).resolve("@huggingface/tokenizers");
  return async (tokenizer, texts) => {
    const worker = new Worker(encoding, { eval: true, workerData: { library, tokenizer, texts } });
    let timer: NodeJS.Timeout | undefined;
    let at = 0;
    try {
      await new Promise<void>((resolve, reject) => {
        worker.on("message", (message: unknown) => {
          clearTimeout(timer);
          if (message === "done") {
            resolve();
            return;
          }
          if (message === "next") at++;
          const text = (texts[at] ?? "").slice(0, 10);
          timer = setTimeout(() => {
            reject(new Error(`does not split "${text}…" within ${ms / 1000} s`));
          }, ms);
        });
        worker.once("error", reject);
      });
    } finally {
      clearTimeout(timer);
      await worker.terminate();
    }
  };
}
