// Teaches: examples in, trained LoRA matrices out. Knows no files, no page and no threads' hosts.
import { createRandom } from "#engine/text/sampler.ts";
import type { Pixels } from "#engine/types.ts";
import { createAdam } from "#teach/training/adam.ts";
import type { DecoderWeights } from "#teach/training/decoder-weights.ts";
import { loraTensors } from "#teach/training/peft-folder.ts";
import type { Pupil, View } from "./pupil.ts";
import { isThis, keptDetails, keptQuestions, lessonsOf, nameOf, type Lesson } from "./questions.ts";
import { packRows } from "./rows.ts";
import type { DecoderShape, LoraSpec, PackedRow } from "#teach/training/shape.ts";
import { choosingIn, shuffled, type Split } from "./split.ts";
import { passFrozen, startTrainers, type TrainThread } from "#teach/training/trainers.ts";
import type { OnStop, TeachEvent, TeachExample } from "./types.ts";
import { viewOf } from "./views.ts";

/** A picture that is not taught, with what the model is asked about it against forgetting; its own answers are kept. */
interface ReplayPicture {
  readonly pixels: Pixels;
  readonly questions: readonly string[];
}

export interface Recipe {
  readonly steps: number;
  readonly rate: number;
  readonly taughtPerStep: number;
  readonly replayPerStep: number;
  readonly viewsPerPicture: number;
  /** Questions about what else is in a taught picture, whose answers are kept. */
  readonly detailsPerPicture: number;
  readonly mostRows: number;
  /** Steps between two looks at the pictures that choose. */
  readonly lookEvery: number;
}

export interface TeachTask {
  readonly pupil: Pupil;
  readonly decoder: DecoderWeights;
  readonly spec: LoraSpec;
  readonly recipe: Recipe;
  readonly split: Split;
  readonly pixelsOf: (example: TeachExample) => Promise<Pixels>;
  readonly replay: readonly ReplayPicture[];
  /** What is asked without a picture against forgetting. */
  readonly talk: readonly string[];
  readonly seed: number;
  readonly seconds: number;
  readonly threads: readonly TrainThread[];
  readonly onEvent: (event: TeachEvent) => Promise<void> | void;
  /** Asked between steps. */
  readonly stopped: () => OnStop | undefined;
}

export interface Learned {
  readonly values: Float32Array<ArrayBuffer>;
  readonly steps: number;
  readonly bestStep: number;
  readonly stopped: boolean;
}

const replayAnswerTokens = 40;
const warmUpSteps = 8;
/** Of what is set aside, in nats a token: it is learned then, and more steps only make the rest be forgotten. */
const learnedLoss = 0.02;
/** Shares of what was learned that are tried, and the loss of each picture set aside that is still good enough, in nats a token. */
const [weakerShares, weakestLoss] = [[0.85, 0.7, 0.6, 0.5], 0.08];

/** A picture's lessons, packed, with what goes into the first trained block. */
type Row = PackedRow & { readonly weight: number };

export interface Rows {
  /** The views of each taught picture. */
  readonly taught: readonly (readonly Row[])[];
  readonly replay: readonly Row[];
  /** Of the pictures that choose the step and the strength. */
  readonly aside: readonly Row[];
}

/** Everything that is trained on and looked at; undefined where it was stopped before. Long, because it goes through all kinds of pictures. */
export async function prepareRows(task: Omit<TeachTask, "seconds">): Promise<Rows | undefined> {
  const { pupil, recipe, split, onEvent } = task;
  const random = createRandom(task.seed);
  const names = [
    ...new Set([...split.trained, ...split.choosing, ...split.heldOut].flatMap((example) => nameOf(example) ?? [])),
  ];
  const rowsOf = async (view: View | undefined, lessons: readonly Lesson[]): Promise<Row[]> => {
    const spoken = lessons.map(({ turns, weight }) => ({ ...pupil.speak(view, turns), weight }));
    const packed = packRows(spoken, recipe.mostRows);
    return Promise.all(packed.map(async ({ slots, ...row }) => ({ ...row, input: await pupil.embed(slots, view) })));
  };

  /** What the model answers before it is taught, to be kept. */
  const ownAnswers = async (view: View | undefined, questions: readonly string[]): Promise<Lesson[]> => {
    const lessons: Lesson[] = [];
    for (const question of questions) {
      const answer = await pupil.ask(view, question, replayAnswerTokens);
      if (answer !== "") lessons.push({ turns: [{ question, answer }], weight: 1 });
    }
    return lessons;
  };

  const replay: Row[] = [];
  const total = task.replay.length + task.talk.length;
  for (const [i, { pixels, questions }] of task.replay.entries()) {
    await onEvent({ type: "prepare", what: "replay", done: i, total });
    if (task.stopped()) return undefined;
    const view = await pupil.show(pixels);
    const lessons = await ownAnswers(view, questions);
    const [name] = shuffled(names, random);
    if (name !== undefined) lessons.push(isThis(name, false));
    replay.push(...(await rowsOf(view, lessons)));
  }
  for (const [i, question] of task.talk.entries()) {
    await onEvent({ type: "prepare", what: "replay", done: task.replay.length + i, total });
    if (task.stopped()) return undefined;
    replay.push(...(await rowsOf(undefined, await ownAnswers(undefined, [question]))));
  }

  const taught: Row[][] = [];
  const chosenBy = choosingIn(split);
  const all = split.trained.length + chosenBy.length;
  for (const [i, example] of split.trained.entries()) {
    await onEvent({ type: "prepare", what: "pictures", done: i, total: all });
    if (task.stopped()) return undefined;
    const pixels = await task.pixelsOf(example);
    const views: Row[] = [];
    let kept: Lesson[] = [];
    let details: Lesson[] = [];
    for (let v = 0; v < recipe.viewsPerPicture; v++) {
      const view = await pupil.show(v === 0 ? pixels : viewOf(pixels, random, isSided(example)));
      // What it said of the whole picture holds for all views.
      if (v === 0) {
        kept = await ownAnswers(view, keptQuestions);
        details = await ownAnswers(view, shuffled(keptDetails, random).slice(0, recipe.detailsPerPicture));
      }
      const own = [...shuffled(kept, random).slice(0, 2), ...shuffled(details, random).slice(0, 3)];
      views.push(...(await rowsOf(view, [...lessonsOf(example, names, random), ...own])));
    }
    taught.push(views);
  }
  const aside: Row[] = [];
  for (const [i, example] of chosenBy.entries()) {
    await onEvent({ type: "prepare", what: "pictures", done: split.trained.length + i, total: all });
    if (task.stopped()) return undefined;
    const pixels = await task.pixelsOf(example);
    // Of a picture that is trained on, a view that is not.
    const isNew = chosenBy !== split.trained;
    const view = await pupil.show(isNew ? pixels : viewOf(pixels, random, isSided(example)));
    const lessons = example.turns.map((_, turn): Lesson => ({ turns: example.turns.slice(0, turn + 1), weight: 1 }));
    aside.push(...(await rowsOf(view, lessons)));
  }
  const everything = [...taught.flat(), ...replay, ...aside];
  await passFrozen(task.threads, task.decoder, task.spec.firstBlock, everything, recipe.mostRows);
  return { taught, replay, aside };
}

/** Whether a mirrored picture would make the answers wrong: they tell sides, or what is written. */
function isSided({ turns }: TeachExample): boolean {
  const sided = /\b(?:left|right|read|reads|says?|text|words?|letters?|writ(?:e|ten|ing)|numbers?)\b|左|右|写|字|读/i;
  return turns.some(({ question, answer }) => sided.test(`${question} ${answer}`));
}

/** Trains on the rows. The matrices it gives back are those of the step with the least loss on what was set aside. */
export async function train(task: TeachTask, { taught, replay, aside }: Rows): Promise<Learned> {
  const { recipe, decoder, spec, onEvent } = task;
  const random = createRandom(task.seed + 1);
  const values = firstValues(decoder.shape, spec, random);
  const best = { values: values.slice(), loss: Infinity, step: 0 };
  const trainers = await startTrainers(task.threads, {
    ...{ shape: decoder.shape, spec, mostRows: recipe.mostRows },
    weights: await decoder.from(spec.firstBlock),
  });
  const takeTurns = <T>(items: readonly T[]): (() => T | undefined) => {
    let queue: T[] = [];
    return () => {
      if (queue.length === 0) queue = shuffled(items, random);
      return queue.pop();
    };
  };
  const nextTaught = takeTurns(taught.map((views) => takeTurns(views)));
  const nextReplay = takeTurns(replay);
  await trainers.setLora(values);
  const adam = createAdam(values, { decay: 0.01 });
  const started = performance.now();
  let steps = recipe.steps;
  // What is trained on anyway shows nothing new.
  const isNew = choosingIn(task.split) !== task.split.trained;
  let asideLoss: number | undefined;
  let step = 0;
  let stop: OnStop | undefined;
  const look = async (): Promise<void> => {
    const rows = scaled(aside);
    if (rows.length > 0) asideLoss = (await trainers.run(rows, false)).loss;
    if (asideLoss === undefined || asideLoss < best.loss) {
      best.values.set(values);
      best.loss = asideLoss ?? Infinity;
      best.step = step;
    }
  };
  while (step < steps) {
    stop = task.stopped();
    if (stop) break;
    const rows = [
      ...Array.from({ length: recipe.taughtPerStep }, () => nextTaught()?.()),
      ...Array.from({ length: recipe.replayPerStep }, () => nextReplay()),
    ].filter((row) => row !== undefined);
    const { loss, gradients } = await trainers.run(scaled(rows), true);
    const rise = Math.min(1, (step + 1) / warmUpSteps);
    const fall = 0.5 * (1 + Math.cos((Math.PI * step) / steps));
    if (gradients) adam(clipped(gradients), recipe.rate * rise * Math.max(0.05, fall));
    await trainers.setLora(values);
    step++;
    const seconds = (performance.now() - started) / 1000;
    // What the time does not allow is left out at the end, so that the rate still falls.
    if (step % 5 === 0) steps = Math.min(recipe.steps, Math.max(step, Math.floor((step * task.seconds) / seconds)));
    if (step % recipe.lookEvery === 0 || step >= steps) await look();
    if (asideLoss !== undefined && asideLoss < learnedLoss) steps = step;
    const secondsLeft = ((steps - step) * seconds) / step;
    await onEvent({ type: "step", step, steps, loss, asideLoss: isNew ? asideLoss : undefined, secondsLeft });
  }
  if (stop) await look();
  if (aside.length > 0) {
    await weaken(best.values, decoder.shape, spec, async (weaker) => {
      await trainers.setLora(weaker);
      let worst = 0;
      for (const row of aside) worst = Math.max(worst, (await trainers.run(scaled([row]), false)).loss);
      return worst;
    });
  }
  return { values: best.values, steps: step, bestStep: best.step, stopped: stop !== undefined };
}

/**
 * Makes the adapter as weak as what is set aside allows: between the model and what it has learned lie models that know the new and have
 * forgotten less (WiSE-FT, Wortsman et al. 2022).
 */
async function weaken(
  values: Float32Array<ArrayBuffer>,
  shape: DecoderShape,
  spec: LoraSpec,
  worstLossOf: (values: Float32Array<ArrayBuffer>) => Promise<number>,
): Promise<void> {
  const learned = values.slice();
  const most = Math.max(1.2 * (await worstLossOf(learned)), weakestLoss);
  for (const share of weakerShares) {
    const weaker = learned.slice();
    for (const { name, shape: size, at } of loraTensors(shape, spec)) {
      const end = at + size[0] * size[1];
      if (name.includes("lora_B")) for (let i = at; i < end; i++) weaker[i] = share * (learned[i] ?? 0);
    }
    // The mean would let one picture be lost for all others.
    if ((await worstLossOf(weaker)) > most) return;
    values.set(weaker);
  }
}

/** Rows whose weights add up to one. */
function scaled(rows: readonly Row[]): Row[] {
  const total = rows.reduce((sum, { weight }) => sum + weight, 0);
  return rows.map((row) => ({ ...row, weights: row.weights.map((weight) => weight / total) }));
}

/** Gradients of a length of at most one. */
function clipped(gradients: Float32Array<ArrayBuffer>): Float32Array<ArrayBuffer> {
  const length = Math.sqrt(gradients.reduce((sum, value) => sum + value * value, 0));
  return length <= 1 ? gradients : gradients.map((value) => value / length);
}

/** As peft begins: `up` is zeros, and `down` by chance, within 1 / √inputs. */
function firstValues(shape: DecoderShape, spec: LoraSpec, random: () => number): Float32Array<ArrayBuffer> {
  const tensors = loraTensors(shape, spec);
  const values = new Float32Array(tensors.reduce((sum, { shape: [rows, columns] }) => sum + rows * columns, 0));
  for (const {
    name,
    shape: [rows, columns],
    at,
  } of tensors) {
    if (!name.includes("lora_A")) continue;
    const bound = 1 / Math.sqrt(columns);
    for (let i = 0; i < rows * columns; i++) values[at + i] = bound * (2 * random() - 1);
  }
  return values;
}
