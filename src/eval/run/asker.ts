// What answers questions, whatever it is: an engine in this process or another one, or a server.
import type { ImageMode } from "#engine/types.ts";

/** A question to a model: at most one picture, and the text after it. */
export interface Asked {
  readonly text: string;
  readonly picture?: Blob | undefined;
  readonly maxNewTokens: number;
  readonly imageMode?: ImageMode | undefined;
}

/** Answers one question at a time. */
export interface Asker {
  /** Greedy, without white space at the ends. Rejects with NotAnswered where only this question cannot be answered, and with the signal's reason. */
  ask(question: Asked, signal: AbortSignal): Promise<string>;
  close(): Promise<void>;
}

/** A question that cannot be answered, such as one with a broken picture; the run goes on. */
export class NotAnswered extends Error {}

/** Greedy decoding, as all of LLaVA's benchmarks are run. */
export const greedy = { temperature: 0, topK: 0, topP: 1, minP: 0, repetitionPenalty: 1 } as const;
