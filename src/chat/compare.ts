// Side by side: several models answer the same question, and a vote says which answer is best. Servers answer at the same time; the
// models of this device share it, so they take turns. Knows no page and stores nothing.
import type { GenerateRequest } from "#engine/types.ts";
import type { AssistantTurn } from "#chat/conversation/conversation.ts";
import type { Verdict, Vote } from "#chat/conversation/vote.ts";
import type { ModelChoice } from "#chat/models/models.ts";
import type { ModelClient } from "#chat/models/model-client.ts";
import { createCell, type Observable } from "./observable.ts";
import { queuedTurn, reduceTurn, runTurn, toFailure, type TurnEvent } from "./run-turn.ts";

export interface CompareColumn {
  readonly choice: ModelChoice;
  readonly turn: AssistantTurn;
}

export interface Comparison extends Observable<readonly CompareColumn[]> {
  /** Resolves when all have ended; what was there before is gone. Ignored while it runs. */
  run(choices: readonly ModelChoice[], request: GenerateRequest): Promise<void>;
  stop(): void;
}

/** True while an answer waits or runs. */
export function isComparing(columns: readonly CompareColumn[]): boolean {
  return columns.some(({ turn }) => turn.status === "queued" || turn.status === "running");
}

/** In a random order; every order is equally likely. */
export function mixed<T>(given: readonly T[], random: () => number = Math.random): T[] {
  const left = [...given];
  return given.flatMap(() => left.splice(Math.floor(random() * left.length), 1));
}

/** `connect` gives a model's client, which may be loaded already; undefined when it is no longer offered. */
export function createComparison(connect: (id: string) => ModelClient | undefined): Comparison {
  const cell = createCell<readonly CompareColumn[]>([]);
  let abort = new AbortController();

  const apply = (id: string, event: TurnEvent): void =>
    cell.update((columns) =>
      columns.map((column) => (column.choice.id === id ? { ...column, turn: reduceTurn(column.turn, event) } : column)),
    );

  const answer = async ({ id }: ModelChoice, request: GenerateRequest, signal: AbortSignal): Promise<void> => {
    // A function, because the compiler does not know that it changes while a model loads.
    const isStopped = (): boolean => signal.aborted;
    if (isStopped()) return apply(id, { type: "stopped" });
    try {
      const client = connect(id);
      if (client === undefined) throw new Error("nobody offers this model any more");
      const { device, name, host } = await client.load(() => undefined);
      if (isStopped()) return apply(id, { type: "stopped" });
      apply(id, { type: "started", device, model: { id, name, ...(host === undefined ? {} : { host }) } });
      await runTurn(client, request, signal, (event) => apply(id, event));
    } catch (error) {
      apply(id, { type: "failed", failure: toFailure(error) });
    }
  };

  return {
    get: () => cell.get(),
    subscribe: (listener) => cell.subscribe(listener),
    async run(choices, request) {
      if (isComparing(cell.get())) return;
      abort = new AbortController();
      const { signal } = abort;
      cell.set(choices.map((choice) => ({ choice, turn: queuedTurn(choice.id) })));
      const here = choices.filter(({ host }) => host === undefined);
      const away = choices.filter(({ host }) => host !== undefined);
      const oneByOne = async (): Promise<void> => {
        for (const choice of here) await answer(choice, request, signal);
      };
      await Promise.all([oneByOne(), ...away.map((choice) => answer(choice, request, signal))]);
    },
    stop: () => abort.abort(),
  };
}

/** Whether an answer can be voted for: a model that failed, or said nothing, has given none. */
export function canWin({ failure, text }: CompareColumn["turn"]): boolean {
  return failure === undefined && text.trim() !== "";
}

/** The vote on a comparison that has ended; `at` in milliseconds since 1970. */
export function toVote(
  columns: readonly CompareColumn[],
  asked: { readonly question: string; readonly pictures: number },
  verdict: Verdict,
  at: number,
): Vote {
  const answers = columns.map(({ choice: { name, host }, turn }) => ({
    model: name,
    ...(host === undefined ? {} : { host }),
    text: turn.text,
    ...(turn.failure === undefined ? {} : { failed: true as const }),
  }));
  return { at, ...asked, answers, verdict };
}
