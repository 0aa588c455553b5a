// What guessing tokens brings (engine/text/drafts.ts): the same requests with and without, in turns, on this machine's CPU.
//   node scripts/run.mjs bench/drafts.ts [package folder] [--pairs 5] [--only own] [--wasm]
import { parseArgs } from "node:util";
import { readFile } from "node:fs/promises";
import { decodeImage } from "#engine/picture/decode.node.ts";
import { createEngine, type Engine } from "#engine/engine.ts";
import { packageFolder } from "#engine/package-folder.node.ts";
import { createNodeRuntime } from "#engine/runtime/runtime.node.ts";
import { createWasmRuntime } from "#engine/runtime/runtime.web.ts";
import type { GenerateRequest, Part } from "#engine/types.ts";
import { parseManifest } from "#weights/manifest.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    pairs: { type: "string", default: "5" },
    only: { type: "string", default: "" },
    wasm: { type: "boolean", default: false },
  },
});
const folder = positionals[0] ?? "public/models/pocket-llava";
const files = packageFolder(folder);
const parsed = parseManifest(JSON.parse(await (await files.blob("manifest.json")).text()));
if (!parsed.ok) throw new Error(parsed.problem);
const info = parsed.manifest;
const runtimeUrl = new URL("../node_modules/onnxruntime-web/dist/", import.meta.url).href;
const runtime = values.wasm ? await createWasmRuntime({ runtimeUrl }) : createNodeRuntime();
const open = (drafts: boolean): Promise<Engine> => createEngine({ runtime, files, info, decodeImage, drafts });
const engines = [await open(false), await open(true)] as const;

const picture = async (name: string): Promise<Part> => ({
  type: "image",
  blob: new Blob([await readFile(new URL(`../public/examples/${name}`, import.meta.url))]),
});
const [pets, sign] = [await picture("pets.png"), await picture("sign.png")];
const text =
  "The lighthouse stands at the end of a long pier. Every evening its keeper climbs one hundred and nine steps, lights the lamp, " +
  "and writes the weather, the hour and the names of the passing ships into a thick blue book.";
const code = `function total(prices) {\n  let sum = 0;\n  for (const price of prices) {\n    sum += price;\n  }\n  return sum;\n}`;
const kinds: Readonly<Record<string, readonly { readonly picture?: Part; readonly question: string }[]>> = {
  "repeats the prompt": [
    { question: `Repeat this text word for word: ${text}` },
    { question: `Rename the function to sumOf and show the whole code again:\n${code}` },
  ],
  "reads or describes a picture": [
    { picture: sign, question: "What does it say?" },
    { picture: sign, question: "Describe the picture." },
    { picture: pets, question: "Describe the picture." },
    { picture: pets, question: "How many cats are there?" },
  ],
  "says something of its own": [
    { question: "Write a short story about a fox and a river." },
    { question: "Why is the sky blue?" },
    { question: "Give me three tips for a good night's sleep." },
  ],
};

async function run(engine: Engine, { picture: shown, question }: { picture?: Part; question: string }) {
  const request: GenerateRequest = {
    messages: [{ role: "user", parts: [...(shown ? [shown] : []), { type: "text", text: question }] }],
    sampling: { temperature: 0, topK: 0, topP: 1, minP: 0, repetitionPenalty: 1 },
    maxNewTokens: 128,
    stop: [],
  };
  let said = "";
  for await (const event of engine.generate(request)) {
    if (event.type === "text") said += event.text;
    if (event.type === "done") return { said, ms: event.timings.decodeMs, tokens: event.usage.newTokens };
  }
  throw new Error("the answer has no end");
}

const median = (numbers: readonly number[]): number => numbers.toSorted((a, b) => a - b)[numbers.length >> 1] ?? NaN;

for (const [kind, requests] of Object.entries(kinds)) {
  if (!kind.includes(values.only)) continue;
  for (const one of requests) {
    const ratios: number[] = [];
    let tokens = 0;
    let same = true;
    for (const engine of engines) await run(engine, one);
    for (let pair = 0; pair < Number(values.pairs); pair++) {
      const without = await run(engines[0], one);
      const guessing = await run(engines[1], one);
      ratios.push(without.ms / guessing.ms);
      same &&= without.said === guessing.said;
      tokens = guessing.tokens;
    }
    const [low, high] = [Math.min(...ratios), Math.max(...ratios)];
    console.log(
      `${kind}: "${one.question.slice(0, 40).replaceAll("\n", " ")}" ${tokens} tokens, ` +
        `${median(ratios).toFixed(2)} × (${low.toFixed(2)}–${high.toFixed(2)}), ${same ? "the same answer" : "ANOTHER ANSWER"}`,
    );
  }
}
for (const engine of engines) await engine.dispose();
