import { describe, expect, test } from "vitest";
import { EngineError } from "#engine/errors.ts";
import type { GenerateEvent, GenerateRequest } from "#engine/types.ts";
import { exportVotes } from "#chat/conversation/vote.ts";
import { addVote, readVotes } from "#chat/persistence/votes.ts";
import { canWin, createComparison, mixed, toVote } from "./compare.ts";
import type { ModelClient, ReadyModel } from "#chat/models/model-client.ts";

const request: GenerateRequest = {
  messages: [{ role: "user", parts: [{ type: "text", text: "?" }] }],
  sampling: { temperature: 0, topK: 0, topP: 1, minP: 0, repetitionPenalty: 1 },
  maxNewTokens: 8,
  stop: [],
};
const timings = { imageMs: 0, visionMs: 0, prefillMs: 0, decodeMs: 0, firstTokenMs: 0, totalMs: 0 };
const usage = { promptTokens: 1, cachedTokens: 0, imageTokens: 0, newTokens: 1 };

/** Speaks its name a moment later; notes in `log` when it begins and ends. */
class Speaker implements ModelClient {
  failure: Error | undefined;
  readonly name: string;
  readonly log: string[];
  constructor(name: string, log: string[] = []) {
    this.name = name;
    this.log = log;
  }
  load = (): Promise<ReadyModel> => {
    const { name } = this;
    const rest = { adapter: "", threads: 1, notices: [], contextLength: 99, imageTokens: 1, loadMs: 1 };
    return Promise.resolve({ id: name, name, device: "wasm", ...rest });
  };
  async *generate(_request: GenerateRequest, signal: AbortSignal): AsyncGenerator<GenerateEvent> {
    this.log.push(`${this.name} begins`);
    await new Promise((resolve) => setTimeout(resolve));
    if (this.failure !== undefined) throw this.failure;
    if (!signal.aborted) yield { type: "text", text: this.name };
    this.log.push(`${this.name} ends`);
    yield { type: "done", reason: signal.aborted ? "abort" : "eos", usage, timings };
  }
  onDied = () => () => undefined;
}
const here = (id: string) => ({ id, name: id });
const away = (id: string) => ({ id, name: id, host: "gpu.example" });

describe("side by side", () => {
  test("models of this device take turns, servers answer meanwhile", async () => {
    const log: string[] = [];
    const comparison = createComparison((id) => new Speaker(id, log));
    await comparison.run([here("a"), here("b"), away("c")], request);
    expect(comparison.get().map(({ turn }) => [turn.status, turn.text])).toEqual([
      ["done", "a"],
      ["done", "b"],
      ["done", "c"],
    ]);
    expect(log.indexOf("a ends")).toBeLessThan(log.indexOf("b begins"));
    expect(log.indexOf("c begins")).toBeLessThan(log.indexOf("a ends"));
  });

  test("one that fails leaves the others alone", async () => {
    const broken = new Speaker("a");
    broken.failure = new EngineError("context-full", "too long");
    const comparison = createComparison((id) => (id === "a" ? broken : id === "gone" ? undefined : new Speaker(id)));
    await comparison.run([here("a"), here("gone"), here("b")], request);
    expect(comparison.get().map(({ turn }) => turn.failure?.code ?? turn.status)).toEqual([
      "context-full",
      "internal",
      "done",
    ]);
  });

  test("Stop ends what runs and what still waits", async () => {
    const comparison = createComparison((id) => new Speaker(id));
    const running = comparison.run([here("a"), here("b")], request);
    comparison.stop();
    await running;
    expect(comparison.get().map(({ turn }) => turn.status)).toEqual(["stopped", "stopped"]);
  });
});

test("a model that failed or said nothing can't win, and its vote says that it failed", async () => {
  const speakers: Record<string, Speaker> = { a: new Speaker("a"), b: new Speaker("b"), c: new Speaker("") };
  const { b } = speakers;
  if (b !== undefined) b.failure = new EngineError("context-full", "too long");
  const comparison = createComparison((id) => speakers[id]);
  await comparison.run([here("a"), here("b"), here("c")], request);
  const columns = comparison.get();
  expect(columns.map(({ turn }) => canWin(turn))).toEqual([true, false, false]);
  const { answers } = toVote(columns, { question: "?", pictures: 0 }, "none", 5);
  expect(answers.map(({ failed }) => failed)).toEqual([undefined, true, undefined]);
});

test("a mixed list has the same members, and any order can come of it", () => {
  const orders = new Set(Array.from({ length: 200 }, () => mixed(["a", "b", "c"]).join("")));
  expect([...orders].sort()).toEqual(["abc", "acb", "bac", "bca", "cab", "cba"]);
});

test("votes are kept with the answers they are about, and exported", async () => {
  const items = new Map<string, string>();
  const storage = () => ({
    getItem: (key: string) => items.get(key) ?? null,
    setItem: (key: string, value: string) => void items.set(key, value),
  });
  const comparison = createComparison((id) => new Speaker(id));
  await comparison.run([here("a"), away("b")], request);
  const vote = toVote(comparison.get(), { question: "?", pictures: 1 }, 1, 5);
  addVote(storage, vote);
  expect(addVote(storage, { ...vote, verdict: "tie" })).toHaveLength(2);
  expect(readVotes(storage)[0]).toEqual({
    at: 5,
    question: "?",
    pictures: 1,
    verdict: 1,
    answers: [
      { model: "a", text: "a" },
      { model: "b", host: "gpu.example", text: "b" },
    ],
  });
  expect(JSON.parse(exportVotes(readVotes(storage)))).toMatchObject({
    version: 1,
    votes: [{ verdict: 1 }, { verdict: "tie" }],
  });
  items.set("llava-web-votes", "{");
  expect(readVotes(storage)).toEqual([]);
});
