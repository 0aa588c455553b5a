// Conversations as files of each format, and back.
import { describe, expect, test } from "vitest";
import { strFromU8 } from "fflate";
import * as v from "valibot";
import { mergeVotes, readVotes } from "#chat/persistence/votes.ts";
import type { Conversation } from "#chat/conversation/conversation.ts";
import {
  answer,
  exported,
  jpeg,
  json,
  open,
  photo,
  png,
  question,
  red,
  sample,
  speakers,
  talk,
  unzipped,
  votes,
  zip,
} from "#testing/chat/transfer-files.ts";
import { toMarkdown } from "./export-markdown.ts";

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
