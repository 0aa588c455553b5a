// Asks a benchmark's questions: those that no earlier run has answered, picture by picture, by as many askers as there are. Knows no model, no
// benchmark and no file system.
import type { Asked, Asker } from "./asker.ts";
import { NotAnswered } from "./asker.ts";
import type { Placed } from "./order.ts";

/** How far a run has come. */
export interface RunProgress {
  readonly done: number;
  readonly total: number;
  /** Answered by earlier runs. */
  readonly before: number;
  readonly notAnswered: number;
}

export interface RunOptions {
  /** Groups about one picture each, which one asker answers together. */
  readonly groups: readonly (readonly Placed[])[];
  readonly askers: readonly Asker[];
  /** Questions of the whole run, and how many of them earlier runs have answered. */
  readonly total: number;
  readonly before: number;
  /** The question with its picture's bytes; rejects with NotAnswered where the picture is missing. */
  readonly prepare: (placed: Placed) => Promise<Asked>;
  readonly onAnswer: (place: number, text: string) => void;
  readonly onNotAnswered: (place: number, reason: string) => void;
  readonly onProgress: (progress: RunProgress) => void;
  readonly signal: AbortSignal;
}

/** Resolves with the count of questions that could not be answered, and the first reason; rejects with what stopped the run. */
export async function runQuestions(
  options: RunOptions,
): Promise<{ readonly notAnswered: number; readonly reasons: ReadonlyMap<string, number> }> {
  const { groups, askers, total, before } = options;
  const queue = groups.values();
  const reasons = new Map<string, number>();
  let [done, notAnswered] = [before, 0];
  const failed = new AbortController();
  const signal = AbortSignal.any([options.signal, failed.signal]);
  const work = async (asker: Asker): Promise<void> => {
    for (const group of queue) {
      for (const placed of group) {
        signal.throwIfAborted();
        try {
          options.onAnswer(placed.place, await asker.ask(await options.prepare(placed), signal));
        } catch (error) {
          if (!(error instanceof NotAnswered)) throw error;
          notAnswered++;
          const kind = error.message.split(":")[0] ?? "";
          reasons.set(kind, (reasons.get(kind) ?? 0) + 1);
          options.onNotAnswered(placed.place, error.message);
        }
        options.onProgress({ done: ++done, total, before, notAnswered });
      }
    }
  };
  // One that fails stops the others; none is left at work when this rejects.
  const ends = await Promise.allSettled(askers.map((asker) => work(asker).catch((error: unknown) => (failed.abort(error), Promise.reject(error as Error))))); // prettier-ignore
  options.signal.throwIfAborted();
  const failure = ends.find((end) => end.status === "rejected");
  if (failure) throw failure.reason;
  return { notAnswered, reasons };
}
