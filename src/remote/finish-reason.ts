// Maps the many finish reasons that servers send to the engine's few, or to an error where the answer did not end well.
import type { FinishReason } from "#engine/types.ts";
import { RemoteError } from "#remote/http/errors.ts";
import type { Ending } from "#remote/stream/chunks.ts";

/** Finish reasons in lower case; servers differ in case as well. */
const reasons: Readonly<Record<string, FinishReason>> = {
  stop: "eos",
  eos: "eos",
  eos_token: "eos",
  end: "eos",
  end_turn: "eos",
  stop_sequence: "eos",
  complete: "eos",
  completed: "eos",
  length: "length",
  max_tokens: "length",
  max_length: "length",
  max_output_tokens: "length",
  model_length: "context",
};
const filters = /filter|safety|recitation|blocklist|prohibited|spii|refusal|moderation/i;
const tools = /tool|function/i;
const breaks = /^(abort|aborted|cancel|cancelled|canceled|timeout|time_limit)$/i;

export interface Finish {
  readonly reason: FinishReason;
  /** The server's own finish reason where it is none of those known; "" where the connection just ended. */
  readonly ending?: string;
}

/**
 * Why the answer ended. `finish` is the server's finish reason, "" where it sent none, and `redacted` the same without the key; `hasText`
 * tells whether any text arrived. Throws RemoteError where the end is an error.
 */
export function judgeFinish(finish: string, redacted: string, ending: Ending, hasText: boolean): Finish {
  const reason = reasons[finish.toLowerCase()];
  if (reason !== undefined) return { reason };
  const serverMessage = `finish_reason: ${redacted}`;
  if (filters.test(finish)) throw new RemoteError("server-filtered", serverMessage, { serverMessage });
  if (tools.test(finish)) throw new RemoteError("server-tools", serverMessage, { serverMessage });
  if (breaks.test(finish)) throw new RemoteError("server-broken-stream", serverMessage, { serverMessage });
  if (finish !== "") return { reason: "stop", ending: redacted };
  if (ending === "done") return { reason: "eos" };
  // The connection was closed in good order, but the server never said that the answer is complete.
  if (hasText) return { reason: "stop", ending: "" };
  throw new RemoteError("server-broken-stream", "the connection ended before anything came");
}
