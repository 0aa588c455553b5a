import { strFromU8, strToU8, unzipSync, zipSync } from "fflate";
import { describe, expect, test } from "vitest";
import * as v from "valibot";
import { allTurns } from "#chat/conversation/branches.ts";
import { joinConversations } from "#chat/conversation/join.ts";
import type { AssistantTurn, Conversation, UserTurn } from "#chat/conversation/conversation.ts";
import { exportConversations, type ExportFormat } from "./export.ts";
import { toMarkdown } from "./export-markdown.ts";
import { importFiles, type Imported } from "./import.ts";
import { mayHoldConversations } from "./import-kind.ts";
import { importLimits } from "./import-problems.ts";
import type { Vote } from "#chat/conversation/vote.ts";
import { mergeVotes, readVotes } from "#chat/persistence/votes.ts";
import { newId } from "#chat/new-id.ts";
import { pictureKind } from "#formats/picture-file.ts";

const png = new Uint8Array([137, 80, 78, 71, 13, 10, 26, 10, ...Array.from({ length: 60 }, (_, byte) => byte)]);
const jpeg = new Uint8Array([255, 216, 255, 224, ...Array.from({ length: 60 }, (_, byte) => byte)]);
const red = new Blob([png], { type: "image/png" });
const photo = new Blob([jpeg], { type: "image/jpeg" });
const question = (id: string, text: string, ...blobs: Blob[]): UserTurn => ({
  role: "user",
  id,
  text,
  pictures: blobs.map((blob, index) => ({ id: `${id}-p${index}`, name: `${id} ${index}.png`, blob })),
  at: 5,
});
const answer = (id: string, text: string, more: Partial<AssistantTurn> = {}): AssistantTurn => ({
  role: "assistant",
  id,
  text,
  status: "done",
  at: 6,
  ...more,
});
const talk: Conversation = {
  id: "talk",
  updatedAt: 1000,
  turns: [
    question("q1", "What is this?", red),
    answer("a1", "A red square."),
    question("q2", "And this? I typed <image> myself.", photo, red),
    answer("a2", "A photograph, and the square again."),
  ],
  branches: [{ after: "q1", turns: [answer("a1b", "Red.")] }],
};
const now = Date.UTC(2026, 10, 23);
const speakers = { user: "You", assistant: "Answer" };
const votes: readonly Vote[] = [
  {
    at: 7000,
    question: "Which?",
    pictures: 1,
    answers: [
      { model: "A", text: "a" },
      { model: "B", text: "b" },
    ],
    verdict: 1,
  },
];

async function exported(format: ExportFormat, ...conversations: Conversation[]): Promise<File> {
  const file = await exportConversations(format, conversations, { now, speakers, votes });
  if (file === "too-large") throw new Error("too large");
  return new File([file.blob], file.name);
}
async function unzipped(file: File): Promise<Record<string, Uint8Array>> {
  return unzipSync(new Uint8Array(await file.arrayBuffer()));
}
/** As the page does it, but believes the first bytes. */
const open = async (files: readonly File[]): Promise<Imported> =>
  importFiles(files, {
    newId,
    now,
    openPicture: async (blob, name) => {
      const bytes = new Uint8Array(await blob.arrayBuffer());
      return bytes.length > 200
        ? { ok: false, name, problem: "broken" }
        : {
            ok: true,
            picture: { id: newId(), name, blob: new Blob([bytes], { type: `image/${pictureKind(bytes)}` }) },
          };
    },
  });
const json = (value: unknown, name = "data.json"): File => new File([JSON.stringify(value)], name);
const zip = (files: Record<string, string | Uint8Array>): File => {
  const bytes = Object.entries(files).map(([path, content]) => [
    path,
    typeof content === "string" ? strToU8(content) : content,
  ]);
  return new File(
    [new Uint8Array(zipSync(v.parse(v.record(v.string(), v.instance(Uint8Array)), Object.fromEntries(bytes))))],
    "x.zip",
  );
};
const sample = (more: object = {}): object => ({
  id: "1",
  conversations: [
    { from: "human", value: "What?" },
    { from: "gpt", value: "That." },
  ],
  ...more,
});

describe("LLaVA's training format", () => {
  test("has one sample per conversation, pictures first in their turn and under the names of the files", async () => {
    const files = await unzipped(await exported("llava", talk));
    const [one] = v.parse(
      v.array(v.looseObject({ image: v.array(v.string()) })),
      JSON.parse(strFromU8(files["llava.json"] ?? new Uint8Array())),
    );
    expect(one).toMatchObject({
      id: "talk",
      conversations: [
        { from: "human", value: "<image>\nWhat is this?" },
        { from: "gpt", value: "A red square." },
        { from: "human", value: "<image>\n<image>\nAnd this? I typed < image > myself." },
        { from: "gpt", value: "A photograph, and the square again." },
      ],
    });
    const images = one?.image ?? [];
    expect(images).toHaveLength(3);
    expect(images[0]).toBe(images[2]);
    for (const name of images) expect(files[`images/${name}`]).toBeDefined();
    expect(files[`images/${images[1] ?? ""}`]).toEqual(jpeg);
    // The same bytes are in the zip once.
    expect(Object.keys(files)).toHaveLength(3);
  });

  test("one picture is a plain name, none is no name, and what nobody answered is left out", async () => {
    const single = {
      id: "s",
      turns: [question("q", "?", red), answer("a", "!"), question("r", "?"), answer("b", "", { status: "failed" })],
    };
    const words = { id: "w", turns: [question("x", "Hi"), answer("y", "Hello")] };
    const empty = { id: "e", turns: [question("m", "?", photo), answer("n", "", { status: "stopped" })] };
    const files = await unzipped(await exported("llava", single, words, empty));
    const samples: unknown = JSON.parse(strFromU8(files["llava.json"] ?? new Uint8Array()));
    expect(samples).toMatchObject([{ id: "s", image: expect.any(String) as unknown }, { id: "w" }]);
    expect(JSON.stringify(samples)).toContain('"id":"w","conversations"');
    expect(Object.keys(files)).toHaveLength(2);
  });

  test("opens again as the conversation it was", async () => {
    const { conversations, problems } = await open([await exported("llava", talk)]);
    expect(problems).toEqual([]);
    const turns = conversations[0]?.turns ?? [];
    expect(turns.map(({ role, text }) => [role, text])).toEqual([
      ["user", "What is this?"],
      ["assistant", "A red square."],
      ["user", "And this? I typed < image > myself."],
      ["assistant", "A photograph, and the square again."],
    ]);
    const pictures = turns.flatMap((turn) => (turn.role === "user" ? turn.pictures : []));
    expect(await Promise.all(pictures.map(async ({ blob }) => new Uint8Array(await blob.arrayBuffer())))).toEqual([
      png,
      jpeg,
      png,
    ]);
  });

  test("finds pictures in the folders of a zip, or dropped beside the JSON", async () => {
    const data = [sample({ image: "coco/train2017/1.jpg" })];
    const inZip = await open([zip({ "set/llava.json": JSON.stringify(data), "set/data/coco/train2017/1.jpg": jpeg })]);
    const beside = await open([json(data), new File([jpeg], "1.jpg")]);
    for (const { conversations, problems } of [inZip, beside]) {
      expect(problems).toEqual([]);
      expect(conversations[0]?.turns[0]).toMatchObject({ text: "What?", pictures: [{ name: "1.jpg" }] });
    }
  });

  test("may be JSON lines, start with an answer, and end with a question that can be answered here", async () => {
    const lines = [
      sample(),
      {
        conversations: [
          { from: "gpt", value: "!" },
          { from: "human", value: "Hi" },
        ],
      },
    ];
    const { conversations } = await open([new File([lines.map((line) => JSON.stringify(line)).join("\n")], "x.jsonl")]);
    expect(conversations.map(({ turns }) => turns.map(({ role }) => role))).toEqual([
      ["user", "assistant"],
      ["user", "assistant"],
    ]);
    expect(conversations[1]?.turns[1]).toMatchObject({ text: "", status: "stopped" });
  });
});

describe("Markdown", () => {
  test("one conversation without pictures is one file named by its title", async () => {
    const file = await exported("markdown", { id: "w", turns: [question("x", "Why: é/ü?"), answer("y", "**So.**")] });
    expect(file.name).toBe("why-é-ü.md");
    expect(await file.text()).toBe("# Why: é/ü?\n\n## You\n\nWhy: é/ü?\n\n## Answer\n\n**So.**\n");
  });

  test("pictures come along, and two of one title get two names", async () => {
    const files = await unzipped(await exported("markdown", talk, { ...talk, id: "other" }));
    expect(Object.keys(files).sort()).toEqual([
      expect.stringMatching(/^images/),
      expect.stringMatching(/^images/),
      "what-is-this-2.md",
      "what-is-this.md",
    ]);
    const text = strFromU8(files["what-is-this.md"] ?? new Uint8Array());
    const [, linked] = /!\[q1 0\.png\]\((images\/[^)]+)\)/.exec(text) ?? [];
    expect(files[linked ?? ""]).toEqual(png);
  });

  test("a picture that was replaced, and what only other answers show, stay at home", async () => {
    const replaced: Conversation = {
      ...talk,
      turns: [question("q1b", "What is this?", red), answer("a1", "A red square.")],
      branches: [{ after: "", turns: [question("q1", "What is this secret?", photo), answer("a0", "A secret.")] }],
    };
    const entries = await unzipped(await exported("markdown", replaced));
    expect(Object.keys(entries)).toEqual(["what-is-this.md", expect.stringMatching(/^images.*png$/)]);
    expect(strFromU8(entries["what-is-this.md"] ?? new Uint8Array())).not.toContain("secret");
    const wordsOnly = { ...replaced, turns: [question("q1b", "What is this?"), answer("a1", "A red square.")] };
    expect((await exported("markdown", wordsOnly)).name).toBe("what-is-this.md");
    expect(Object.keys(await unzipped(await exported("llava", wordsOnly)))).toEqual(["llava.json"]);
  });

  test("a title or a picture's name can't become markup", () => {
    const names = new Map([[red, "a.png"]]);
    const evil = { id: "e", title: "![x](http://evil.example/a.png) <script>", turns: [question("q", "?", red)] };
    expect(toMarkdown(evil, names, speakers)).toMatch(
      /^# \\!\\\[x\\\]\(http:\/\/evil\.example\/a\.png\) \\<script\\>\n/,
    );
  });
});

describe("votes", () => {
  const judged: Conversation = {
    ...talk,
    turns: [
      ...talk.turns.slice(0, 3),
      answer("a2", "A photograph.", { opinion: "down", model: { id: "m", name: "Pocket LLaVA" } }),
    ],
  };

  test("are lines of who said what and what was thought of it", async () => {
    const file = await exported("votes", judged);
    expect(file.name).toMatch(/-votes\.jsonl$/);
    const lines = (await file.text()).trim().split("\n");
    expect(lines.map((line): unknown => JSON.parse(line))).toEqual([
      {
        tstamp: 0.006,
        type: "downvote",
        model: "Pocket LLaVA",
        pictures: 3,
        state: [
          { from: "human", value: "What is this?" },
          { from: "gpt", value: "A red square." },
          { from: "human", value: "And this? I typed <image> myself." },
          { from: "gpt", value: "A photograph." },
        ],
      },
      { tstamp: 7, type: "vote", models: ["A", "B"], question: "Which?", pictures: 1, answers: ["a", "b"], verdict: 1 },
    ]);
  });

  test("a flag beside a thumb is a line of its own", async () => {
    const both = {
      ...judged,
      turns: [...talk.turns.slice(0, 3), answer("a2", "Hm.", { opinion: "up", flagged: true })],
    };
    const lines = (await (await exported("votes", both)).text()).trim().split("\n");
    expect(lines.map((line) => (JSON.parse(line) as { type: string }).type)).toEqual(["upvote", "flag", "vote"]);
  });

  test("go with a backup and come back once, however often it is restored", async () => {
    const back = await open([await exported("backup", judged)]);
    expect(back.votes).toEqual(votes);
    expect(back.conversations[0]?.turns[3]).toMatchObject({ opinion: "down" });
    const items = new Map<string, string>();
    const storage = () => ({
      getItem: (key: string) => items.get(key) ?? null,
      setItem: (key: string, value: string) => void items.set(key, value),
    });
    mergeVotes(storage, back.votes);
    mergeVotes(storage, back.votes);
    expect(readVotes(storage)).toEqual(votes);
  });

  test("that are nonsense are none, and the rest of the backup is opened", async () => {
    const entries = await unzipped(await exported("backup", judged));
    const text = new TextDecoder().decode(entries["llava-web-backup.json"]);
    const changed = { ...(JSON.parse(text) as object), votes: [{ at: "yesterday" }] };
    const back = await open([zip({ ...entries, "llava-web-backup.json": JSON.stringify(changed) })]);
    expect(back).toMatchObject({ votes: [], problems: [], conversations: [{ id: "talk" }] });
  });
});

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
    const began = performance.now();
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
    expect(performance.now() - began).toBeLessThan(15_000);
  });

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
