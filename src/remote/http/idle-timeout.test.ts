// Servers that say nothing for too long. The timeouts are short but real, because real sockets carry the silence.
import { afterEach, describe, expect, test } from "vitest";
import { ask, start, stopAll, type Answer } from "#testing/servers/asking.node.ts";
import { chunkJson, event } from "#testing/servers/fake-quirks.node.ts";
import { listModels } from "#remote/models.ts";

afterEach(stopAll);

const three = chunkJson({ content: "Three" });

describe("silence", () => {
  test("a list that does not come is asked for again, and told after the third time", async () => {
    const server = await start({ silentLists: 2 });
    const quick = { listMs: 40, listTries: 3 };
    expect(await listModels(server, undefined, quick)).toHaveLength(1);
    expect(server.requests).toHaveLength(3);
    const dead = await start({ silentLists: 9 });
    await expect(listModels(dead, undefined, quick)).rejects.toMatchObject({ code: "server-silent" });
    expect(dead.requests).toHaveLength(3);
    // Stopped meanwhile, it ends at once.
    const leave = AbortSignal.timeout(20);
    await expect(listModels(dead, leave, { listMs: 10_000, listTries: 3 })).rejects.toMatchObject({
      name: "TimeoutError",
    });
  });

  const quiet = { noticeAfterMs: 20, noticeEveryMs: 10, firstChunkMs: 150, nextChunkMs: 100, afterFinishMs: 30 };
  const waits = (answer: Answer): number[] =>
    answer.events.flatMap((one) => (one.type === "waiting" ? [one.silentMs] : []));

  test("before the first words and in the middle of an answer is told while it lasts, and ends with a sentence", async () => {
    const server = await start();
    server.fail({ type: "raw", pieces: [], staysOpen: true });
    const nothing = await ask(server, { timeouts: quiet });
    expect(nothing.error?.code).toBe("server-silent");
    expect(waits(nothing).length).toBeGreaterThan(3);
    server.fail({ type: "raw", pieces: [event(three)], staysOpen: true });
    const half = await ask(server, { timeouts: quiet });
    expect(half).toMatchObject({ text: "Three", error: { code: "server-silent" } });
    // Nobody waits on the server's side either.
    await expect.poll(() => server.hungUp()).toBe(2);
  });

  test("ends with the next byte, a comment's too", async () => {
    const server = await start();
    const comments = new Array<string>(12).fill(": ping\n\n");
    server.fail({ type: "raw", pieces: [...comments, event(three), event("[DONE]")], paceMs: 30 });
    const answer = await ask(server, { timeouts: quiet });
    expect(answer).toMatchObject({ text: "Three", done: { reason: "eos" } });
    expect(waits(answer)).toContain(0);
  });

  test("can be ended by Stop", async () => {
    const server = await start();
    server.fail({ type: "raw", pieces: [event(three)], staysOpen: true });
    const answer = await ask(server, { signal: AbortSignal.timeout(60), timeouts: { ...quiet, nextChunkMs: 60_000 } });
    expect(answer).toMatchObject({ text: "Three", done: { reason: "abort" }, error: undefined });
  });
});
