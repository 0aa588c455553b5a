// npm run bench -- gguf --model <SmolLM2-135M-Instruct.Q4_1.gguf> [--tokens 48] [--threads 1] [--keep <folder>]: a real GGUF file, converted with its blocks kept, beside
// llama.cpp (wllama) on the same file: greedy ids of 20 prompts, and what the model finds likeliest given llama.cpp's ids before. Then what
// quantizing its weights anew costs, as KL from 32 bits over the same positions. The file: see bench/weights/make-smollm.py.
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { chromium } from "@playwright/test";
import { convert, type ConvertOptions } from "#convert/convert.ts";
import { checkpointFolder, packageFolder } from "#convert/package/folder.node.ts";
import type { CheckpointFolder } from "#convert/checkpoint/folders.ts";
import { loadModel } from "#engine/model/load.ts";
import type { Model } from "#engine/model/model.ts";
import { packageFolder as packageFiles } from "#engine/package-folder.node.ts";
import { createNodeRuntime } from "#engine/runtime/runtime.node.ts";
import { packageBytes } from "#weights/manifest.ts";
import { bundle } from "../../e2e/support/bundle.ts";
import { distance, type Rows } from "../quantization/runs.ts";
import { calibrationQuestions, testQuestions } from "../quantization/questions.ts";
import { serveBench } from "../serve.ts";
import { blindTower } from "./blind-tower.ts";
import type { LlamaCppAnswer } from "./llama-cpp-page.ts";

const { values: flags } = parseArgs({
  options: {
    model: { type: "string" },
    tokens: { type: "string", default: "48" },
    threads: { type: "string", default: "1" },
    keep: { type: "string" },
  },
});
if (flags.model === undefined) throw new Error("name SmolLM2's GGUF file with --model");
const model = resolve(flags.model);
const work = flags.keep ?? (await mkdtemp(join(tmpdir(), "llava-gguf-")));
await mkdir(work, { recursive: true });
const say = (text: string) => process.stdout.write(`${text}\n`);
const note = (text: string) => process.stderr.write(`${text}\n`);

const questions = [...testQuestions, ...calibrationQuestions].slice(0, 20);
const prompts = questions.map((text) => `<|im_start|>user\n${text}<|im_end|>\n<|im_start|>assistant\n`);

/** The model with a tower that sees nothing, as one folder. */
async function source(): Promise<CheckpointFolder> {
  const mmproj = join(work, "mmproj.gguf");
  await writeFile(mmproj, new Uint8Array(await blindTower(576).arrayBuffer()));
  const place = (path: string): string => (path === "mmproj.gguf" ? mmproj : join(dirname(model), path));
  return {
    name: "SmolLM2-135M",
    open: (path) => checkpointFolder(dirname(place(path))).open(basename(place(path))),
  };
}

async function ofLlamaCpp(): Promise<readonly LlamaCppAnswer[]> {
  const server = await serveBench({
    dist: work,
    headers: {
      "cross-origin-opener-policy": "same-origin",
      "cross-origin-embedder-policy": "require-corp",
      "cross-origin-resource-policy": "same-origin",
    },
    own: {
      "page.html": {
        type: "text/html",
        text: '<!doctype html><title>llama.cpp</title><body></body><script type="module" src="page.js"></script>',
      },
      "page.js": {
        type: "text/javascript",
        text: await bundle(fileURLToPath(new URL("llama-cpp-page.ts", import.meta.url))),
      },
      "wllama.wasm": {
        type: "application/wasm",
        file: createRequire(import.meta.url).resolve("@wllama/wllama/esm/wasm/wllama.wasm"),
      },
      "model.gguf": { type: "application/octet-stream", file: model },
    },
  });
  const executablePath = process.env["CHROMIUM_PATH"];
  const browser = await chromium.launch({
    args: ["--no-sandbox", "--disable-background-networking"],
    ...(executablePath === undefined ? {} : { executablePath }),
  });
  try {
    const page = await browser.newPage();
    page.on("pageerror", (error) => console.error(error.message));
    page.on("console", (message) => note(message.text()));
    await page.goto(`${server.url}page.html`);
    await page.waitForFunction(() => document.body.textContent === "ready");
    page.setDefaultTimeout(0);
    return await page.evaluate((request) => window.answerAll(request), {
      modelUrl: "model.gguf",
      wasmUrl: "wllama.wasm",
      prompts,
      tokens: Number(flags.tokens),
      threads: Number(flags.threads),
    });
  } finally {
    await browser.close();
    await server.stop();
  }
}

interface Seen {
  readonly promptTokens: readonly number[];
  /** Per prompt, the logits before each token of llama.cpp's answer. */
  readonly rows: readonly Rows[];
  readonly bytes: number;
  readonly vocab: number;
}

async function ofPackage(
  from: CheckpointFolder,
  name: string,
  options: Pick<ConvertOptions, "bits" | "keep" | "scheme">,
  answers: readonly LlamaCppAnswer[],
): Promise<Seen> {
  const folder = join(work, name);
  const more = { gguf: [basename(model), "mmproj.gguf"] };
  const info = await convert(from, await packageFolder(folder, { force: true }), {
    ...options,
    more,
    template: "qwen_1_5",
  });
  const runtime = createNodeRuntime({ threads: Number(flags.threads) });
  const loaded = await loadModel({ runtime, files: packageFiles(folder), info, memoryBudget: 0 });
  const vocab = loaded.config.vocabSize;
  const seen = { promptTokens: new Array<number>(), rows: new Array<Rows>() };
  for (const [i, { ids }] of answers.entries()) {
    const prompt = loaded.tokenizer.encode(prompts[i] ?? "");
    seen.promptTokens.push(prompt.length);
    seen.rows.push(await forced(loaded, prompt, ids));
    note(`${name}: ${i + 1} of ${answers.length}`);
  }
  await loaded.dispose();
  await runtime.dispose();
  return { ...seen, bytes: packageBytes(info), vocab };
}

/** Logits before each of the ids, given those before. */
async function forced(model: Model, prompt: readonly number[], ids: readonly number[]): Promise<Rows> {
  const { decoder, config } = model;
  const cache = decoder.createCache(1024);
  const all = [...prompt, ...ids.slice(0, -1)];
  const embeds = await model.embed(all);
  const logits = await decoder.run(embeds, all, cache, ids.length);
  embeds.dispose();
  cache.dispose();
  const rows = new Float32Array(ids.length * config.vocabSize);
  logits.forEach((row, i) => rows.set(row, i * config.vocabSize));
  return rows;
}

function likeliest(logits: Float32Array): number {
  return logits.reduce((best, value, i) => (value > (logits[best] ?? -Infinity) ? i : best), 0);
}

/** How the kept package's choices lie beside llama.cpp's. */
function compare({ rows, promptTokens, vocab }: Seen, answers: readonly LlamaCppAnswer[]): void {
  let [same, positions, whole] = [0, 0, 0];
  answers.forEach(({ ids, margins, promptTokens: theirs }, i) => {
    if (theirs !== promptTokens[i])
      throw new Error(`prompt ${i}: ${promptTokens[i]} tokens here, ${theirs} in llama.cpp`);
    const before = same;
    ids.forEach((id, at) => {
      const row = rows[i]?.subarray(at * vocab, (at + 1) * vocab) ?? new Float32Array(vocab);
      const own = likeliest(row);
      positions++;
      if (own === id) {
        same++;
        return;
      }
      const gap = (row[own] ?? 0) - (row[id] ?? 0);
      say(
        `  prompt ${i}, token ${at}: here ${own} by ${gap.toFixed(3)} nats, llama.cpp ${id} by ${(margins[at] ?? 0).toFixed(3)}`,
      );
    });
    // Two engines that choose alike after the same tokens write the same answer.
    if (same - before === ids.length) whole++;
  });
  say(`greedy answers equal to the end: ${whole} of ${answers.length}`);
  say(`likeliest token equal, given llama.cpp's tokens before: ${same} of ${positions}`);
}

const from = await source();
const answers = await ofLlamaCpp();
const exact = { vision: 32, embed: 32, decoder: 32 } as const;
const coarse = { vision: 8, embed: 8, decoder: 4 } as const;
const none = { vision: false, embed: false, decoder: false };
const kept = await ofPackage(from, "kept", { bits: coarse }, answers);
compare(kept, answers);
const some = answers.slice(0, 8);
const reference = await ofPackage(from, "f32", { bits: exact, keep: none }, some);
say("\n| Weights | KL from 32 bits | Same token | Package |\n| --- | --- | --- | --- |");
const row = ({ rows, vocab, bytes }: Seen, name: string): void => {
  const { kl, same } = distance(reference.rows, rows.slice(0, some.length), vocab);
  say(`| ${name} | ${kl.toFixed(5)} | ${(100 * same).toFixed(1)} % | ${(bytes / 1e6).toFixed(0)} MB |`);
};
row(kept, "kept");
row(await ofPackage(from, "q8", { bits: { ...coarse, decoder: 8 }, keep: none }, some), "anew at 8 bits");
row(await ofPackage(from, "q4", { bits: coarse, keep: none }, some), "anew at 4 bits");
if (flags.keep === undefined) await rm(work, { recursive: true });
