// This engine beside transformers.js's generate() in Node, on the same package, both on onnxruntime-node: the same pictures and questions in turns.
//   npm run bench -- node [--model <package folder>] [--pairs 5] [--json <file>]
import { readFile, writeFile } from "node:fs/promises";
import { cpus } from "node:os";
import { basename, dirname, resolve } from "node:path";
import { parseArgs } from "node:util";
import { env } from "@huggingface/transformers";
import { decodeImage } from "#engine/decode.node.ts";
import { createEngine, type Engine } from "#engine/engine.ts";
import { packageFolder } from "#engine/package-folder.node.ts";
import { createNodeRuntime } from "#engine/runtime.node.ts";
import type { GenerateRequest, Message } from "#engine/types.ts";
import { parseManifest, type Manifest } from "#weights/manifest.ts";
import { librarySystem, openLibrary } from "./library.ts";
import { compare, firstDifference, inTurns, type Compared, type System } from "./measure.ts";

const { values: flags } = parseArgs({
  options: {
    model: { type: "string", default: "public/models/pocket-llava" },
    pairs: { type: "string", default: "5" },
    json: { type: "string" },
    "no-drafts": { type: "boolean", default: false },
  },
});
const folder = resolve(flags.model);
const pairs = Number(flags.pairs);
const longestAnswer = 64;

async function readManifest(): Promise<Manifest> {
  const parsed = parseManifest(JSON.parse(await readFile(`${folder}/manifest.json`, "utf8")));
  if (!parsed.ok) throw new Error(parsed.problem);
  return parsed.manifest;
}

const requestOf = (messages: readonly Message[]): GenerateRequest => ({
  messages,
  sampling: { temperature: 0, topK: 0, topP: 1, minP: 0, repetitionPenalty: 1 },
  maxNewTokens: longestAnswer,
  stop: [],
});

const engineSystem =
  (engine: Engine): System<readonly Message[]> =>
  async (messages) => {
    let text = "";
    for await (const event of engine.generate(requestOf(messages))) {
      if (event.type === "text") text += event.text;
      if (event.type === "done") {
        const { usage, timings } = event;
        // Every token counts, also the one that ends the answer.
        const rate = usage.newTokens < 2 ? NaN : ((usage.newTokens - 1) / timings.decodeMs) * 1000;
        return { text, tokens: usage.newTokens, firstTokenMs: timings.firstTokenMs, decodeRate: rate };
      }
    }
    throw new Error("the answer has no end");
  };

const pets = await readFile(new URL("../public/examples/pets.png", import.meta.url));
let made = 0;
/** The same picture as a file that nobody has seen. */
const freshPicture = (): Message["parts"][number] => ({
  type: "image",
  blob: new Blob([pets, new TextEncoder().encode(`#${made++}`)]),
});
const user = (text: string, ...parts: Message["parts"]): Message => ({
  role: "user",
  parts: [...parts, { type: "text", text }],
});
const assistant = (text: string): Message => ({ role: "assistant", parts: [{ type: "text", text }] });
const times = <T>(make: (i: number) => T): T[] => Array.from({ length: pairs + 1 }, (_, i) => make(i));

const info = await readManifest();
const loadBegan = performance.now();
const engine = await createEngine({
  runtime: createNodeRuntime(),
  files: packageFolder(folder),
  info,
  decodeImage,
  drafts: !flags["no-drafts"],
});
const loadedOurs = performance.now();
env.allowRemoteModels = false;
env.allowLocalModels = true;
env.localModelPath = dirname(folder);
const library = await openLibrary({ id: basename(folder), info, device: "cpu" });
const loadMs = { ours: loadedOurs - loadBegan, theirs: performance.now() - loadedOurs };
const [ours, theirs] = [engineSystem(engine), librarySystem(library, longestAnswer)];

const rows: { what: string; figure: "firstTokenMs" | "decodeRate"; compared: Compared; answers: string }[] = [];
async function row(what: string, figures: readonly ("firstTokenMs" | "decodeRate")[], requests: Message[][]) {
  const found = await inTurns(ours, theirs, requests);
  const difference = firstDifference(found);
  const answers = difference === undefined ? "equal" : `"${difference.ours}" / "${difference.theirs}"`;
  for (const figure of figures) rows.push({ what, figure, compared: compare(found, figure), answers });
  const last = rows.at(-1);
  console.error(`${what}: ${last?.compared.ratio.median.toFixed(2) ?? ""} ×, answers ${answers}`);
}

const first = user("How many cats are there?", freshPicture());
const earlier = [first, assistant("Three.")];
await row(
  "first question about a picture",
  ["firstTokenMs"],
  times(() => [user("How many cats are there?", freshPicture())]),
);
await row(
  "next question about it",
  ["firstTokenMs"],
  times((i) => [...earlier, user(["Where is the dog?", "Is there a rocket?"][i % 2] ?? "")]),
);
const again = [...earlier, user("Describe the picture.")];
await row(
  "the same question again",
  ["firstTokenMs", "decodeRate"],
  times(() => again),
);
for (const words of [100, 400, 1600]) {
  const filler = Array.from({ length: words }, (_, i) => `word${i % 97}`).join(" ");
  const long = [user(`${filler} Describe the picture.`, freshPicture())];
  const prompt = (await ours(long)).tokens === 0 ? "" : `, about ${words} words before it`;
  await row(
    `decoding${prompt}`,
    ["decodeRate"],
    times(() => long),
  );
}
await engine.dispose();

const show = ({ median }: { median: number }, digits = 1): string => median.toFixed(digits);
console.log(`\n${info.model.name}, Node ${process.version}, ${cpus()[0]?.model ?? ""}, ${pairs} pairs in turns`);
console.log("| What | Ours | transformers.js | Ours is ahead by | Answers |\n| --- | --- | --- | --- | --- |");
for (const { what, figure, compared, answers } of rows) {
  const unit = figure === "decodeRate" ? "tokens/s" : "ms to the first token";
  const { ratio } = compared;
  console.log(
    `| ${what} | ${show(compared.ours)} ${unit} | ${show(compared.theirs)} | ${show(ratio, 2)} × (${ratio.low.toFixed(2)}–${ratio.high.toFixed(2)}) | ${answers} |`,
  );
}
console.log(`| load | ${loadMs.ours.toFixed(0)} ms | ${loadMs.theirs.toFixed(0)} | (once) | |`);
if (flags.json !== undefined) {
  const machine = { node: process.version, cpu: cpus()[0]?.model, cores: cpus().length };
  await writeFile(
    flags.json,
    `${JSON.stringify({ date: new Date().toISOString(), machine, model: info.model.name, pairs, loadMs, rows }, undefined, 1)}\n`,
  );
}
