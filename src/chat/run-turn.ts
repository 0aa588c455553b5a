// Turns the events of an answer into its state, and is the only place that does: a pure reducer, and the loop that feeds it. Knows no
// page and no storage.
import { errorCodeOf } from "#engine/errors.ts";
import type { GenerateEvent, GenerateRequest } from "#engine/types.ts";
import { RemoteError } from "#remote/http/errors.ts";
import type { AnswerDevice, Answerer, AssistantTurn, Failure } from "#chat/conversation/conversation.ts";
import type { ModelClient } from "#chat/models/model-client.ts";

/** What can happen to one answer. */
export type TurnEvent =
  | GenerateEvent
  | { readonly type: "started"; readonly device: AnswerDevice; readonly model?: Answerer }
  | { readonly type: "stopped" }
  | { readonly type: "failed"; readonly failure: Failure };

/** An empty answer that waits for the model; `at` as in a turn. */
export function queuedTurn(id: string, at?: number): AssistantTurn {
  return { role: "assistant", id, text: "", status: "queued", ...(at === undefined ? {} : { at }) };
}

/** Whether the answer was cut off and has words to go on from. */
export function canContinue(turn: AssistantTurn): boolean {
  const cutOff = turn.status === "done" && (turn.reason === "length" || turn.ending === "");
  return turn.text.trim() !== "" && (turn.status === "stopped" || cutOff);
}

/** The answer, waiting for the model to go on with it. White space at its end is cut, because the model writes it again. */
export function continuedTurn(turn: AssistantTurn): AssistantTurn {
  const rest: { -readonly [K in keyof AssistantTurn]: AssistantTurn[K] } = { ...turn };
  delete rest.reason;
  delete rest.ending;
  return { ...rest, text: turn.text.trimEnd(), status: "queued" };
}

/** The figures of an answer that came in two parts: new tokens and decoding times are added, the prompt is that of the last part. */
function addFigures(
  turn: AssistantTurn,
  event: GenerateEvent & { type: "done" },
): Pick<AssistantTurn, "usage" | "timings"> {
  const { usage, timings } = event;
  if (turn.usage === undefined || turn.timings === undefined) return { usage, timings };
  return {
    // The prompt of the last part holds the tokens of the first, which count as new tokens already.
    usage: {
      ...usage,
      promptTokens: Math.max(0, usage.promptTokens - turn.usage.newTokens),
      newTokens: usage.newTokens + turn.usage.newTokens,
    },
    timings: {
      ...timings,
      decodeMs: timings.decodeMs + turn.timings.decodeMs,
      firstTokenMs: turn.timings.firstTokenMs,
      totalMs: timings.totalMs + turn.timings.totalMs,
    },
  };
}

/** The fields that only an answer under way has. */
const ended = { stage: undefined, silentMs: undefined };

/** The answer after one more event. An answer that has ended stays as it is. */
export function reduceTurn(turn: AssistantTurn, event: TurnEvent): AssistantTurn {
  if (turn.status !== "queued" && turn.status !== "running") return turn;
  switch (event.type) {
    case "started":
      return {
        ...turn,
        status: "running",
        device: event.device,
        ...(event.model === undefined ? {} : { model: event.model }),
      };
    case "stage": {
      const { stage, done, total } = event;
      return { ...turn, stage: { stage, done, total } };
    }
    case "text":
      return event.text === "" ? turn : { ...turn, text: turn.text + event.text };
    case "waiting":
      return { ...turn, silentMs: event.silentMs === 0 ? undefined : event.silentMs };
    case "done":
      return {
        ...turn,
        ...ended,
        status: event.reason === "abort" ? "stopped" : "done",
        reason: event.reason,
        ...(event.ending === undefined ? {} : { ending: event.ending }),
        ...addFigures(turn, event),
        ...(event.pictures?.includes("photograph") === true ? { sawPhotograph: true } : {}),
      };
    case "stopped":
      return { ...turn, ...ended, status: "stopped", reason: "abort" };
    case "failed":
      return { ...turn, ...ended, status: "failed", failure: event.failure };
  }
}

/** The failure to show for what was thrown. */
export function toFailure(error: unknown): Failure {
  if (error instanceof RemoteError) {
    const { code, message, serverMessage } = error;
    return { code, detail: message, ...(serverMessage === "" ? {} : { said: serverMessage }) };
  }
  return { code: errorCodeOf(error), detail: error instanceof Error ? error.message : String(error) };
}

/** Runs one answer to its end. `apply` always gets a last event that ends the turn; nothing is thrown. */
export async function runTurn(
  client: Pick<ModelClient, "generate">,
  request: GenerateRequest,
  signal: AbortSignal,
  apply: (event: TurnEvent) => void,
): Promise<void> {
  let ended = false;
  try {
    for await (const event of client.generate(request, signal)) {
      apply(event);
      if (event.type === "done") ended = true;
    }
    if (ended) return;
    if (signal.aborted) apply({ type: "stopped" });
    else apply({ type: "failed", failure: { code: "internal", detail: "the events ended without a last one" } });
  } catch (error) {
    const failure = toFailure(error);
    // An abort is a normal ending, but a device that was lost while stopping is a failure.
    if (signal.aborted && failure.code === "internal") {
      // The answer has ended already; the error is logged for developers.
      if (!(error instanceof Error && error.name === "AbortError")) console.warn("An answer failed after Stop:", error);
      apply({ type: "stopped" });
    } else apply({ type: "failed", failure });
  }
}
