// Backups, and files that are something else or wrong.
import { describe, expect, test } from "vitest";
import { unzipSync, zipSync } from "fflate";
import { allTurns } from "#chat/conversation/branches.ts";
import { joinConversations } from "#chat/conversation/join.ts";
import { answer, exported, json, open, png, question, sample, talk, zip } from "#testing/chat/transfer-files.ts";
import { mayHoldConversations } from "./import-kind.ts";
import { importLimits } from "./import-problems.ts";

describe("a backup", () => {
  test("brings back everything: ids, other answers, figures, titles, pictures", async () => {
    const usage = { promptTokens: 9, cachedTokens: 1, imageTokens: 4, newTokens: 3 };
    const named = {
      ...talk,
      title: "My square",
      memoryStart: "q2",
      turns: [...talk.turns.slice(0, 3), answer("a2", "Hm.", { usage })],
    };
    const { conversations, problems } = await open([await exported("backup", named)]);
    expect(problems).toEqual([]);
    const [back] = conversations;
    expect(back).toMatchObject({
      id: "talk",
      title: "My square",
      memoryStart: "q2",
      updatedAt: 1000,
      branches: named.branches,
    });
    expect(back?.turns.map(({ id, text }) => [id, text])).toEqual(named.turns.map(({ id, text }) => [id, text]));
    expect(back?.turns[3]).toMatchObject({ usage, status: "done" });
    const [first] = back?.turns ?? [];
    expect(first?.role === "user" && new Uint8Array((await first.pictures[0]?.blob.arrayBuffer()) ?? [])).toEqual(png);
  });

  test("holds nothing that a server said, and an answer under way is one that was stopped", async () => {
    const failure = { code: "network", detail: "https://me:secret-key@host/v1 refused" } as const;
    const file = await exported("backup", {
      id: "f",
      turns: [
        question("q", "?"),
        answer("a", "", {
          status: "failed",
          failure,
          model: { id: "m", name: "M", host: "gpu.secret-lab.example:8000" },
        }),
        question("r", "?"),
        answer("b", "half", { status: "running" }),
      ],
    });
    const text = new TextDecoder().decode(unzipSync(new Uint8Array(await file.arrayBuffer()))["llava-web-backup.json"]);
    expect(text).not.toContain("secret");
    expect(text).toContain('"name": "M"');
    const { conversations } = await open([file]);
    expect(conversations[0]?.turns[3]).toMatchObject({ status: "stopped", text: "half" });
  });

  test("restored over what went on here since adds, and overwrites nothing", async () => {
    const [back] = (await open([await exported("backup", talk)])).conversations;
    const grown = { ...talk, title: "Mine", turns: [...talk.turns, question("q3", "More?"), answer("a3", "More.")] };
    const joined = joinConversations(grown, back ?? grown);
    expect(joined).toMatchObject({ title: "Mine", turns: grown.turns });
    expect(allTurns(joined)).toHaveLength(allTurns(grown).length);
  });

  test("changed by somebody is refused where the rest of the app could not live with it", async () => {
    const stored = (turns: unknown[], branches: unknown[] = [], more: object = {}): object => ({
      version: 2,
      id: "c",
      revision: "r",
      updatedAt: 1,
      turns,
      branches,
      ...more,
    });
    const q = (id: string): object => ({ role: "user", id, text: "?", pictures: [] });
    const a = (id: string, more: object = {}): object => ({
      role: "assistant",
      id,
      text: "!",
      status: "done",
      ...more,
    });
    const problemsOf = async (...conversations: unknown[]): Promise<unknown[]> => {
      const text = JSON.stringify({ format: "llava-web-backup", version: 1, conversations });
      return (await open([zip({ "llava-web-backup.json": text })])).problems.map(({ problem }) => problem);
    };
    expect(await problemsOf(stored([q("1"), a("2")]))).toEqual([]);
    expect(await problemsOf(stored([q("1"), a("1")]))).toEqual(["broken-links"]);
    expect(await problemsOf(stored([a("1")]))).toEqual(["starts-with-answer"]);
    expect(await problemsOf(stored([q("1"), q("2")]))).toEqual(["not-alternating"]);
    expect(await problemsOf(stored([q("1"), a("2")], [{ after: "nobody", turns: [q("3")] }]))).toEqual([
      "broken-links",
    ]);
    expect(await problemsOf(stored([q("1"), a("2")], [{ after: "1", turns: [q("3")] }]))).toEqual(["not-alternating"]);
    expect(await problemsOf(stored([q("1"), a("2", { status: "hacked" })]))).toEqual(["not-a-conversation"]);
    expect(await problemsOf(stored([]), 7, null)).toEqual(["no-turns", "not-a-conversation", "not-a-conversation"]);
    expect(await problemsOf(stored([q("1"), a("2", { text: "x".repeat(importLimits.textLength + 1) })]))).toEqual([
      "text-too-long",
    ]);
    const pair = [q("3"), a("4")];
    expect(await problemsOf(stored([q("1"), a("2")], [{ after: "4", turns: pair }]))).toEqual(["broken-links"]);
    expect(
      await problemsOf(
        stored(
          [q("1"), a("2")],
          [
            { after: "6", turns: pair },
            { after: "4", turns: [q("5"), a("6")] },
          ],
        ),
      ),
    ).toEqual(["broken-links"]);
    expect(await problemsOf(stored([q("1")], [], { version: 99 }))).toEqual(["newer-version"]);
    const picture = { id: "p", name: "p", key: "../../etc/passwd" };
    expect(await problemsOf(stored([{ ...q("1"), pictures: [picture] }, a("2")]))).toEqual(["missing"]);
  });
});

describe("files that are something else, or wrong", () => {
  const problemsOf = async (...files: File[]): Promise<readonly unknown[]> => (await open(files)).problems;

  test("are told one by one, and the good ones are opened", async () => {
    const bad = [
      sample({ conversations: [{ from: "system", value: "x" }] }),
      sample({
        conversations: [
          { from: "human", value: "x" },
          { from: "human", value: "y" },
        ],
      }),
      sample({ conversations: [] }),
      { conversations: "no" },
      null,
      sample(),
    ];
    const { conversations, problems } = await open([json(bad)]);
    expect(conversations).toHaveLength(1);
    expect(problems).toEqual(
      ["no-turns", "not-alternating", "no-turns", "not-a-conversation", "not-a-conversation"].map((problem, index) => ({
        kind: "item",
        problem,
        file: "data.json",
        item: index + 1,
      })),
    );
  });

  test("no JSON, other JSON, other zips, empty and broken zips", async () => {
    const file = (content: string | Uint8Array, name: string): File =>
      new File([typeof content === "string" ? content : new Uint8Array(content)], name);
    expect(await problemsOf(file("{", "a.json"))).toMatchObject([{ problem: "not-json" }]);
    expect(await problemsOf(json({ a: 1 }))).toMatchObject([{ problem: "unknown-format" }]);
    expect(await problemsOf(json([1, 2]))).toMatchObject([{ problem: "unknown-format" }]);
    expect(await problemsOf(zip({ "a.txt": "x" }))).toMatchObject([{ problem: "empty" }]);
    expect(await problemsOf(file("no zip at all", "a.zip"))).toMatchObject([{ problem: "zip-damaged" }]);
    const good = new Uint8Array(await (await exported("backup", talk)).arrayBuffer());
    expect(await problemsOf(file(good.slice(0, -40), "cut.zip"))).toMatchObject([{ problem: "zip-damaged" }]);
  });

  test("whatever byte of a backup is wrong, import ends and what it opens is whole", async () => {
    const good = new Uint8Array(await (await exported("backup", talk)).arrayBuffer());
    for (let at = 0; at < good.length; at += 7) {
      const bytes = good.slice();
      bytes[at] = (bytes[at] ?? 0) ^ 0x55;
      const { conversations } = await open([new File([bytes], "x.zip")]);
      for (const { turns } of conversations)
        expect(turns.map(({ text }) => text)).toEqual(talk.turns.map(({ text }) => text));
    }
  });

  test("a picture that is missing, elsewhere, no picture, or a document is told, and its conversation is opened", async () => {
    const names = [
      "gone.png",
      "https://evil.example/pixel.png",
      "text.png",
      "vector.svg",
      "data:image/png;base64,AAAA",
    ];
    const data = JSON.stringify(names.map((image) => sample({ image })));
    const { conversations, problems } = await open([
      zip({ "d.json": data, "text.png": "not a picture", "vector.svg": "<svg onload='alert(1)'/>" }),
    ]);
    expect(conversations).toHaveLength(5);
    expect(problems.map(({ problem }) => problem)).toEqual(["missing", "elsewhere", "broken", "broken", "broken"]);
  });

  test("a small file can't unfold into a large one", async () => {
    const bomb = zipSync({ "llava.json": new Uint8Array(4 * 2 ** 20) });
    expect(bomb.length).toBeLessThan(10_000);
    /** The same zip, with a directory that says something else about the size. */
    const claiming = (bytes: number): File => {
      const changed = bomb.slice();
      const view = new DataView(changed.buffer);
      view.setUint32(view.getUint32(changed.length - 6, true) + 24, bytes, true);
      return new File([changed], "b.zip");
    };
    expect(await problemsOf(claiming(importLimits.jsonBytes + 1))).toMatchObject([{ problem: "too-large" }]);
    expect(await problemsOf(claiming(100))).toMatchObject([{ problem: "zip-damaged" }]);
  });

  test("no name of a property reaches an object's prototype", async () => {
    const text =
      '[{"__proto__":{"polluted":1},"conversations":[{"from":"__proto__","value":"x"},{"from":"constructor","value":"x"}]}]';
    expect(await problemsOf(new File([text], "p.json"))).toMatchObject([{ problem: "unknown-speaker" }]);
    expect("polluted" in {}).toBe(false);
  });

  test("twenty paths of 65 kB, lines beyond number and a million names end within seconds, each kind told once", async () => {
    const deep = Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`${"a/".repeat(32_000)}${i}.png`, png]));
    const { conversations } = await open([zip({ "d.json": JSON.stringify([sample({ image: "3.png" })]), ...deep })]);
    expect(conversations).toHaveLength(1);
    expect(await problemsOf(new File(["[]\n".repeat(2e6)], "a.jsonl"))).toMatchObject([{ problem: "unknown-format" }]);
    expect(await problemsOf(new File([`[${"7,".repeat(5e6)}7]`], "a.json"))).toMatchObject([
      { problem: "unknown-format" },
    ]);
    const names = Array.from({ length: 1000 }, (_, i) =>
      sample({ image: Array.from({ length: 1000 }, (_, j) => `${i}-${j}.png`) }),
    );
    expect(await problemsOf(json(names))).toMatchObject([
      { kind: "loss", problem: "picture", count: 500 },
      { kind: "picture", problem: "missing", picture: "0-0.png" },
      { kind: "picture", problem: "missing" },
      { kind: "picture", problem: "missing", more: 1000 * 500 - 3 },
      { kind: "loss", problem: "picture" },
      { kind: "loss", problem: "picture", more: 997 },
    ]);
  }, 15_000);

  test("what is lost in a conversation that is opened is told, and a file that breaks off too", async () => {
    const rich = [
      {
        image: "gone.png",
        conversations: [
          { from: "system", value: "Be brief." },
          { from: "human", value: "<image><image>Hi" },
        ],
      },
    ];
    expect((await open([json(rich)])).problems).toEqual([
      { kind: "loss", problem: "system", file: "data.json", item: 1, count: 1 },
      { kind: "loss", problem: "mark", file: "data.json", item: 1, count: 1 },
      { kind: "picture", problem: "missing", picture: "gone.png", item: 1 },
    ]);
    const cut = await open([new File([`[${JSON.stringify(sample())},{"conver`], "cut.json")]);
    expect(cut).toMatchObject({ conversations: [{}], problems: [{ kind: "file", problem: "breaks-off" }] });
  });

  test("pictures are found under names that only look the same: accents of a Mac, capitals, a longer path", async () => {
    const names = ["/data/set/Caf\u00e9.PNG", "set\\cafe\u0301.png", "./set/CAFE\u0301.png"];
    const { conversations, problems } = await open([
      zip({ "d.json": JSON.stringify(names.map((image) => sample({ image }))), "set/cafe\u0301.png": png }),
    ]);
    expect(problems).toEqual([]);
    expect(conversations.map(({ turns: [first] }) => first?.role === "user" && first.pictures.length)).toEqual([
      1, 1, 1,
    ]);
  });

  test("too many conversations are cut, and the rest is told", async () => {
    const many = Array.from({ length: importLimits.conversations + 1 }, () => sample());
    const { conversations, problems } = await open([json(many)]);
    expect(conversations).toHaveLength(importLimits.conversations);
    expect(problems).toEqual([{ kind: "file", problem: "too-many", file: "data.json" }]);
  });
});

test("files that may hold conversations are known by their names", () => {
  expect(["a.JSON", "b.jsonl", "c.zip", "d.png", "json"].map((name) => mayHoldConversations({ name }))).toEqual([
    true,
    true,
    true,
    false,
    false,
  ]);
});
