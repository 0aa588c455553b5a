// A benchmark's questions answered as `llava eval run` answers them, beside transformers.js's generate() on the same package: questions per second
// of both in turns, and whether they say the same.
//   npm run bench -- eval [--model <package folder>] [--questions <file>] [--images <folder>] [--limit 160] [--blocks 4] [--tokens 16]
import "#engine/runtime/no-telemetry.node.ts";
import { readFile } from "node:fs/promises";
import { cpus } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { env } from "@huggingface/transformers";
import type { Question } from "#eval/benchmarks/benchmark.ts";
import { parseQuestionLines } from "#eval/benchmarks/question-lines.ts";
import { openPackage } from "#eval/open-package.ts";
import { engineAsker } from "#eval/run/engine-asker.ts";
import { byPicture, chunkOf } from "#eval/run/order.ts";
import { runQuestions } from "#eval/run/run.ts";
import { parseManifest } from "#weights/manifest.ts";
import { spreadOf } from "./measure.ts";
import { librarySystem, openLibrary } from "./systems/library.ts";

const { values: flags } = parseArgs({
  options: {
    model: { type: "string", default: "public/models/pocket-llava" },
    questions: { type: "string", default: "training/heldout/questions.jsonl" },
    images: { type: "string", default: "training/heldout/pictures" },
    limit: { type: "string", default: "160" },
    blocks: { type: "string", default: "4" },
    tokens: { type: "string", default: "16" },
  },
});
const folder = resolve(flags.model);
const maxNewTokens = Number(flags.tokens);
const parsed = parseManifest(JSON.parse(await readFile(join(folder, "manifest.json"), "utf8")));
if (!parsed.ok) throw new Error(parsed.problem);
const { manifest: info } = parsed;
const questions = parseQuestionLines(await readFile(flags.questions, "utf8")).slice(0, Number(flags.limit));
const pictures = new Set(questions.map(pathOf)).size;

const asker = engineAsker(await openPackage(folder));
env.allowRemoteModels = false;
env.allowLocalModels = true;
env.localModelPath = dirname(folder);
const library = librarySystem(await openLibrary({ id: basename(folder), info, device: "cpu" }), maxNewTokens);

function pathOf({ picture }: Question): string {
  if (picture?.kind !== "file") throw new Error("this bench asks about pictures in files");
  return picture.path;
}

const readPicture = async (question: Question): Promise<Blob> =>
  new Blob([await readFile(join(flags.images, pathOf(question)))]);

/** In the order of a run, with one picture's questions together; the answers in the order of the questions. */
async function ours(block: readonly Question[]): Promise<string[]> {
  const answers: string[] = [];
  await runQuestions({
    groups: byPicture(block.map((question, place) => ({ place, question }))),
    askers: [asker],
    total: block.length,
    before: 0,
    prepare: async ({ question }) => ({ text: question.text, picture: await readPicture(question), maxNewTokens }),
    onAnswer: (place, text) => (answers[place] = text),
    onNotAnswered: (_, reason) => {
      throw new Error(reason);
    },
    onProgress: () => undefined,
    signal: new AbortController().signal,
  });
  return answers;
}

/** One after the other, each with its picture, as the library's documentation has it. */
async function theirs(block: readonly Question[]): Promise<string[]> {
  const answers: string[] = [];
  for (const question of block) {
    const blob = await readPicture(question);
    const parts = [{ type: "image", blob } as const, { type: "text", text: question.text } as const];
    answers.push((await library([{ role: "user", parts }]))?.text.trim() ?? "");
  }
  return answers;
}

async function timed(ask: typeof ours, block: readonly Question[]): Promise<{ answers: string[]; rate: number }> {
  const began = performance.now();
  const answers = await ask(block);
  return { answers, rate: block.length / ((performance.now() - began) / 1000) };
}

// What is compiled or allocated at first does not count.
await ours(questions.slice(0, 2));
await theirs(questions.slice(0, 2));
const blocks = Number(flags.blocks);
const rates = { ours: [] as number[], theirs: [] as number[], ratio: [] as number[] };
let same = 0;
for (let k = 0; k < blocks; k++) {
  const block = chunkOf(questions, blocks, k);
  const [first, second] = k % 2 === 0 ? [ours, theirs] : [theirs, ours];
  const results = [await timed(first, block), await timed(second, block)];
  const [mine, other] = k % 2 === 0 ? results : results.toReversed();
  if (!mine || !other) throw new Error("both were asked");
  rates.ours.push(mine.rate);
  rates.theirs.push(other.rate);
  rates.ratio.push(mine.rate / other.rate);
  for (const [i, answer] of mine.answers.entries()) {
    if (answer === other.answers[i]) same++;
    else console.log(`differs: ${block[i]?.text ?? ""} ours “${answer}”, theirs “${other.answers[i] ?? ""}”`);
  }
}
await asker.close();
const say = (values: readonly number[]): string => {
  const { median, low, high } = spreadOf(values);
  return `${median.toFixed(2)} (${low.toFixed(2)}–${high.toFixed(2)})`;
};
console.log(
  `${info.model.name}, Node ${process.version}, ${cpus()[0]?.model ?? ""}, ${cpus().length} cores: ${questions.length} questions about ${pictures} pictures, ` +
    `${blocks} blocks in turns\n` +
    `questions per second: ours ${say(rates.ours)}, transformers.js ${say(rates.theirs)}, ratio ${say(rates.ratio)}\n` +
    `the same answers: ${same} of ${questions.length}`,
);
