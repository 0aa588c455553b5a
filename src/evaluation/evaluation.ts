// An evaluation in the page: questions and pictures that were given, a model of this device, answers as they come, and their score. Goes on after a
// pause or a reload without asking anything twice. Knows no DOM and no database.
import { createCell, type Observable } from "#chat/observable.ts";
import { answerLine, shortId, type PictureRef, type Question } from "#eval/benchmarks/benchmark.ts";
import { asDataFiles, indexFiles, type GivenFile, type GivenFiles } from "#eval/files/given-files.ts";
import { dumps } from "#eval/files/python.ts";
import { NotAnswered, type Asker } from "#eval/run/asker.ts";
import { byPicture } from "#eval/run/order.ts";
import { runQuestions } from "#eval/run/run.ts";
import type { Figure } from "#eval/scorers/outcome.ts";
import { scorers } from "#eval/scorers/scorers.ts";
import { rightness } from "#review/rightness.ts";
import { benchmarkOf, chooseQuestions, read, type ChosenQuestions } from "./choose-questions.ts";
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
  /** Of this go: questions answered and the time since it began, for the pace. */
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

/** More bytes of pictures are not copied into the browser's storage. */
const mostPictureBytes = 1e9;

export function createEvaluation({ store, open, firstModelId, now }: EvaluationOptions): Evaluation {
  const empty: EvaluationState = {
    phase: "empty",
    loaded: 0,
    chosen: undefined,
    pictures: 0,
    modelId: firstModelId,
    answers: new Map(),
    pace: { answered: 0, ms: 0 },
    figures: undefined,
    notes: [],
    trouble: undefined,
  };
  const cell = createCell(empty);
  const change = (part: Partial<EvaluationState>): void => cell.update((state) => ({ ...state, ...part }));
  let given: GivenFiles = indexFiles([]);
  /** Whether this run's entry is in the store. */
  let begun = false;
  let going: AbortController | undefined;

  const storedRun = (running: boolean): StoredRun | undefined => {
    const { chosen, modelId } = cell.get();
    return chosen && { version: 1, name: chosen.name, text: chosen.text, benchmark: chosen.benchmark.id, modelId, running }; // prettier-ignore
  };
  const pictureOf = async (picture: PictureRef): Promise<Blob> => {
    if (picture.kind === "bytes")
      return new Blob([Uint8Array.from(atob(picture.base64), (unit) => unit.charCodeAt(0))]);
    const blob = given.find(picture.path)?.blob ?? (await store.picture(picture.path));
    if (!blob) throw new NotAnswered(`no picture: ${picture.path}`);
    return blob;
  };
  const pathsOf = (questions: readonly Question[]): ReadonlySet<string> =>
    new Set(questions.flatMap(({ picture }) => (picture?.kind === "file" ? [picture.path] : [])));

  /** Whether there is a picture for a question at all; says which are missing. */
  const checkPictures = async (questions: readonly Question[]): Promise<boolean> => {
    const paths = [...pathsOf(questions)];
    const missing: string[] = [];
    for (const path of paths) if (!given.find(path) && !(await store.picture(path))) missing.push(path);
    if (missing.length === 0 || missing.length < paths.length) return true;
    change({ trouble: { kind: "no-pictures", missing: missing.length, of: paths.length, example: missing[0] ?? "" } });
    return false;
  };
  const begin = async (chosen: ChosenQuestions, run: StoredRun): Promise<void> => {
    if (begun) return store.note(run);
    await store.begin(run);
    begun = true;
    const pictures = new Map<string, Blob>();
    for (const path of pathsOf(chosen.questions)) {
      const blob = given.find(path)?.blob;
      if (blob) pictures.set(path, blob);
    }
    const bytes = [...pictures.values()].reduce((sum, { size }) => sum + size, 0);
    if (bytes <= mostPictureBytes) await store.keepPictures(pictures);
  };

  const ask = async (chosen: ChosenQuestions, asker: Asker, signal: AbortSignal): Promise<void> => {
    const { questions, benchmark } = chosen;
    const { answers: before } = cell.get();
    const todo = questions
      .map((question, place) => ({ place, question }))
      .filter(({ place }) => before.get(place) === undefined || before.get(place)?.error !== undefined);
    const began = now();
    let answered = 0;
    const writes = new Set<Promise<void>>();
    const keep = (place: number, answer: StoredAnswer): void => {
      answered++;
      const answers = new Map(cell.get().answers).set(place, answer);
      change({ answers, pace: { answered, ms: now() - began }, figures: undefined });
      const write: Promise<void> = store
        .add(place, answer)
        .catch(() => change({ trouble: { kind: "not-kept" } }))
        .finally(() => writes.delete(write));
      writes.add(write);
    };
    await runQuestions({
      groups: byPicture(todo),
      askers: [asker],
      total: questions.length,
      before: questions.length - todo.length,
      prepare: async ({ question: { text, picture } }) => ({
        text,
        picture: picture && (await pictureOf(picture)),
        maxNewTokens: benchmark.maxNewTokens,
        imageMode: benchmark.imageMode,
      }),
      onAnswer: (place, text) => keep(place, { text, answerId: shortId() }),
      onNotAnswered: (place, error) => keep(place, { text: "", answerId: shortId(), error }),
      onProgress: () => undefined,
      signal,
    });
    await Promise.all(writes);
  };

  const evaluation: Evaluation = {
    get: () => cell.get(),
    subscribe: (listener) => cell.subscribe(listener),
    async give(files) {
      given = indexFiles([...given.all, ...files]);
      const { chosen } = cell.get();
      try {
        const found = begun ? chosen : await chooseQuestions(given);
        const pictures = found ? [...pathsOf(found.questions)].filter((path) => given.find(path)).length : given.size;
        change({ chosen: found, pictures, trouble: found ? undefined : { kind: "no-questions" }, ...(found && !begun ? { phase: "ready" } : {}) }); // prettier-ignore
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
    lines() {
      const { chosen, answers, modelId } = cell.get();
      const lines = (chosen?.questions ?? []).flatMap((question, place) => {
        const answer = answers.get(place);
        if (!answer) return [];
        const { answerId, error } = answer;
        return [`${dumps(answerLine(question, answer.text, { answerId, modelId, ...(error === undefined ? {} : { error }) }))}\n`]; // prettier-ignore
      });
      return lines.join("");
    },
    async score() {
      const { chosen, answers, modelId } = cell.get();
      if (!chosen || answers.size === 0) return;
      const { benchmark, questions } = chosen;
      const own = ownFigures(questions, answers);
      const scorer = scorers.find(({ id }) => id === benchmark.id);
      if (!scorer) return change({ figures: own });
      try {
        const labelled = await scorer.load(asDataFiles(given, benchmark.folders[0] ?? benchmark.title));
        const outcome = labelled.score({ name: `${modelId}.jsonl`, text: evaluation.lines() }, false);
        change({ figures: outcome.figures(outcome.items), notes: outcome.notes });
      } catch (error) {
        if (own) change({ figures: own });
        else change({ trouble: { kind: "not-scored", detail: sentenceOf(error) } });
      }
    },
    async discard() {
      going?.abort(new DOMException("discarded", "AbortError"));
      going = undefined;
      given = indexFiles([]);
      begun = false;
      await store.clear();
      cell.set({ ...empty, modelId: cell.get().modelId });
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
