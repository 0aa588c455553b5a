// Teaching a model a lesson: the plan, the steps with their losses, and the result, which is kept with the lesson. One at a time, in this tab
// and in all others. Goes on whatever the page shows. Knows no worker and no page.
import { errorCodeOf, type ErrorCode } from "#engine/errors.ts";
import { createCell, type Observable } from "#chat/observable.ts";
import type { HeldOutAnswer, OnStop, Taught, TeachEvent, TeachExample, TeachPlan } from "#worker/teach/teach-api.ts";
import { examplesOf } from "./lesson-check.ts";
import { lessonTitle, type Lesson, type LessonResult, type LossPoint, type TestRow } from "./lesson.ts";

/** A model on this device that may be taught. */
export interface Pupil {
  readonly id: string;
  readonly name: string;
  /** The address of its package, "" when it came from a file. */
  readonly path: string;
}

/** What is taught to whom. */
interface Assignment {
  readonly lesson: Lesson;
  readonly pupil: Pupil;
  /** The steps end after this time at the latest. */
  readonly minutes: number;
}

interface Course {
  readonly lessonId: string;
  readonly pupil: Pupil;
}

export type TeachingState =
  | { readonly phase: "idle" }
  | ({ readonly phase: "planning" } & Course)
  | ({ readonly phase: "planned"; readonly plan: TeachPlan } & Course)
  | ({ readonly phase: "running"; readonly run: TeachingRun } & Course)
  | ({ readonly phase: "done"; readonly result: LessonResult } & Course)
  /** It was stopped, and nothing of it is kept. */
  | ({ readonly phase: "stopped" } & Course)
  /** No step made it better about the pictures that were set aside, so nothing is kept. */
  | ({ readonly phase: "unlearned" } & Course)
  /** Another tab of this page is teaching. */
  | ({ readonly phase: "busy" } & Course)
  | ({ readonly phase: "failed"; readonly code: ErrorCode } & Course);

export interface TeachingRun {
  readonly stage: "prepare" | "before" | "step" | "saving" | "after";
  /** What is prepared, and how far. */
  readonly prepared?: { readonly what: "model" | "pictures" | "replay"; readonly done: number; readonly total: number };
  readonly step: number;
  /** 0 until the first one. */
  readonly steps: number;
  readonly secondsLeft: number | undefined;
  readonly curve: readonly LossPoint[];
  readonly before: readonly HeldOutAnswer[] | undefined;
  /** Set once it was asked to end. */
  readonly stopping: OnStop | undefined;
}

export interface TeachingRequest {
  readonly pupil: Pupil;
  readonly examples: readonly TeachExample[];
  /** What the adapter is to be called. */
  readonly name: string;
  readonly minutes: number;
}

/** Whoever does the work. */
export interface Teacher {
  plan(request: TeachingRequest): Promise<TeachPlan>;
  /** `stop.then` is asked once the signal has aborted. Resolves with undefined where nothing is kept. */
  teach(
    request: TeachingRequest,
    onEvent: (event: TeachEvent) => void,
    stop: { readonly signal: AbortSignal; readonly then: () => OnStop },
  ): Promise<Taught | undefined>;
  /** Gives back the memory that it holds, until it is asked again. */
  end(): void;
}

export interface Teaching extends Observable<TeachingState> {
  /** Asks what it would take; a later call replaces an earlier one. */
  plan(assignment: Assignment): Promise<void>;
  start(assignment: Assignment): Promise<void>;
  stop(then: OnStop): void;
  /** Forgets what was planned, and what has ended. */
  dismiss(): void;
}

interface TeachingOptions {
  readonly teacher: Teacher;
  /** The pictures' bytes by key. */
  readonly blobs: () => ReadonlyMap<string, Blob>;
  readonly keepResult: (lessonId: string, result: LessonResult) => void;
  /** Makes the new adapter one of the models that can be chosen. */
  readonly listModels: () => Promise<void>;
  /** Runs the work while no other tab teaches; false where one does. */
  readonly alone: (work: () => Promise<void>) => Promise<boolean>;
  readonly now: () => number;
}

const startOfRun: TeachingRun = { stage: "prepare", step: 0, steps: 0, secondsLeft: undefined, curve: [], before: undefined, stopping: undefined }; // prettier-ignore

/** Longer than most functions: what a person can do with a teaching, over its one state. */
export function createTeaching(options: TeachingOptions): Teaching {
  const { teacher, blobs, keepResult, listModels, alone, now } = options;
  const cell = createCell<TeachingState>({ phase: "idle" });
  let abort = new AbortController();
  let onStop: OnStop = "discard";
  let plans = 0;
  const isDiscarded = (): boolean => abort.signal.aborted && onStop === "discard";
  const isRunning = (): boolean => cell.get().phase === "running";
  const requestFor = ({ lesson, pupil, minutes }: Assignment): TeachingRequest => ({
    pupil,
    minutes,
    name: lessonTitle(lesson),
    examples: toTeachExamples(lesson, blobs()),
  });
  const updateRun = (change: (run: TeachingRun) => TeachingRun): void =>
    cell.update((state) => (state.phase === "running" ? { ...state, run: change(state.run) } : state));

  const run = async (assignment: Assignment, course: Course): Promise<void> => {
    const { lesson, pupil } = assignment;
    const request = requestFor(assignment);
    const curve: LossPoint[] = [];
    let answers: { before: readonly HeldOutAnswer[]; after: readonly HeldOutAnswer[] } = { before: [], after: [] };
    const hear = (event: TeachEvent): void => {
      if (event.type === "before") answers = { ...answers, before: event.answers };
      if (event.type === "after") answers = { ...answers, after: event.answers };
      if (event.type === "step") curve.push({ step: event.step, loss: event.loss, heldOut: event.asideLoss });
      updateRun((shown) => afterEvent(shown, event, thinned(curve)));
    };
    const taught = await teacher.teach(request, hear, { signal: abort.signal, then: () => onStop });
    if (taught === undefined) return cell.set({ phase: abort.signal.aborted ? "stopped" : "unlearned", ...course });
    const keys = new Map(examplesOf(lesson).map(({ pictureId, key }) => [pictureId, key]));
    const result: LessonResult = {
      adapterId: taught.adapterId,
      adapterName: request.name,
      modelName: pupil.name,
      at: now(),
      seconds: taught.seconds,
      pictures: request.examples.length,
      stopped: taught.stopped,
      ...(taught.chosenByHeldOut ? { chosenByTest: true } : {}),
      curve: thinned(curve),
      rows: toRows(answers, keys),
    };
    keepResult(lesson.id, result);
    await listModels().catch((error: unknown) => console.warn("The models could not be listed:", error));
    cell.set({ phase: "done", result, ...course });
  };

  return {
    get: () => cell.get(),
    subscribe: (listener) => cell.subscribe(listener),
    async plan(assignment) {
      if (isRunning()) return;
      const number = ++plans;
      const course: Course = { lessonId: assignment.lesson.id, pupil: assignment.pupil };
      const isCurrent = (): boolean => number === plans && cell.get().phase === "planning";
      cell.set({ phase: "planning", ...course });
      try {
        const plan = await teacher.plan(requestFor(assignment));
        if (isCurrent()) cell.set({ phase: "planned", plan, ...course });
      } catch (error) {
        console.warn("The teaching could not be planned:", error);
        if (isCurrent()) cell.set({ phase: "failed", code: errorCodeOf(error), ...course });
      }
    },
    async start(assignment) {
      if (isRunning()) return;
      plans++;
      const course: Course = { lessonId: assignment.lesson.id, pupil: assignment.pupil };
      abort = new AbortController();
      onStop = "discard";
      cell.set({ phase: "running", run: startOfRun, ...course });
      try {
        const ran = await alone(() => run(assignment, course));
        if (!ran) cell.set({ phase: "busy", ...course });
      } catch (error) {
        if (isDiscarded()) return cell.set({ phase: "stopped", ...course });
        console.warn("The teaching failed:", error);
        cell.set({ phase: "failed", code: errorCodeOf(error), ...course });
      } finally {
        teacher.end();
      }
    },
    stop(then) {
      if (!isRunning()) return;
      onStop = then;
      updateRun((shown) => ({ ...shown, stopping: then }));
      abort.abort();
    },
    dismiss() {
      if (isRunning()) return;
      plans++;
      if (cell.get().phase !== "idle") teacher.end();
      cell.set({ phase: "idle" });
    },
  };
}

/** One example per picture that has its bytes here. */
function toTeachExamples(lesson: Lesson, blobs: ReadonlyMap<string, Blob>): TeachExample[] {
  return examplesOf(lesson).flatMap(({ pictureId, key, question, answer }) => {
    const picture = blobs.get(key);
    return picture === undefined ? [] : [{ id: pictureId, picture, turns: [{ question, answer }] }];
  });
}

function afterEvent(run: TeachingRun, event: TeachEvent, curve: readonly LossPoint[]): TeachingRun {
  switch (event.type) {
    case "prepare": {
      const { what, done, total } = event;
      return { ...run, stage: "prepare", prepared: { what, done, total } };
    }
    case "before":
      return { ...run, stage: "before", before: event.answers };
    case "step":
      return { ...run, stage: "step", step: event.step, steps: event.steps, secondsLeft: event.secondsLeft, curve };
    case "saving":
      return { ...run, stage: "saving", secondsLeft: undefined };
    case "after":
      return { ...run, stage: "after" };
  }
}

/** More points than this say nothing to the eye. */
const mostPoints = 120;

/** The first, the last, and evenly what is between. */
function thinned(curve: readonly LossPoint[]): readonly LossPoint[] {
  if (curve.length <= mostPoints) return [...curve];
  const stride = (curve.length - 1) / (mostPoints - 1);
  return Array.from({ length: mostPoints }, (_, i) => curve[Math.round(i * stride)]).filter(
    (point) => point !== undefined,
  );
}

function toRows(
  { before, after }: { readonly before: readonly HeldOutAnswer[]; readonly after: readonly HeldOutAnswer[] },
  keys: ReadonlyMap<string, string>,
): TestRow[] {
  return after.map(({ id, asked, wanted, answered, right }) => {
    const first = before.find((one) => one.id === id && one.asked === asked);
    return {
      key: keys.get(id) ?? "",
      asked,
      wanted,
      before: first?.answered ?? "",
      beforeRight: first?.right ?? false,
      after: answered,
      afterRight: right,
    };
  });
}
