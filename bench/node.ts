// This engine beside transformers.js's generate() and a bare onnxruntime-node loop in Node, on the same package: the same questions in turns.
//   npm run bench -- node [--model <package folder>] [--pairs 5] [--contexts 256,1024,2048,4096] [--tokens 64] [--json <file>] [--no-drafts]
import "#engine/runtime/no-telemetry.node.ts";
import { readFile, writeFile } from "node:fs/promises";
import { cpus } from "node:os";
import { basename, dirname, resolve } from "node:path";
import { parseArgs } from "node:util";
import { env } from "@huggingface/transformers";
import { decodeImage } from "#engine/picture/decode.node.ts";
import { createEngine } from "#engine/engine.ts";
import { packageFolder } from "#engine/package-folder.node.ts";
import { createNodeRuntime } from "#engine/runtime/runtime.node.ts";
import { parseManifest, type Manifest } from "#weights/manifest.ts";
import { openBareLoop } from "./systems/bare.ts";
import { librarySystem, openLibrary } from "./systems/library.ts";
import { spreadOf } from "./measure.ts";
import { engineSystem, type Split } from "./systems/ours.ts";
import { runPlan } from "./plan.ts";
import { markdownOf } from "./table.ts";

const { values: flags } = parseArgs({
  options: {
    model: { type: "string", default: "public/models/pocket-llava" },
    pairs: { type: "string", default: "5" },
    contexts: { type: "string", default: "256,1024,2048,4096" },
    tokens: { type: "string", default: "64" },
    json: { type: "string" },
    "no-drafts": { type: "boolean", default: false },
  },
});
const folder = resolve(flags.model);
const pairs = Number(flags.pairs);
const longestAnswer = Number(flags.tokens);

async function readManifest(): Promise<Manifest> {
  const parsed = parseManifest(JSON.parse(await readFile(`${folder}/manifest.json`, "utf8")));
  if (!parsed.ok) throw new Error(parsed.problem);
  return parsed.manifest;
}

const info = await readManifest();
const room = info.model.contextLength - longestAnswer - 64;
const contexts = flags.contexts
  .split(",")
  .map(Number)
  .filter((tokens) => tokens <= room);
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
const loadMs = { ours: loadedOurs - loadBegan, "transformers.js": performance.now() - loadedOurs };
const splits: Split[] = [];
const pets = await readFile(new URL("../public/examples/pets.png", import.meta.url));
const rows = await runPlan(
  {
    ours: engineSystem(engine, longestAnswer, { onSplit: (split) => splits.push(split) }),
    peers: {
      "transformers.js": librarySystem(library, longestAnswer),
      "onnxruntime-node": await openBareLoop(folder, library, longestAnswer),
    },
  },
  new Blob([pets]),
  { pairs, contexts },
  (done, of) => process.stderr.write(`\r${done} of ${of} `),
);
process.stderr.write("\r");
await engine.dispose();

const machine = { node: process.version, cpu: cpus()[0]?.model ?? "", cores: cpus().length };
console.log(
  `\n${info.model.name}, Node ${machine.node}, ${machine.cpu}, ${machine.cores} cores, ${pairs} pairs in turns\n`,
);
console.log(markdownOf(rows));
// Of the first questions, without the one that does not count and the two that count words.
const skipped = contexts.length > 0 ? 3 : 1;
const part = (name: keyof Split): string =>
  spreadOf(splits.slice(skipped, skipped + pairs).map((split) => split[name])).median.toFixed(1);
console.log(
  `\nOurs, first question: picture ${part("imageMs")} ms, vision ${part("visionMs")}, prompt ${part("prefillMs")}.`,
);
console.log(`Load, once: ours ${loadMs.ours.toFixed(0)} ms, transformers.js ${loadMs["transformers.js"].toFixed(0)}.`);
if (flags.json !== undefined) {
  const report = {
    date: new Date().toISOString(),
    machine,
    model: info.model.name,
    pairs,
    longestAnswer,
    loadMs,
    rows,
  };
  await writeFile(flags.json, `${JSON.stringify(report, undefined, 1)}\n`);
}
