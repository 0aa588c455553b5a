// Servers as they are: what they send in place of what the protocol says, over real connections.
import fc from "fast-check";
import { afterEach, describe, expect, test } from "vitest";
import { ask, start, stopAll } from "#testing/servers/asking.node.ts";
import { chunkJson, event, quirks, stream } from "#testing/servers/fake-quirks.node.ts";

afterEach(stopAll);

const three = chunkJson({ content: "Three" });

describe("an answer is read", () => {
  test.each(Object.entries(quirks))("with %s", async (_, quirk) => {
    const server = await start();
    server.fail(quirk);
    const { text, error, done } = await ask(server, { timeouts: { afterFinishMs: 60 } });
    expect(error?.message).toBeUndefined();
    expect(text).toBe("Three cats.");
    expect(done).toMatchObject({ reason: "eos" });
    expect(done).not.toHaveProperty("ending");
  });

  test("wherever the network cuts it", async () => {
    const server = await start();
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...Object.values(quirks)),
        fc.array(fc.nat(), { minLength: 1, maxLength: 6 }),
        async (quirk, cuts) => {
          const bytes = Buffer.concat(quirk.pieces.map((piece) => Buffer.from(piece)));
          const ends = [...cuts.map((cut) => cut % bytes.length), bytes.length].sort((a, b) => a - b);
          const pieces = ends.map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end));
          server.fail({ ...quirk, pieces, paceMs: 0 });
          expect((await ask(server, { timeouts: { afterFinishMs: 60 } })).text).toBe("Three cats.");
        },
      ),
      { numRuns: 60 },
    );
  });

  test("with its figures", async () => {
    const server = await start();
    server.fail(quirks["figures in a piece of their own"] ?? stream());
    expect((await ask(server)).done?.usage).toMatchObject({ promptTokens: 7, newTokens: 3 });
  });

  test("although the connection ends without a word, which is told", async () => {
    const server = await start();
    server.fail(stream(three, chunkJson({ content: " cats." })));
    const { text, done } = await ask(server);
    expect(text).toBe("Three cats.");
    expect(done).toMatchObject({ reason: "stop", ending: "" });
    server.fail({ type: "silent-end" });
    expect(await ask(server)).toMatchObject({ done: { reason: "stop", ending: "" }, error: undefined });
    // In the middle of an event it is no good end, but what came is an answer.
    server.fail({ type: "raw", pieces: [event(three), 'data: {"choices":[{"delta":{"content":" ca'] });
    expect(await ask(server)).toMatchObject({ text: "Three", done: { ending: "" } });
  });

  test("that ends for a reason of the server's own, which is told", async () => {
    const server = await start();
    server.fail(stream(three, chunkJson({}, "repetition_detected"), "[DONE]"));
    expect((await ask(server)).done).toMatchObject({ reason: "stop", ending: "repetition_detected" });
  });

  test("that would never end, up to a length", async () => {
    const server = await start();
    const long = new Array<string>(40).fill(event(chunkJson({ content: "cats ".repeat(2000) })));
    server.fail({ type: "raw", pieces: long, paceMs: 1, staysOpen: true });
    const { done, text } = await ask(server);
    expect(done).toMatchObject({ reason: "length" });
    expect(text.length).toBeLessThan(300_000);
    await expect.poll(() => server.hungUp()).toBe(1);
  });

  test.each([
    ["length", "length"],
    ["MAX_TOKENS", "length"],
    ["end_turn", "eos"],
    ["STOP", "eos"],
    ["eos_token", "eos"],
  ])("that ends by %s", async (finish, reason) => {
    const server = await start();
    server.fail(stream(three, chunkJson({}, finish), "[DONE]"));
    expect((await ask(server)).done).toMatchObject({ reason });
  });
});
