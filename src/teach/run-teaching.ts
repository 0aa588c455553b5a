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
import { chooseSetup, preparingSeconds, recipeFor, trainingCosts, type Costs, type ReplaySize, type TeachSetup } from "./recipe.ts"; // prettier-ignore
import { byAnswer, split, wordsOf, type Split } from "./split.ts";
import { prepareRows, train, type Recipe } from "./teach.ts";
import type { TrainThread } from "#teach/training/trainers.ts";
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
  const setup =
    typeof decoder === "string"
      ? undefined
      : chooseSetup(decoder.shape, host.info.model.imageTokens, host.cores, options);
  if (typeof decoder === "string") problems.push({ kind: "other-architecture", why: decoder });
  if (host.info.graphs.decoder.adaptable === undefined) problems.push({ kind: "no-room" });
  if (typeof setup === "number") problems.push({ kind: "too-large", bytes: setup, most: 1.2e9 });
  for (const { id, picture } of examples) {
    if (!(await isReadable(host, picture))) problems.push({ kind: "unreadable-picture", id });
  }
  let pupil: Pupil | undefined;
  let costs: Costs | undefined;
  let replay: ReplaySet | undefined;
  if (problems.length === 0 && typeof decoder !== "string" && typeof setup === "object") {
    pupil = await loadPupil(host);
    const tooLong = await lengthProblems(host, pupil, examples, setup);
    problems.push(...tooLong);
    const [first] = parts.trained;
    if (tooLong.length === 0 && first) {
      replay = await host.readReplay();
      costs = await measure(host, pupil, decoder, setup, first);
    }
  }
  const most = (options.minutes ?? defaultMinutes) * 60;
  const recipe =
    costs && replay && typeof setup === "object"
      ? recipeFor(parts.trained.length, setup, costs, sizeOf(replay), most)
      : undefined;
  const plan: TeachPlan = {
    problems,
    singles: singlesOf(byAnswer(examples)),
    heldOut: parts.heldOut.map(({ id }) => id),
    choosing: parts.choosing.map(({ id }) => id),
    trained: parts.trained.map(({ id }) => id),
    bytes: typeof setup === "object" ? setup.bytes + modelBytes(host.info) : 0,
    seconds: recipe && costs && replay ? estimate(parts, recipe, costs, sizeOf(replay), most) : undefined,
  };
  return {
    plan,
    run(named, onEvent, stopped) {
      if (!pupil || typeof decoder === "string" || typeof setup !== "object" || !recipe || !replay) {
        throw new EngineError("bad-input", "the examples can't be taught; the plan says why");
      }
      return teachNow({ host, pupil, decoder, setup, recipe, replay, parts, options }, named, onEvent, stopped);
    },
    dispose: async () => pupil?.dispose(),
  };
}

interface Ready {
  readonly host: TeachHost;
  readonly pupil: Pupil;
  readonly decoder: DecoderWeights;
  readonly setup: TeachSetup;
  readonly recipe: Recipe;
  readonly replay: ReplaySet;
  readonly parts: Split;
  readonly options: TeachOptions;
}

async function teachNow(
  { host, pupil, decoder, setup, recipe, replay, parts, options }: Ready,
  { id, name, license }: Named,
  onEvent: (event: TeachEvent) => Promise<void> | void,
  stopped: () => OnStop | undefined,
): Promise<Taught | undefined> {
  const started = performance.now();
  const elapsed = (): number => (performance.now() - started) / 1000;
  const { spec } = setup;
  const threads = await host.startThreads(setup.threads);
  try {
    const looked = parts.heldOut.length > 0 ? parts.heldOut : parts.trained;
    const before = await askHeldOut(host, pupil, looked);
    await onEvent({ type: "before", answers: before });
    const task = {
      ...{ pupil, decoder, spec, recipe, threads, split: parts, seed: options.seed ?? 1, onEvent, stopped },
      pixelsOf: ({ picture }: TeachExample) => host.decodeImage(picture),
      replay: await Promise.all(
        replay.pictures.map(async ({ picture, questions }) => ({ pixels: await host.decodeImage(picture), questions })),
      ),
      talk: replay.talk,
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
      chosenByHeldOut: parts.heldOut.length > 0 && parts.choosing.length === 0,
    };
    return { result, manifest, files: to.written };
  } finally {
    for (const thread of threads) await thread.end();
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
  { mostRows }: TeachSetup,
): Promise<TeachProblem[]> {
  const [first] = examples;
  if (!first) return [];
  // Seen quickly, every picture has as many rows.
  const view = await pupil.show(await host.decodeImage(first.picture));
  return examples.flatMap(({ id, turns }): TeachProblem[] => {
    const tokens = pupil.speak(view, turns).slots.length;
    return tokens > mostRows ? [{ kind: "too-long", id, tokens, most: mostRows }] : [];
  });
}

/** What a picture, an answer and a step take here. */
async function measure(
  host: TeachHost,
  pupil: Pupil,
  decoder: DecoderWeights,
  setup: TeachSetup,
  { picture, turns }: TeachExample,
): Promise<Costs> {
  const pixels = await host.decodeImage(picture);
  const started = performance.now();
  const view = await pupil.show(pixels);
  const shown = performance.now();
  await pupil.ask(view, turns[0]?.question ?? "", 16);
  const asked = performance.now();
  const rows = view.features.length / pupil.hidden;
  const costs = await trainingCosts(decoder.shape, rows, setup);
  return { picture: (shown - started) / 1000, answer: (asked - shown) / 1000, ...costs };
}

function sizeOf({ pictures, talk }: ReplaySet): ReplaySize {
  return {
    pictures: pictures.length,
    questions: pictures.reduce((sum, { questions }) => sum + questions.length, talk.length),
  };
}

/** Seconds of the whole. Steps end when the time does; half a minute is theirs in any case. */
function estimate(
  { trained, choosing, heldOut }: Split,
  recipe: Recipe,
  costs: Costs,
  replay: ReplaySize,
  most: number,
): number {
  const asked = heldOut.length > 0 ? heldOut.length : trained.length;
  const looking = (choosing.length + 2 * asked) * costs.picture + 2 * asked * costs.answer;
  const preparing = preparingSeconds(trained.length, recipe, costs, replay) + looking;
  return preparing + Math.min(recipe.steps * costs.step, Math.max(Math.min(30, most), most - preparing));
}

/** What the model itself takes: its files, once more where they are unpacked. */
function modelBytes({ graphs }: PackageInfo): number {
  return Object.values(graphs).reduce((sum, { expanded }) => sum + 2 * (expanded?.bytes ?? 0), 100e6);
}
