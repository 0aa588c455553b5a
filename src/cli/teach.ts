// `llava teach`: pictures with the answers wanted, in; a LoRA adapter for the model, out.
import { readFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Command } from "commander";
import * as v from "valibot";
import { checkpointFolder, packageFolder } from "#convert/package/folder.node.ts";
import { outputPlace } from "#convert/package/output-place.node.ts";
import { packageFolder as engineFiles } from "#engine/package-folder.node.ts";
import { decodeImage } from "#engine/picture/decode.node.ts";
import { createNodeRuntime } from "#engine/runtime/runtime.node.ts";
import { readReplay } from "#teach/replay.ts";
import { prepareTeaching, type Taught } from "#teach/run-teaching.ts";
import { nodeTrainThreads } from "#teach/training/trainers.node.ts";
import type { HeldOutAnswer, TeachEvent, TeachOptions, TeachProblem } from "#teach/types.ts";
import { manifestName, parsePackageManifest, type Manifest } from "#weights/manifest.ts";
import { builtInModelId } from "#zoo/models.ts";
import { modelFolder } from "#cli/models/model-folder.ts";
import { timeText } from "#cli/terminal/progress.ts";
import { sentenceFor } from "#cli/terminal/sentences.ts";
import { stopOnSignals } from "#cli/terminal/stop.ts";
import { readExamples } from "./teach-examples.ts";

const inRange = (least: number, most: number) =>
  v.optional(v.pipe(v.string(), v.transform(Number), v.number(), v.minValue(least), v.maxValue(most)));
const Flags = v.object({
  model: v.string(),
  data: v.string(),
  out: v.string(),
  name: v.optional(v.string()),
  question: v.string(),
  rank: inRange(1, 64),
  minutes: inRange(0.1, 600),
  seed: inRange(0, 2 ** 31),
  heldOut: inRange(0, 0.5),
  threads: inRange(1, 64),
  force: v.optional(v.boolean(), false),
});
type Flags = v.InferOutput<typeof Flags>;

/** Where the pictures lie that are shown against forgetting. */
const replayFolder = fileURLToPath(new URL("../../public/teach/", import.meta.url));

/** Adds `teach` to the program. */
export function addTeach(program: Command): void {
  program
    .command("teach")
    .description("Teach a model your own things from a few pictures: trains a LoRA adapter on this machine.")
    .requiredOption(
      "--data <file or folder>",
      "LLaVA's JSON or JSON lines with pictures beside it, or a folder per answer",
    )
    .requiredOption("--out <folder>", "where the adapter's package goes; peft reads it, too")
    .option("--model <folder or id>", "model package that was converted with --adaptable", builtInModelId)
    .option("--question <text>", "what is asked about the pictures of a folder per answer", "What is this?")
    .option("--name <name>", "what the adapter is called (default: the name of --out)")
    .option("--rank <n>", "of the adapter's matrices (default 8)")
    .option("--minutes <n>", "the most that training may take (default 3)")
    .option("--seed <n>", "same seed, same split and order (default 1)")
    .option("--held-out <part>", "part of each answer's pictures that is kept to see what was learned (default 0.25)")
    .option("--threads <n>", "default: one per core")
    .option("--force", "replace --out")
    .action(async (raw: unknown) => {
      const parsed = v.safeParse(Flags, raw);
      if (!parsed.success) {
        const issue = parsed.issues[0];
        throw new Error(`--${String(v.getDotPath(issue)).replace("heldOut", "held-out")}: ${issue.message}`);
      }
      try {
        await teach(parsed.output);
      } catch (error) {
        throw new Error(sentenceFor(error), { cause: error });
      }
    });
}

async function teach(flags: Flags): Promise<void> {
  const signal = stopOnSignals("stopped; nothing was written");
  const { examples, notes } = await readExamples(flags.data, flags.question);
  for (const note of notes) say(note);
  const folder = await modelFolder(flags.model, undefined);
  await outputPlace(flags.out, { force: flags.force, inputs: [folder, flags.data] });
  const files = engineFiles(folder);
  const info = await readManifest(folder);
  const options: TeachOptions = flags;
  const runtime = createNodeRuntime(flags.threads === undefined ? {} : { threads: flags.threads });
  const teaching = await prepareTeaching(
    {
      ...{ runtime, files, info, decodeImage },
      base: checkpointFolder(folder),
      cores: availableParallelism(),
      readReplay: () => readReplay(async (path) => new Blob([await readFile(join(replayFolder, path))])),
      startThreads: nodeTrainThreads,
    },
    examples,
    options,
  );
  try {
    const { problems, heldOut, choosing, trained, seconds, singles } = teaching.plan;
    if (problems.length > 0)
      throw new Error(problems.map((problem) => sentenceOf(problem, info.model.name)).join("\n"));
    for (const answer of singles) say(`"${answer}" has one picture, so nothing will tell whether it was learned`);
    const chooses = choosing.length > 0 ? `${choosing.length} to choose by, ` : "";
    say(`${trained.length} pictures to learn, ${chooses}${heldOut.length} held out; about ${timeText(seconds ?? 0)}`);
    const id = basename(flags.out);
    const named = { id, name: flags.name ?? id, license: info.model.license };
    const taught = await teaching.run(named, show, () => (signal.aborted ? "discard" : undefined));
    signal.throwIfAborted();
    if (!taught)
      throw new Error(
        "no step lowered the loss on the pictures set aside, so nothing was written; give more pictures, or more --minutes",
      );
    await write(taught, flags);
    const { before, after, bestStep, seconds: took, chosenByHeldOut } = taught.result;
    const which = heldOut.length > 0 ? "held out" : "of those it was shown";
    say(`${which}: ${after.right} of ${after.of} right, ${before.right} before; step ${bestStep}; ${timeText(took)}`);
    if (chosenByHeldOut)
      say("the pictures held out also chose the step, so this flatters; six pictures of each thing would change that");
    process.stdout.write(`${flags.out}\n`);
  } finally {
    await teaching.dispose();
    await runtime.dispose();
  }
}

async function readManifest(folder: string): Promise<Manifest> {
  const text = await readFile(join(folder, manifestName), "utf8").catch(() => undefined);
  const parsed = text === undefined ? undefined : parsePackageManifest(JSON.parse(text));
  if (parsed?.ok === true && "graphs" in parsed.manifest) return parsed.manifest;
  throw new Error(`${folder} is no package that can be taught; convert a model with llava convert --adaptable, and name that package`); // prettier-ignore
}

async function write({ files }: Taught, { out, force }: Flags): Promise<void> {
  const to = await packageFolder(out, { force });
  try {
    for (const [path, bytes] of files) {
      const file = await to.create(path);
      await file.write(bytes);
      await file.close();
    }
    await to.commit();
  } catch (error) {
    await to.discard();
    throw error;
  }
}

const say = (text: string): unknown => process.stderr.write(`${text}\n`);

function show(event: TeachEvent): void {
  const line = lineOf(event);
  if (line === undefined) return;
  if (process.stderr.isTTY && !line.includes("\n")) process.stderr.write(`\r\u001b[K${line}`);
  else say(line);
}

/** What is written of an event; of steps and pictures only every tenth where no terminal draws them over. */
function lineOf(event: TeachEvent): string | undefined {
  const seldom = (count: number): boolean => process.stderr.isTTY || count % 10 === 0;
  if (event.type === "prepare") {
    const what = event.what === "replay" ? "asking what it knows" : "looking at your pictures";
    return seldom(event.done) ? `${what}: ${event.done} of ${event.total}` : undefined;
  }
  if (event.type === "step") {
    const held = event.asideLoss === undefined ? "" : `, set aside ${event.asideLoss.toFixed(3)}`;
    const text = `step ${event.step} of ${event.steps}: loss ${event.loss.toFixed(3)}${held}; ${timeText(event.secondsLeft)} left`;
    return seldom(event.step) ? text : undefined;
  }
  if (event.type === "saving") return undefined;
  return `\n${event.type}:\n${event.answers.map(answerLine).join("\n")}`;
}

function answerLine({ id, asked, wanted, answered, right }: HeldOutAnswer): string {
  return `  ${right ? "right" : "wrong"}  ${id}: ${asked} ${answered}${right ? "" : ` (${wanted})`}`;
}

function sentenceOf(problem: TeachProblem, model: string): string {
  switch (problem.kind) {
    case "too-few-pictures":
      return `${problem.pictures} pictures are too few; give at least ${problem.least}, better ten of each thing`;
    case "empty-text":
      return `${problem.id} has an empty question or answer; fill it in, or leave the picture out`;
    case "unreadable-picture":
      return `the picture of ${problem.id} can't be read; save it as JPEG or PNG`;
    case "contradiction":
      return `${problem.ids.join(" and ")} are the same picture with two answers to "${problem.question}"; keep one`;
    case "too-long":
      return `${problem.id} has ${problem.tokens} tokens, and ${problem.most} are trained at a time; shorten its text`;
    case "other-architecture":
      return `${model} can't be taught here: ${problem.why}; take Pocket LLaVA or another model of Llama's kind`;
    case "no-room":
      return `the package of ${model} has no room for an adapter; convert the model again with --adaptable`;
    case "too-large":
      return `${model} would take ${Math.ceil(problem.bytes / 1e9)} GB to train; take a smaller model`;
  }
}
