// What preparing an answer brings: time to the first token with a new picture dropped (and the question typed) two seconds before it is
// asked, and without, in turns; and what that is in decode steps.
//   node scripts/run.mjs bench/prepare.ts [package folder] [--pairs 9] [--wasm]
import { readFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { decodeImage } from "#engine/picture/decode.node.ts";
import { createEngine } from "#engine/engine.ts";
import { packageFolder } from "#engine/package-folder.node.ts";
import { createNodeRuntime } from "#engine/runtime/runtime.node.ts";
import { createWasmRuntime } from "#engine/runtime/runtime.web.ts";
import type { GenerateRequest } from "#engine/types.ts";
import { parseManifest } from "#weights/manifest.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { pairs: { type: "string", default: "9" }, wasm: { type: "boolean", default: false } },
});
const files = packageFolder(positionals[0] ?? "public/models/pocket-llava");
const parsed = parseManifest(JSON.parse(await (await files.blob("manifest.json")).text()));
if (!parsed.ok) throw new Error(parsed.problem);
const runtimeUrl = new URL("../node_modules/onnxruntime-web/dist/", import.meta.url).href;
const runtime = values.wasm ? await createWasmRuntime({ runtimeUrl }) : createNodeRuntime();
const engine = await createEngine({ runtime, files, info: parsed.manifest, decodeImage, drafts: false });

const pets = await readFile(new URL("../public/examples/pets.png", import.meta.url));
const question = "How many cats are there in this picture, and what colour is the largest of them?";
/** What comes after a PNG's end is no part of the picture, but makes another file of it. */
const newPicture = (): Blob => new Blob([pets, crypto.getRandomValues(new Uint8Array(8))]);
const request = (blob: Blob, text: string): GenerateRequest => ({
  messages: [
    {
      role: "user",
      parts: [
        { type: "image", blob },
        { type: "text", text },
      ],
    },
  ],
  sampling: { temperature: 0, topK: 0, topP: 1, minP: 0, repetitionPenalty: 1 },
  maxNewTokens: 24,
  stop: [],
});
const steps: number[] = [];
async function firstToken(blob: Blob): Promise<number> {
  for await (const event of engine.generate(request(blob, question))) {
    if (event.type !== "done") continue;
    const { timings, usage } = event;
    if (usage.newTokens > 1) steps.push(timings.decodeMs / (usage.newTokens - 1));
    return timings.firstTokenMs;
  }
  throw new Error("the answer has no end");
}
async function prepared(typed: string): Promise<number> {
  const blob = newPicture();
  const abort = new AbortController();
  const preparing = engine.prepare(request(blob, typed), abort.signal);
  await new Promise((resolve) => setTimeout(resolve, 2000));
  abort.abort();
  await preparing;
  return firstToken(blob);
}

const median = (numbers: readonly number[]): number => numbers.toSorted((a, b) => a - b)[numbers.length >> 1] ?? NaN;
await firstToken(newPicture());
const [cold, picture, typed]: number[][] = [[], [], []];
for (let pair = 0; pair < Number(values.pairs); pair++) {
  cold?.push(await firstToken(newPicture()));
  picture?.push(await prepared(""));
  typed?.push(await prepared(question));
}
const step = median(steps);
console.log(`One decode step: ${step.toFixed(1)} ms`);
for (const [name, times = []] of [
  ["nothing prepared", cold],
  ["picture dropped before", picture],
  ["picture dropped and question typed before", typed],
] as const) {
  const ratios = times.map((time, i) => time / (cold?.[i] ?? NaN));
  console.log(
    `${name}: first token after ${median(times).toFixed(1)} ms (${Math.min(...times).toFixed(1)}–${Math.max(...times).toFixed(1)}), ` +
      `${median(ratios).toFixed(3)} of nothing prepared, ${(median(times) / step).toFixed(1)} decode steps`,
  );
}
await engine.dispose();
await runtime.dispose();
