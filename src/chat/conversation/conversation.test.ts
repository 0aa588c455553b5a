import { describe, expect, test } from "vitest";
import type { AnswerStatus, AssistantTurn, Picture, UserTurn } from "./conversation.ts";
import { toMessages, tokensPerSecond } from "./conversation.ts";

const picture = (id: string): Picture => ({ id, name: `${id}.png`, blob: new Blob([id]) });
const ask = (text: string, ...pictures: Picture[]): UserTurn => ({ role: "user", id: `q-${text}`, text, pictures });
const answer = (text: string, status: AnswerStatus = "done"): AssistantTurn => ({
  role: "assistant",
  id: `a-${text}`,
  text,
  status,
});

describe("messages for the model", () => {
  test("pictures come before the words of their turn", () => {
    const cat = picture("cat");
    expect(toMessages([ask("What is this?", cat)])).toEqual([
      {
        role: "user",
        parts: [
          { type: "image", blob: cat.blob },
          { type: "text", text: "What is this?" },
        ],
      },
    ]);
  });

  test("answered turns alternate, and the last question ends them", () => {
    const roles = toMessages([ask("a"), answer("b"), ask("c")]).map((message) => message.role);
    expect(roles).toEqual(["user", "assistant", "user"]);
  });

  test("a question that got no answer is left out, but its pictures stay with the next one", () => {
    const cat = picture("cat");
    const dog = picture("dog");
    const messages = toMessages([ask("first", cat), answer("", "failed"), ask("second", dog)]);
    expect(messages).toHaveLength(1);
    expect(messages[0]?.parts).toEqual([
      { type: "image", blob: cat.blob },
      { type: "image", blob: dog.blob },
      { type: "text", text: "second" },
    ]);
  });

  test("an answer that was stopped half-way counts as said", () => {
    expect(toMessages([ask("a"), answer("half", "stopped"), ask("c")])).toHaveLength(3);
  });

  test("a picture alone is a question without words", () => {
    expect(toMessages([ask("", picture("cat"))])[0]?.parts).toHaveLength(1);
  });
});

describe("tokens per second", () => {
  const timings = { imageMs: 0, visionMs: 0, prefillMs: 0, decodeMs: 500, firstTokenMs: 0, totalMs: 0 };
  const usage = { promptTokens: 1, cachedTokens: 0, imageTokens: 0, newTokens: 11 };

  test("count what the decode loop made, without the first token", () => {
    expect(tokensPerSecond({ ...answer("x"), timings, usage })).toBe(20);
  });

  test("of a single token are the pace of the prefill that made it", () => {
    const single = { ...answer("x"), timings: { ...timings, prefillMs: 190, decodeMs: 10 } };
    expect(tokensPerSecond({ ...single, usage: { ...usage, newTokens: 1 } })).toBe(5);
  });

  test("are unknown without a token, without time or without figures", () => {
    expect(tokensPerSecond(answer("x"))).toBeUndefined();
    expect(tokensPerSecond({ ...answer("x"), timings, usage: { ...usage, newTokens: 0 } })).toBeUndefined();
    expect(tokensPerSecond({ ...answer("x"), timings: { ...timings, decodeMs: 0 }, usage })).toBeUndefined();
  });
});
