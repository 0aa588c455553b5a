// What goes out by the door and what comes in: a key to nobody but its server, and out of nothing that is said.
import { afterEach, describe, expect, test } from "vitest";
import { ask, start, stopAll } from "#testing/servers/asking.node.ts";
import { chunkJson, event, stream } from "#testing/servers/fake-quirks.node.ts";
import { listModels } from "#remote/models.ts";

afterEach(stopAll);

const three = chunkJson({ content: "Three" });

describe("the key", () => {
  const key = "sk-Proj_0a1b2c3d4e5f";
  const spelled = [
    key,
    key.toUpperCase(),
    Buffer.from(`Bearer ${key}`).toString("base64"),
    Buffer.from(`x:${key}`).toString("base64url"),
    encodeURIComponent(key).replaceAll("-", "%2D"),
  ];

  test("is in no answer, however it is spelled and wherever the stream cuts it", async () => {
    const server = await start({ key });
    const words = `You sent ${spelled.join(" and ")}. Three cats.`;
    for (const size of [1, 3, 7, 50]) {
      const pieces = Array.from({ length: Math.ceil(words.length / size) }, (_, at) =>
        event(chunkJson({ content: words.slice(at * size, (at + 1) * size) })),
      );
      server.fail({ type: "raw", pieces: [pieces.join(""), event(chunkJson({}, "stop")), event("[DONE]")] });
      const { text, error } = await ask({ url: server.url, key });
      expect(error).toBeUndefined();
      for (const one of spelled) expect(text).not.toContain(one.slice(-12));
      expect(text.replace(/[^\s…]*…[^\s….]*/g, "…")).toBe("You sent … and … and … and … and …. Three cats.");
    }
  });

  test("is in no error, no name of a model and no reason of an ending; nothing is cut before it is blotted out", async () => {
    const server = await start({ key });
    for (const one of spelled) {
      // The words would be cut in the middle of it.
      for (const before of [0, 580, 590, 595])
        for (const answer of [
          {
            type: "raw",
            status: 400,
            pieces: [JSON.stringify({ error: { message: `${"x".repeat(before)} ${one} was sent` } })],
          },
          {
            type: "raw",
            status: 500,
            contentType: "text/html",
            pieces: [`<p>${"x".repeat(before)} ${one} was sent</p>`],
          },
          stream(JSON.stringify({ error: `${"x".repeat(before)} ${one} was sent` })),
          { type: "raw", contentType: "text/plain", pieces: [`${"x".repeat(before)} ${one} was sent`] },
        ] as const) {
          server.fail(answer);
          const { error } = await ask({ url: server.url, key });
          const told = JSON.stringify([
            error?.serverMessage,
            error?.message,
            error?.cause instanceof Error ? error.cause.message : "",
          ]).toLowerCase();
          expect(told).toContain(before === 0 ? "was sent" : "xxx");
          if (one.toLowerCase().startsWith("sk")) expect(told).not.toContain(one.slice(0, 8).toLowerCase());
          expect(told).not.toContain(one.slice(-12).toLowerCase());
        }
      server.fail(stream(three, chunkJson({}, `ended by ${one}`), "[DONE]"));
      const { done } = await ask({ url: server.url, key });
      expect(done?.ending).toMatch(/^ended by \S{0,12}…\S?\S?$/);
      const lists = await start({ list: { status: 200, body: JSON.stringify([{ id: `model ${one}` }]) } });
      expect(JSON.stringify(await listModels({ url: lists.url, key }))).not.toContain(one.slice(-12));
    }
  });

  test("that can't be sent is refused before anything is asked", async () => {
    const server = await start();
    for (const bad of ["“sk-abc123”", "sk–abc123", "sk-abc123\u200b", "密钥"]) {
      expect((await ask({ url: server.url, key: bad })).error?.code).toBe("server-key-characters");
      await expect(listModels({ url: server.url, key: bad })).rejects.toMatchObject({ code: "server-key-characters" });
    }
    expect(server.requests).toHaveLength(0);
    // As older versions of the page kept it.
    server.fail(stream(chunkJson({ content: "You sent sk-abc123." }), "[DONE]"));
    expect((await ask({ url: server.url, key: "Bearer sk-abc123" })).text).toBe("You sent ….");
    await listModels({ url: server.url, key: ' Bearer "sk-abc123"\n' });
    expect(server.requests.at(-1)?.authorization).toBe("Bearer sk-abc123");
  });
});

test("no redirect is followed, and it is named as what it is", async () => {
  const elsewhere = await start();
  const server = await start({ redirectsTo: `${elsewhere.url}/models` });
  await expect(listModels({ url: server.url, key: "sk-secret" })).rejects.toMatchObject({ code: "server-redirect" });
  expect((await ask(server)).error?.code).toBe("server-redirect");
  expect(elsewhere.requests).toHaveLength(0);
});
