// Asks the questions of a run that have no answer yet, those about one picture after each other, and stores each answer as it comes.
import { shortId } from "#eval/benchmarks/benchmark.ts";
import type { Asker } from "#eval/run/asker.ts";
import { byPicture } from "#eval/run/order.ts";
import { runQuestions } from "#eval/run/run.ts";
import type { ChosenQuestions } from "./choose-questions.ts";
import type { RunPictures } from "./run-pictures.ts";
import type { RunStore, StoredAnswer } from "./run-store.ts";

export interface AskingOptions {
  readonly chosen: ChosenQuestions;
  readonly before: ReadonlyMap<number, StoredAnswer>;
  readonly asker: Asker;
  readonly pictures: RunPictures;
  readonly store: Pick<RunStore, "add">;
  readonly onAnswer: (place: number, answer: StoredAnswer) => void;
  /** An answer could not be stored. */
  readonly onNotKept: () => void;
  readonly signal: AbortSignal;
}

/** Questions whose answer was an error are asked again. Resolves when all answers are stored. */
export async function askQuestions(options: AskingOptions): Promise<void> {
  const { chosen, before, asker, pictures, store, onAnswer, onNotKept, signal } = options;
  const { questions, benchmark } = chosen;
  const todo = questions
    .map((question, place) => ({ place, question }))
    .filter(({ place }) => before.get(place) === undefined || before.get(place)?.error !== undefined);
  const writes = new Set<Promise<void>>();
  const keep = (place: number, answer: StoredAnswer): void => {
    onAnswer(place, answer);
    const write: Promise<void> = store
      .add(place, answer)
      .catch(onNotKept)
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
      picture: picture && (await pictures.read(picture)),
      maxNewTokens: benchmark.maxNewTokens,
      imageMode: benchmark.imageMode,
    }),
    onAnswer: (place, text) => keep(place, { text, answerId: shortId() }),
    onNotAnswered: (place, error) => keep(place, { text: "", answerId: shortId(), error }),
    onProgress: () => undefined,
    signal,
  });
  await Promise.all(writes);
}
