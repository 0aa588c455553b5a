import { describe, expect, test, vi } from "vitest";
import { EngineError } from "#engine/errors.ts";
import type { GenerateEvent, GenerateRequest, PictureKinds } from "#engine/types.ts";
import type { AssistantTurn } from "#chat/conversation/conversation.ts";
import { canContinue, continuedTurn, queuedTurn, reduceTurn, runTurn, type TurnEvent } from "./run-turn.ts";

const timings = { imageMs: 1, visionMs: 2, prefillMs: 3, decodeMs: 4, firstTokenMs: 6, totalMs: 10 };
const usage = { promptTokens: 120, cachedTokens: 0, imageTokens: 100, newTokens: 2 };
const done = (reason: "eos" | "length" | "abort"): GenerateEvent & { readonly type: "done" } => ({
  type: "done",
  reason,
  usage,
  timings,
});
const after = (...events: TurnEvent[]): AssistantTurn => events.reduce(reduceTurn, queuedTurn("a"));
const request: GenerateRequest = {
  messages: [],
  sampling: { temperature: 0, topK: 0, topP: 1, minP: 0, repetitionPenalty: 1 },
  maxNewTokens: 8,
  stop: [],
};

describe("an answer, event by event", () => {
  test("waits until it is started, then names the device", () => {
    expect(after().status).toBe("queued");
    expect(after({ type: "started", device: "wasm" })).toMatchObject({ status: "running", device: "wasm", text: "" });
  });

  test("joins the pieces of text in their order", () => {
    const turn = after(
      { type: "started", device: "wasm" },
      { type: "text", text: "Two " },
      { type: "text", text: "cats." },
    );
    expect(turn.text).toBe("Two cats.");
  });

  test("shows the stage while it runs and forgets it at the end", () => {
    const stage: TurnEvent = { type: "stage", stage: "vision", done: 0, total: 1 };
    expect(after({ type: "started", device: "wasm" }, stage).stage).toEqual({ stage: "vision", done: 0, total: 1 });
    expect(after({ type: "started", device: "wasm" }, stage, done("eos")).stage).toBeUndefined();
  });

  test("keeps reason, usage and timings of a normal end", () => {
    expect(after({ type: "started", device: "wasm" }, done("length"))).toMatchObject({
      status: "done",
      reason: "length",
      usage,
      timings,
    });
  });

  test("knows that the model saw a photograph, and nothing where its vision encoder does not tell", () => {
    const started: TurnEvent = { type: "started", device: "wasm" };
    const saw = (...pictures: PictureKinds): AssistantTurn => after(started, { ...done("eos"), pictures });
    expect(saw("drawing", "photograph", undefined).sawPhotograph).toBe(true);
    expect(saw("drawing", undefined)).not.toHaveProperty("sawPhotograph");
    expect(after(started, done("eos"))).not.toHaveProperty("sawPhotograph");
  });

  test("an abort is a stop, not a failure, and keeps what was said", () => {
    const turn = after({ type: "started", device: "wasm" }, { type: "text", text: "Two" }, done("abort"));
    expect(turn).toMatchObject({ status: "stopped", text: "Two" });
    expect(turn.failure).toBeUndefined();
  });

  test("tells how long its server is silent, until it speaks or the answer ends", () => {
    const waiting: TurnEvent = { type: "waiting", silentMs: 20_000 };
    const started: TurnEvent = { type: "started", device: "remote" };
    expect(after(started, waiting).silentMs).toBe(20_000);
    expect(after(started, waiting, { type: "waiting", silentMs: 0 }).silentMs).toBeUndefined();
    expect(after(started, waiting, done("abort")).silentMs).toBeUndefined();
    expect(after(started, waiting, { type: "stopped" }).silentMs).toBeUndefined();
    expect(
      after(started, waiting, { type: "failed", failure: { code: "server-silent", detail: "" } }).silentMs,
    ).toBeUndefined();
  });

  test("keeps a server's own word for its ending; one that just ended can go on, and forgets it then", () => {
    const started: TurnEvent = { type: "started", device: "remote" };
    const text: TurnEvent = { type: "text", text: "Three" };
    const odd = after(started, text, { type: "done", reason: "stop", ending: "tired", usage, timings });
    expect(odd).toMatchObject({ status: "done", ending: "tired" });
    expect(canContinue(odd)).toBe(false);
    const silent = after(started, text, { type: "done", reason: "stop", ending: "", usage, timings });
    expect(canContinue(silent)).toBe(true);
    expect(continuedTurn(silent)).not.toHaveProperty("ending");
  });

  test("nothing changes an answer that has ended", () => {
    const ended = after({ type: "started", device: "wasm" }, done("eos"));
    expect(reduceTurn(ended, { type: "text", text: "late" })).toBe(ended);
    expect(reduceTurn(ended, { type: "failed", failure: { code: "internal", detail: "" } })).toBe(ended);
  });
});

/** Yields the events, then throws the error, if there is one. */
async function* play(events: readonly GenerateEvent[], error?: Error): AsyncGenerator<GenerateEvent> {
  for (const event of events) {
    await Promise.resolve();
    yield event;
  }
  if (error !== undefined) throw error;
}

describe("running an answer", () => {
  const run = async (
    events: () => AsyncGenerator<GenerateEvent>,
    signal = new AbortController().signal,
  ): Promise<AssistantTurn> => {
    let turn = after({ type: "started", device: "wasm" });
    await runTurn({ generate: events }, request, signal, (event) => {
      turn = reduceTurn(turn, event);
    });
    return turn;
  };

  test("ends well when the events do", async () => {
    const turn = await run(() => play([{ type: "text", text: "Red." }, done("eos")]));
    expect(turn).toMatchObject({ status: "done", text: "Red." });
  });

  test("an error becomes a failure with its code, and the words before it stay", async () => {
    const turn = await run(() => play([{ type: "text", text: "Re" }], new EngineError("device-lost", "gone")));
    expect(turn).toMatchObject({ status: "failed", text: "Re", failure: { code: "device-lost", detail: "gone" } });
  });

  test("an error that came through the worker keeps its code in its name", async () => {
    const turn = await run(() => play([], Object.assign(new Error("full"), { name: "EngineError/context-full" })));
    expect(turn.failure?.code).toBe("context-full");
  });

  test("events that just end are a failure, unless it was stopped", async () => {
    const nothing = (): AsyncGenerator<GenerateEvent> => play([]);
    expect((await run(nothing)).failure?.code).toBe("internal");
    expect((await run(nothing, AbortSignal.abort())).status).toBe("stopped");
  });

  test("an unknown error after Stop is a stop too, and is told to developers; an AbortError is not", async () => {
    const warn = vi.spyOn(console, "warn").mockReturnValue();
    const failing = (error: Error) => run(() => play([], error), AbortSignal.abort());
    expect((await failing(new DOMException("stopped", "AbortError"))).status).toBe("stopped");
    expect(warn).not.toHaveBeenCalled();
    const bug = new TypeError("undefined is not a function");
    expect((await failing(bug)).status).toBe("stopped");
    expect(warn).toHaveBeenCalledExactlyOnceWith(expect.stringContaining("after Stop"), bug);
    warn.mockRestore();
  });

  test("an AbortError after Stop is a stop; a device lost meanwhile is still told", async () => {
    const throwing = (error: Error) => (): AsyncGenerator<GenerateEvent> => play([{ type: "text", text: "x" }], error);
    expect((await run(throwing(new DOMException("stopped", "AbortError")), AbortSignal.abort())).status).toBe(
      "stopped",
    );
    expect((await run(throwing(new EngineError("device-lost", "x")), AbortSignal.abort())).status).toBe("failed");
  });
});
