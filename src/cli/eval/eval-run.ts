// `llava eval run`: asks a model a benchmark's questions and writes answer lines as LLaVA's generators do. Goes on where an earlier run stopped.
import { availableParallelism } from "node:os";
import { basename } from "node:path";
import { InvalidArgumentError, type Command } from "commander";
import * as v from "valibot";
import type { Benchmark, Question } from "#eval/benchmarks/benchmark.ts";
import { benchmarks, custom } from "#eval/benchmarks/benchmarks.ts";
import { count } from "#eval/files/problems.ts";
import { openPackage } from "#eval/open-package.ts";
import { openAnswerStore, type AnswerStore } from "#eval/run/answer-store.node.ts";
import type { Asked, Asker } from "#eval/run/asker.ts";
import { engineAsker } from "#eval/run/engine-asker.ts";
import { byPicture, chunkOf, type Placed } from "#eval/run/order.ts";
import { processAsker } from "#eval/run/process-asker.node.ts";
import { readBenchmark, pictureReader } from "#eval/run/read-benchmark.node.ts";
import { runQuestions } from "#eval/run/run.ts";
import { serverAsker, serverModel } from "#eval/run/server-asker.node.ts";
import { parseServerUrl, type Server } from "#remote/http/server.ts";
import { createQuestionProgress } from "./eval-progress.ts";
import { submit } from "./eval-submit.ts";
import { isHubId } from "#cli/models/hub-place.ts";
import { modelFolder } from "#cli/models/model-folder.ts";
import { sentenceFor } from "#cli/terminal/sentences.ts";
import { stopOnSignals } from "#cli/terminal/stop.ts";

const Flags = v.object({
  model: v.string(),
  adapter: v.optional(v.string()),
  data: v.optional(v.string()),
  out: v.string(),
  questions: v.optional(v.string()),
  images: v.optional(v.string()),
  split: v.optional(v.string()),
  allRounds: v.optional(v.boolean(), false),
  numChunks: v.number(),
  chunkIdx: v.number(),
  workers: v.number(),
  maxNewTokens: v.optional(v.number()),
  modelId: v.optional(v.string()),
  keyFrom: v.string(),
  limit: v.optional(v.number()),
  submit: v.optional(v.string()),
});
type Flags = v.InferOutput<typeof Flags>;

/** Adds `run` to `llava eval`. */
export function addEvalRun(group: Command): void {
  group
    .command("run")
    .description(
      "Ask a model a benchmark's questions, greedily, with LLaVA's prompts; the same command goes on after a stop.",
    )
    .argument("<benchmark>", [...benchmarks.map(({ id }) => id), custom.id].join(", "))
    .requiredOption(
      "--model <model>",
      "package folder, id, owner/name on huggingface.co, or a server's address with its model: https://host/v1#model",
    )
    .option("--adapter <folder>", "LoRA adapter that the package goes on with (llava convert --unmerged, llava teach)")
    .option("--data <folder>", "the benchmark's files, laid out as LLaVA's playground/data/eval")
    .requiredOption("--out <file>", "answer lines; while the run lasts they are in FILE.partial")
    .option("--questions <file>", "question file in place of the benchmark's own (needed for custom)")
    .option("--images <folder>", "folder of pictures in place of the benchmark's own")
    .option("--split <name>", "dev or test of Q-Bench")
    .option("--all-rounds", "MMBench: once for each option, with the options rotated")
    .option("--num-chunks <n>", "cut the questions into so many chunks …", wholeNumber, 1)
    .option("--chunk-idx <k>", "… and ask this one, from 0 on", wholeNumber, 0)
    .option("--workers <n>", "processes on this machine, or requests to the server, at a time", wholeNumber, 1)
    .option("--max-new-tokens <n>", "longest answer; default as LLaVA for the benchmark", wholeNumber)
    .option("--model-id <name>", "the model's name in the answer lines")
    .option("--key-from <variable>", "environment variable with the server's key", "LLAVA_SERVER_KEY")
    .option("--submit <file>", "at the end, also write the file that the benchmark's server takes")
    .option("--limit <n>", "only the first n questions, to try a run out", wholeNumber)
    .action(async (name: string, raw: unknown) => {
      try {
        await run(benchmarkOf(name), v.parse(Flags, raw));
      } catch (error) {
        throw new Error(sentenceFor(error), { cause: error });
      }
    });
}

function benchmarkOf(name: string): Benchmark {
  const found = [...benchmarks, custom].find(({ id }) => id === name.toLowerCase());
  if (found) return found;
  throw new Error(
    `There is no benchmark "${name}". There are: ${[...benchmarks, custom].map(({ id }) => id).join(", ")}.`,
  );
}

async function run(benchmark: Benchmark, flags: Flags): Promise<void> {
  checkFlags(benchmark, flags);
  // A model of a hub is made here on first use, and listens for signals itself.
  const model = await modelOf(flags);
  const signal = stopOnSignals();
  const { stderr } = process;
  const source = await readBenchmark(benchmark, flags);
  const questions = chunkOf(source.questions.slice(0, flags.limit), flags.numChunks, flags.chunkIdx);
  if (questions.length === 0) throw new Error(`Chunk ${flags.chunkIdx} of ${flags.numChunks} is empty: there are ${count(source.questions.length, "question")}.`); // prettier-ignore
  const store = await openAnswerStore(flags.out, questions, model.id);
  try {
    const todo = questions.map((question, place): Placed => ({ place, question })).filter(({ place }) => !store.answered.has(place)); // prettier-ignore
    if (store.answered.size > 0) stderr.write(`${count(store.answered.size, "question")} of ${questions.length} ${store.answered.size === 1 ? "was" : "were"} answered before.\n`); // prettier-ignore
    const readPicture = pictureReader(benchmark, source.pictures);
    await readPicture.checkFirst(todo.map(({ question }) => question));
    const result = await ask({
      benchmark,
      flags,
      model,
      questions,
      todo,
      store,
      readPicture: readPicture.read,
      signal,
    });
    await store.finish();
    stderr.write(`${count(questions.length - result.notAnswered, "answer")} of ${questions.length} in ${flags.out}.\n`);
    if (result.notAnswered > 0) {
      const kinds = [...result.reasons].map(([kind, number]) => `${number} × ${kind}`).join(", ");
      stderr.write(`${count(result.notAnswered, "question")} could not be asked (${kinds}); the reasons are in the lines' metadata, and the same command tries them again.\n`); // prettier-ignore
    }
  } finally {
    store.close();
  }
  if (flags.submit !== undefined)
    await submit(benchmark.id, {
      answers: flags.out,
      data: flags.data ?? ".",
      out: flags.submit,
      split: flags.split ?? "dev",
    });
}

interface Asking {
  readonly benchmark: Benchmark;
  readonly flags: Flags;
  readonly model: Model;
  readonly questions: readonly Question[];
  readonly todo: readonly Placed[];
  readonly store: AnswerStore;
  readonly readPicture: (question: Question) => Promise<Blob | undefined>;
  readonly signal: AbortSignal;
}

async function ask(
  asking: Asking,
): Promise<{ readonly notAnswered: number; readonly reasons: ReadonlyMap<string, number> }> {
  const { benchmark, flags, model, questions, todo, store, readPicture, signal } = asking;
  if (todo.length === 0) return { notAnswered: 0, reasons: new Map() };
  const groups = byPicture(todo);
  const askers = await model.open(Math.min(flags.workers, groups.length));
  const progress = createQuestionProgress(process.stderr);
  let done = questions.length - todo.length;
  try {
    return await runQuestions({
      groups,
      askers,
      total: questions.length,
      before: done,
      prepare: async ({ question }): Promise<Asked> => ({
        text: question.text,
        picture: await readPicture(question),
        maxNewTokens: flags.maxNewTokens ?? benchmark.maxNewTokens,
        imageMode: benchmark.imageMode,
      }),
      onAnswer: (place, text) => store.add(place, text),
      onNotAnswered: (place, reason) => store.addError(place, reason),
      onProgress: (state) => {
        done = state.done;
        progress.update(state);
      },
      signal,
    });
  } catch (error) {
    const where = `${count(done, "question")} of ${questions.length} ${done === 1 ? "is" : "are"} done and kept; the same command goes on from there.`;
    throw new Error(signal.aborted ? `stopped: ${where}` : `${sentenceFor(error)} ${where}`, { cause: error });
  } finally {
    progress.end();
    await Promise.all(askers.map((asker) => asker.close().catch(() => undefined)));
  }
}

/** The model that --model names. */
interface Model {
  /** In the answer lines. */
  readonly id: string;
  open(askers: number): Promise<Asker[]>;
}

async function modelOf({ model, adapter, modelId, keyFrom }: Flags): Promise<Model> {
  const [address, name] = splitAddress(model);
  if (address !== undefined) {
    if (adapter !== undefined) throw new Error("--adapter goes with a package; a server chooses its adapters by the model's name."); // prettier-ignore
    if (name === undefined) throw new Error(`Say which of the server's models to ask: ${model}#MODEL.`);
    const server: Server = { url: parseServerUrl(address), key: process.env[keyFrom] };
    const found = await serverModel(server, name);
    return {
      id: modelId ?? name,
      open: (askers) => Promise.resolve(Array.from({ length: askers }, () => serverAsker(server, found))),
    };
  }
  const folder = await modelFolder(model);
  const id = (await isHubId(model)) ? model : basename(folder);
  return {
    id: modelId ?? (adapter === undefined ? id : `${id}+${basename(adapter)}`),
    async open(askers) {
      if (askers === 1) return [engineAsker(await openPackage(folder, adapter))];
      const threads = Math.max(1, Math.floor(availableParallelism() / askers));
      return Promise.all(Array.from({ length: askers }, () => processAsker(folder, threads, adapter)));
    },
  };
}

function splitAddress(model: string): [address: string | undefined, name: string | undefined] {
  if (!/^https?:\/\//i.test(model)) return [undefined, undefined];
  const mark = model.indexOf("#");
  return mark < 0 ? [model, undefined] : [model.slice(0, mark), model.slice(mark + 1)];
}

function checkFlags(benchmark: Benchmark, flags: Flags): void {
  if (flags.numChunks < 1) throw new Error("--num-chunks must be 1 or more.");
  if (flags.chunkIdx >= flags.numChunks) throw new Error(`--chunk-idx counts from 0: of ${count(flags.numChunks, "chunk")} the last is ${flags.numChunks - 1}.`); // prettier-ignore
  if (flags.workers < 1) throw new Error("--workers must be 1 or more.");
  if (flags.split !== undefined && benchmark.splits?.includes(flags.split) !== true)
    throw new Error(
      `${benchmark.title} has ${benchmark.splits ? `the splits ${benchmark.splits.join(" and ")}` : "no splits"}.`,
    );
  if (flags.allRounds && !benchmark.id.startsWith("mmbench")) throw new Error("--all-rounds is for MMBench alone.");
  if (flags.data === undefined && flags.questions === undefined)
    throw new Error(`Say where ${benchmark.title} is: --data FOLDER, laid out as LLaVA's playground/data/eval, or --questions FILE with --images FOLDER.`); // prettier-ignore
}

function wholeNumber(value: string): number {
  if (!/^\d+$/.test(value)) throw new InvalidArgumentError("It must be a whole number.");
  return Number(value);
}
