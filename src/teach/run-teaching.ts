// Teaching from a package and examples to an adapter package: what both hosts, the page's worker and the command line, do in the same way.
import { convertAdapter } from "#convert/adapter.ts";
import type { CheckpointFolder } from "#convert/checkpoint/folders.ts";
import { EngineError } from "#engine/errors.ts";
import { hashPicture } from "#engine/model/image-features.ts";
import type { PackageInfo } from "#engine/package.ts";
import type { Runtime } from "#engine/runtime/runtime.ts";
import { createRandom } from "#engine/text/sampler.ts";
import type { PackageFiles, Pixels } from "#engine/types.ts";
import type { AdapterManifest } from "#weights/manifest.ts";
import { openDecoderWeights, type DecoderWeights } from "#teach/training/decoder-weights.ts";
import { peftFolder } from "#teach/training/peft-folder.ts";
import { memoryFolder } from "./memory-folder.ts";
import { contradictionsOf, problemsOf, singlesOf } from "./problems.ts";
import { loadPupil, type Pupil } from "./pupil.ts";
import { chooseSetup, recipeFor, stepSeconds, type TeachSetup } from "./recipe.ts";
import { byAnswer, split, wordsOf, type Split } from "./split.ts";
import { prepareRows, train } from "./teach.ts";
import { startTrainers, type TrainThread } from "#teach/training/trainers.ts";
import type {
  HeldOutAnswer,
  OnStop,
  TeachEvent,
  TeachExample,
  TeachOptions,
  TeachPlan,
  TeachProblem,
  TeachResult,
} from "./types.ts";

/** Pictures that are not taught, with what is asked about them so that it is not forgotten; and talk without a picture. */
export interface ReplaySet {
  readonly pictures: readonly { readonly picture: Blob; readonly questions: readonly string[] }[];
  readonly talk: readonly string[];
}

/** What a host brings. */
export interface TeachHost {
  readonly runtime: Runtime;
  readonly files: PackageFiles;
  readonly info: PackageInfo;
  /** The same package, as the converter reads it. */
  readonly base: CheckpointFolder;
  readonly cores: number;
  readonly decodeImage: (picture: Blob) => Promise<Pixels>;
  readonly readReplay: () => Promise<ReplaySet>;
  readonly startThreads: (count: number) => Promise<readonly TrainThread[]> | readonly TrainThread[];
}

interface Named {
  readonly id: string;
  readonly name: string;
  readonly license: string;
}

/** An adapter's package in memory, which is also a folder that peft reads. */
export interface Taught {
  readonly result: TeachResult;
  readonly manifest: AdapterManifest;
  readonly files: ReadonlyMap<string, Uint8Array<ArrayBuffer>>;
}

export interface Teaching {
  readonly plan: TeachPlan;
  /** Resolves with undefined where it was stopped and nothing was to be kept, or before anything was learned. */
  run(
    named: Named,
    onEvent: (event: TeachEvent) => Promise<void> | void,
    stopped: () => OnStop | undefined,
  ): Promise<Taught | undefined>;
  dispose(): Promise<void>;
}

const [defaultMinutes, defaultHeldOut] = [3, 0.25];
const longestAnswerTokens = 64;

/** Looks at the examples and the model. Problems are in the plan; `run` may be called where there are none. */
export async function prepareTeaching(
  host: TeachHost,
  examples: readonly TeachExample[],
  options: TeachOptions,
): Promise<Teaching> {
  const parts = split(examples, options.heldOut ?? defaultHeldOut, createRandom(options.seed ?? 1));
  const problems = [...problemsOf(examples), ...(await contradictionsOf(examples, hashPicture))];
  const decoder = await openDecoderWeights(host.info.graphs.decoder, host.files);
  const setup = typeof decoder === "string" ? undefined : chooseSetup(decoder.shape, host.cores, options);
  if (typeof decoder === "string") problems.push({ kind: "other-architecture", why: decoder });
  if (host.info.graphs.decoder.adaptable === undefined) problems.push({ kind: "no-room" });
  if (typeof setup === "number") problems.push({ kind: "too-large", bytes: setup, most: 1.2e9 });
  for (const { id, picture } of examples) {
    if (!(await isReadable(host, picture))) problems.push({ kind: "unreadable-picture", id });
  }
  let pupil: Pupil | undefined;
  let seconds: number | undefined;
  if (problems.length === 0 && typeof decoder !== "string" && typeof setup === "object") {
    pupil = await loadPupil(host);
    const tooLong = await lengthProblems(host, pupil, examples);
    problems.push(...tooLong);
    const [first] = parts.trained;
    if (tooLong.length === 0 && first) seconds = await estimate(host, pupil, decoder, setup, parts, first);
  }
  const plan: TeachPlan = {
    problems,
    singles: singlesOf(byAnswer(examples)),
    heldOut: parts.heldOut.map(({ id }) => id),
    trained: parts.trained.map(({ id }) => id),
    bytes: typeof setup === "object" ? setup.bytes + modelBytes(host.info) : 0,
    seconds,
  };
  return {
    plan,
    run(named, onEvent, stopped) {
      if (!pupil || typeof decoder === "string" || typeof setup !== "object" || problems.length > 0) {
        throw new EngineError("bad-input", "the examples can't be taught; the plan says why");
      }
      return teachNow({ host, pupil, decoder, setup, parts, options }, named, onEvent, stopped);
    },
    dispose: async () => pupil?.dispose(),
  };
}

interface Ready {
  readonly host: TeachHost;
  readonly pupil: Pupil;
  readonly decoder: DecoderWeights;
  readonly setup: TeachSetup;
  readonly parts: Split;
  readonly options: TeachOptions;
}

async function teachNow(
  { host, pupil, decoder, setup, parts, options }: Ready,
  { id, name, license }: Named,
  onEvent: (event: TeachEvent) => Promise<void> | void,
  stopped: () => OnStop | undefined,
): Promise<Taught | undefined> {
  const started = performance.now();
  const elapsed = (): number => (performance.now() - started) / 1000;
  const { spec, threads } = setup;
  const recipe = recipeFor(parts.trained.length);
  try {
    const looked = parts.heldOut.length > 0 ? parts.heldOut : parts.trained;
    const before = await askHeldOut(host, pupil, looked);
    await onEvent({ type: "before", answers: before });
    const replay = await host.readReplay();
    const task = {
      ...{ pupil, decoder, spec, recipe, split: parts, seed: options.seed ?? 1, onEvent, stopped },
      pixelsOf: ({ picture }: TeachExample) => host.decodeImage(picture),
      replay: await Promise.all(
        replay.pictures.map(async ({ picture, questions }) => ({ pixels: await host.decodeImage(picture), questions })),
      ),
      talk: replay.talk,
      startTrainers: async () =>
        startTrainers(await host.startThreads(threads), {
          shape: decoder.shape,
          spec,
          weights: await decoder.from(spec.firstBlock),
          mostRows: recipe.mostRows,
        }),
    };
    const rows = await prepareRows(task);
    // Half a minute is left in any case, however long the pictures took.
    const all = (options.minutes ?? defaultMinutes) * 60;
    const seconds = Math.max(Math.min(30, all), all - elapsed());
    const learned = rows && (await train({ ...task, seconds }, rows));
    if (!learned || learned.bestStep === 0 || stopped() === "discard") return undefined;
    await onEvent({ type: "saving" });
    const from = peftFolder(id, learned.values, decoder.shape, spec, host.info.model.name);
    const to = memoryFolder();
    const { template } = host.info.model;
    const manifest = await convertAdapter(from, host.base, to, { id, name, license, template, keepPeft: true });
    await pupil.adapt({ info: manifest, files: to.files });
    const after = await askHeldOut(host, pupil, looked);
    await onEvent({ type: "after", answers: after });
    const { steps, bestStep, stopped: early } = learned;
    const result = {
      before: scoreOf(before),
      after: scoreOf(after),
      steps,
      bestStep,
      seconds: elapsed(),
      stopped: early,
    };
    return { result, manifest, files: to.written };
  } finally {
    await pupil.adapt(undefined);
  }
}

/** Each held-out picture's first question. */
async function askHeldOut(host: TeachHost, pupil: Pupil, examples: readonly TeachExample[]): Promise<HeldOutAnswer[]> {
  const answers: HeldOutAnswer[] = [];
  for (const { id, picture, turns } of examples) {
    const [turn] = turns;
    if (!turn) continue;
    const view = await pupil.show(await host.decodeImage(picture));
    const answered = await pupil.ask(view, turn.question, longestAnswerTokens);
    const right = wordsOf(answered) === wordsOf(turn.answer);
    answers.push({ id, asked: turn.question, wanted: turn.answer, answered, right });
  }
  return answers;
}

function scoreOf(answers: readonly HeldOutAnswer[]): TeachResult["before"] {
  return { right: answers.filter(({ right }) => right).length, of: answers.length };
}

async function isReadable(host: TeachHost, picture: Blob): Promise<boolean> {
  try {
    await host.decodeImage(picture);
    return true;
  } catch (error) {
    if (error instanceof EngineError && error.code === "bad-image") return false;
    throw error;
  }
}

/** Conversations that are longer than what is trained at a time. */
async function lengthProblems(
  host: TeachHost,
  pupil: Pupil,
  examples: readonly TeachExample[],
): Promise<TeachProblem[]> {
  const { mostRows } = recipeFor(examples.length);
  const [first] = examples;
  if (!first) return [];
  // Seen quickly, every picture has as many rows.
  const view = await pupil.show(await host.decodeImage(first.picture));
  return examples.flatMap(({ id, turns }): TeachProblem[] => {
    const tokens = pupil.speak(view, turns).slots.length;
    return tokens > mostRows ? [{ kind: "too-long", id, tokens, most: mostRows }] : [];
  });
}

/** Seconds of the whole: a picture, an answer and a product are measured. */
async function estimate(
  host: TeachHost,
  pupil: Pupil,
  decoder: DecoderWeights,
  setup: TeachSetup,
  { trained, heldOut }: Split,
  { picture, turns }: TeachExample,
): Promise<number> {
  const recipe = recipeFor(trained.length);
  const pixels = await host.decodeImage(picture);
  const started = performance.now();
  const view = await pupil.show(pixels);
  const shown = performance.now();
  await pupil.ask(view, turns[0]?.question ?? "", 16);
  const [showSeconds, askSeconds] = [(shown - started) / 1000, (performance.now() - shown) / 1000];
  const replay = await host.readReplay();
  const asked = replay.pictures.reduce((sum, { questions }) => sum + questions.length, replay.talk.length);
  const views = trained.length * recipe.viewsPerPicture + heldOut.length * 3 + replay.pictures.length;
  const step = await stepSeconds(decoder.shape, setup, recipe);
  return views * showSeconds + (asked + 2 * heldOut.length) * askSeconds + recipe.steps * step;
}

/** What the model itself takes: its files, once more where they are unpacked. */
function modelBytes({ graphs }: PackageInfo): number {
  return Object.values(graphs).reduce((sum, { expanded }) => sum + 2 * (expanded?.bytes ?? 0), 100e6);
}
