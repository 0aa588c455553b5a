// An evaluation in the page: questions and pictures that were given, a model of this device, answers as they come, and their score. Goes on after a
// pause or a reload without asking anything twice. Knows no DOM and no database.
import { createCell, type Observable } from "#chat/observable.ts";
import { answerLine, type Question } from "#eval/benchmarks/benchmark.ts";
import { asDataFiles, type GivenFile } from "#eval/files/given-files.ts";
import { dumps } from "#eval/files/python.ts";
import type { Asker } from "#eval/run/asker.ts";
import type { Figure } from "#eval/scorers/outcome.ts";
import { scorers } from "#eval/scorers/scorers.ts";
import { rightness } from "#review/rightness.ts";
import { askQuestions } from "./ask-questions.ts";
import { benchmarkOf, chooseQuestions, read, type ChosenQuestions } from "./choose-questions.ts";
import { createRunPictures } from "./run-pictures.ts";
import type { RunStore, StoredAnswer, StoredRun } from "./run-store.ts";

/** Why nothing goes on; `detail` is the reader's or the engine's own sentence. */
export type Trouble =
  | { readonly kind: "no-questions" | "not-kept" }
  | { readonly kind: "no-pictures"; readonly missing: number; readonly of: number; readonly example: string }
  | { readonly kind: "damaged" | "stopped" | "not-scored"; readonly detail: string };

export interface EvaluationState {
  readonly phase: "empty" | "ready" | "loading" | "running" | "paused" | "done";
  /** From 0 to 1, while the model is loaded. */
  readonly loaded: number;
  readonly chosen: ChosenQuestions | undefined;
  readonly pictures: number;
  readonly modelId: string;
  readonly answers: ReadonlyMap<number, StoredAnswer>;
  /** Questions answered since the run was last started, and the time that took. */
  readonly pace: { readonly answered: number; readonly ms: number };
  readonly figures: readonly Figure[] | undefined;
  /** Sentences, with counts, about answers and labels that do not fit. */
  readonly notes: readonly string[];
  readonly trouble: Trouble | undefined;
}

interface EvaluationOptions {
  readonly store: RunStore;
  /** Loads the model of that id. */
  readonly open: (modelId: string, onLoaded: (share: number) => void, signal: AbortSignal) => Promise<Asker>;
  readonly firstModelId: string;
  readonly now: () => number;
}

export interface Evaluation extends Observable<EvaluationState> {
  give(files: readonly GivenFile[]): Promise<void>;
  chooseModel(id: string): void;
  start(): Promise<void>;
  pause(): void;
  /** LLaVA's answer lines, in the order of the questions; those that have no answer yet are left out. */
  lines(): string;
  score(): Promise<void>;
  /** Forgets the run and all that was given. */
  discard(): Promise<void>;
  /** Brings back what an earlier visit left, and goes on where it was running. */
  restore(): Promise<void>;
}

const emptyState = (modelId: string): EvaluationState => ({
  phase: "empty",
  loaded: 0,
  chosen: undefined,
  pictures: 0,
  modelId,
  answers: new Map(),
  pace: { answered: 0, ms: 0 },
  figures: undefined,
  notes: [],
  trouble: undefined,
});

/** Longer than most functions: what a person can do with a run, over the run's one state. */
export function createEvaluation({ store, open, firstModelId, now }: EvaluationOptions): Evaluation {
  const cell = createCell(emptyState(firstModelId));
  const change = (part: Partial<EvaluationState>): void => cell.update((state) => ({ ...state, ...part }));
  const pictures = createRunPictures(store);
  /** Whether this run's entry is in the store. */
  let begun = false;
  let going: AbortController | undefined;

  const storedRun = (running: boolean): StoredRun | undefined => {
    const { chosen, modelId } = cell.get();
    return chosen && { version: 1, name: chosen.name, text: chosen.text, benchmark: chosen.benchmark.id, modelId, running }; // prettier-ignore
  };
  /** Whether there is a picture for a question at all; says which are missing. */
  const checkPictures = async (questions: readonly Question[]): Promise<boolean> => {
    const { paths, missing } = await pictures.missing(questions);
    if (missing.length === 0 || missing.length < paths.length) return true;
    change({ trouble: { kind: "no-pictures", missing: missing.length, of: paths.length, example: missing[0] ?? "" } });
    return false;
  };
  const begin = async (chosen: ChosenQuestions, run: StoredRun): Promise<void> => {
    if (begun) return store.note(run);
    await store.begin(run);
    begun = true;
    await pictures.store(chosen.questions);
  };
  const ask = async (chosen: ChosenQuestions, asker: Asker, signal: AbortSignal): Promise<void> => {
    const began = now();
    let answered = 0;
    const onAnswer = (place: number, answer: StoredAnswer): void => {
      answered++;
      const answers = new Map(cell.get().answers).set(place, answer);
      change({ answers, pace: { answered, ms: now() - began }, figures: undefined });
    };
    const onNotKept = (): void => change({ trouble: { kind: "not-kept" } });
    const before = cell.get().answers;
    await askQuestions({ chosen, before, asker, pictures, store, onAnswer, onNotKept, signal });
  };

  const evaluation: Evaluation = {
    get: () => cell.get(),
    subscribe: (listener) => cell.subscribe(listener),
    async give(files) {
      pictures.give(files);
      const { chosen } = cell.get();
      try {
        const found = begun ? chosen : await chooseQuestions(pictures.given());
        const count = found ? pictures.count(found.questions) : pictures.given().size;
        change({ chosen: found, pictures: count, trouble: found ? undefined : { kind: "no-questions" }, ...(found && !begun ? { phase: "ready" } : {}) }); // prettier-ignore
      } catch (error) {
        change({ trouble: { kind: "damaged", detail: sentenceOf(error) } });
      }
    },
    chooseModel: (modelId) => {
      if (!begun) change({ modelId });
    },
    async start() {
      const { chosen, modelId, phase } = cell.get();
      if (!chosen || phase === "loading" || phase === "running") return;
      if (!(await checkPictures(chosen.questions))) return;
      const control = new AbortController();
      going = control;
      change({ phase: "loading", loaded: 0, trouble: undefined, notes: [] });
      let asker: Asker | undefined;
      try {
        const run = storedRun(true);
        if (run) await begin(chosen, run);
        asker = await open(modelId, (loaded) => change({ loaded }), control.signal);
        change({ phase: "running", pace: { answered: 0, ms: 0 } });
        await ask(chosen, asker, control.signal);
        change({ phase: "done" });
      } catch (error) {
        change({ phase: "paused", ...(control.signal.aborted ? {} : { trouble: { kind: "stopped", detail: sentenceOf(error) } }) }); // prettier-ignore
      } finally {
        await asker?.close();
        const run = storedRun(false);
        if (run && begun && going === control) await store.note(run);
      }
      if (cell.get().phase === "done") await evaluation.score();
    },
    pause: () => going?.abort(new DOMException("paused", "AbortError")),
    lines: () => answerLines(cell.get()),
    async score() {
      const { chosen, answers, modelId } = cell.get();
      if (!chosen || answers.size === 0) return;
      const { benchmark, questions } = chosen;
      const own = ownFigures(questions, answers);
      const scorer = scorers.find(({ id }) => id === benchmark.id);
      if (!scorer) return change({ figures: own });
      try {
        const labelled = await scorer.load(asDataFiles(pictures.given(), benchmark.folders[0] ?? benchmark.title));
        const outcome = labelled.score({ name: `${modelId}.jsonl`, text: answerLines(cell.get()) }, false);
        change({ figures: outcome.figures(outcome.items), notes: outcome.notes });
      } catch (error) {
        if (own) change({ figures: own });
        else change({ trouble: { kind: "not-scored", detail: sentenceOf(error) } });
      }
    },
    async discard() {
      going?.abort(new DOMException("discarded", "AbortError"));
      going = undefined;
      pictures.forget();
      begun = false;
      await store.clear();
      cell.set(emptyState(cell.get().modelId));
    },
    async restore() {
      const kept = await store.read().catch(() => undefined);
      if (!kept) return;
      const { run, answers } = kept;
      try {
        const chosen = read(benchmarkOf(run.benchmark), run.name, run.text);
        begun = true;
        const isDone = chosen.questions.every((_, place) => answers.get(place)?.error === undefined && answers.has(place)); // prettier-ignore
        change({ chosen, answers, modelId: run.modelId, phase: isDone ? "done" : "paused" });
        if (isDone) await evaluation.score();
        else if (run.running) await evaluation.start();
      } catch {
        // A later version of the page reads this file otherwise: there is nothing to go on with.
        await store.clear();
      }
    },
  };
  return evaluation;
}

function answerLines({ chosen, answers, modelId }: EvaluationState): string {
  const lines = (chosen?.questions ?? []).flatMap((question, place) => {
    const answer = answers.get(place);
    if (!answer) return [];
    const { answerId, error } = answer;
    return [`${dumps(answerLine(question, answer.text, { answerId, modelId, ...(error === undefined ? {} : { error }) }))}\n`]; // prettier-ignore
  });
  return lines.join("");
}

/** Of question files that have their right answers with them; undefined without any. */
function ownFigures(
  questions: readonly Question[],
  answers: ReadonlyMap<number, StoredAnswer>,
): readonly Figure[] | undefined {
  const rights = questions.flatMap(({ references, category = "" }, place) =>
    references ? [{ category, right: rightness(answers.get(place)?.text ?? "", references) }] : [],
  );
  if (rights.length === 0) return undefined;
  const figure = (name: string, some: typeof rights): Figure => ({
    name,
    value: (100 * some.reduce((sum, { right }) => sum + right, 0)) / some.length,
    digits: 2,
    unit: "%",
    items: some.length,
  });
  const categories = [...new Set(rights.map(({ category }) => category))].filter((category) => category !== "");
  return [
    figure("accuracy", rights),
    ...categories.map((name) => figure(name, rights.filter(({ category }) => category === name))), // prettier-ignore
  ];
}

const sentenceOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
