// The tools on real files: what is opened, checked, counted and written.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { answer, exported, question, talk } from "#testing/chat/transfer-files.ts";
import { temporaryFolder, type TemporaryFolder } from "#testing/temporary.node.ts";
import { Checker, type CheckReport } from "#data/check/check.ts";
import { readEntries } from "./data-file.ts";
import { hash64 } from "./hash.node.ts";
import { LeftOut, usableEntries } from "./left-out.ts";
import { openData } from "./open-data.node.ts";
import { openOutput, openRecords } from "./output.node.ts";
import { pictureState } from "./picture-state.ts";

let folder: TemporaryFolder;
let png: Buffer;
let jpeg: Buffer;
beforeAll(async () => {
  folder = temporaryFolder();
  const picture = sharp({ create: { width: 40, height: 30, channels: 3, background: "red" } });
  png = await picture.clone().png().toBuffer();
  jpeg = await picture.clone().jpeg().toBuffer();
});
afterAll(() => folder.remove());

const talkAbout = (question: string, more: object = {}): object => ({
  conversations: [
    { from: "human", value: question },
    { from: "gpt", value: "That." },
  ],
  ...more,
});

async function check(...paths: string[]): Promise<CheckReport> {
  const pictureFault = async (...[{ file }, ref]: Parameters<NonNullable<ConstructorParameters<typeof Checker>[0]["pictureFault"]>>) => (await pictureState(file, ref)).fault; // prettier-ignore
  const checker = new Checker({ hash: hash64, longestAnswer: 5, examples: 2, pictureFault });
  for (const path of paths) for await (const entry of readEntries(await openData(path, path))) await checker.add(entry);
  return checker.report();
}
/** Kinds with their counts. */
const kinds = (report: CheckReport): Record<string, number> =>
  Object.fromEntries(report.findings.map(({ kind, count }) => [kind, count]));

describe("a check", () => {
  test("finds nothing in what is right, in every form", async () => {
    folder.write("right/k.png", png);
    folder.write("right/images/j.jpg", jpeg);
    const path = folder.write("right/data.json", [
      talkAbout("<image>\nWhat?", { id: "1", image: "k.png" }),
      talkAbout("Where is <image>?", { id: 2, image: "j.jpg", system: "Be kind." }),
      talkAbout("Where is [0.1, 0.2, 0.3, 0.4]?", { id: "3" }),
      { id: "4", messages: [{ role: "user", content: [{ type: "image_url", image_url: { url: "./k.png" } }] }, { role: "assistant", content: "猫。" }] }, // prettier-ignore
    ]);
    const report = await check(path);
    expect(kinds(report)).toEqual({});
    expect(report).toMatchObject({
      conversations: 4,
      questions: 4,
      answers: 4,
      pictures: 3,
      differentPictures: 2,
      withSystem: 1,
      systems: [{ text: "Be kind.", count: 1 }],
      languages: { Latin: 3, Han: 1 },
      withoutId: 0,
    });
  });

  test.each<[string, Record<string, number>, object]>([
    ["two questions in a row", { "not-alternating": 1 }, { conversations: [{ from: "human", value: "a" }, { from: "human", value: "b" }] }], // prettier-ignore
    ["an unknown speaker", { "unknown-speaker": 1 }, { conversations: [{ from: "tool", value: "a" }] }],
    ["no turn", { "no-turns": 1 }, { conversations: [] }],
    ["no conversation", { "not-a-conversation": 1 }, { question: "a" }],
    ["a place without a picture", { mark: 1 }, talkAbout("<image>\nWhat?")],
    ["a picture without a place", { unplaced: 1 }, talkAbout("What?", { image: "k.png" })],
    ["a place in an answer", { "mark-in-answer": 2 }, { conversations: [{ from: "human", value: "a" }, { from: "gpt", value: "<image> <image>" }] }], // prettier-ignore
    ["a picture that is not there", { "picture-missing": 1 }, talkAbout("<image>", { image: "none.png" })],
    ["a picture of the web", { "picture-elsewhere": 1 }, talkAbout("<image>", { image: "https://x.example/a.png" })],
    ["an empty file", { "picture-empty": 1 }, talkAbout("<image>", { image: "empty.png" })],
    ["a file that is no picture", { "picture-unreadable": 1 }, talkAbout("<image>", { image: "words.png" })],
    ["a picture without its end", { "picture-cut": 1 }, talkAbout("<image>", { image: "cut.jpg" })],
    ["base64 that is none", { "picture-unreadable": 1 }, talkAbout("<image>", { image: "data:image/png;base64,%%%" })],
    ["a picture that is a number", { picture: 1 }, talkAbout("<image>\nWhat?", { image: 5 })],
    ["an empty answer", { "empty-answer": 1 }, { conversations: [{ from: "human", value: "a" }, { from: "gpt", value: " \n" }] }], // prettier-ignore
    ["an empty question", { "empty-question": 1 }, talkAbout(" ")],
    ["a question without an answer", { "no-answer": 1 }, { conversations: [{ from: "human", value: "a" }] }],
    ["an answer first", { "early-answer": 1 }, { conversations: [{ from: "gpt", value: "b" }, { from: "human", value: "a" }, { from: "gpt", value: "b" }] }], // prettier-ignore
    ["a long answer", { "long-answer": 1 }, { conversations: [{ from: "human", value: "a" }, { from: "gpt", value: "b c d e f g" }] }], // prettier-ignore
    ["a box outside", { "box-outside": 1 }, talkAbout("[0.1, 0.2, 0.3, 1.4]")],
    ["a box the wrong way round", { "box-reversed": 1 }, talkAbout("[0.5, 0.2, 0.3, 0.4]")],
    ["a token of a template", { "template-token": 1 }, talkAbout("a</s>b")],
    ["characters that were lost", { "bad-characters": 1 }, talkAbout("caf\uFFFD")],
    ["a video", { media: 1 }, { messages: [{ role: "user", content: [{ type: "video", video: "a.mp4" }, { type: "text", text: "a" }] }, { role: "assistant", content: "b" }] }], // prettier-ignore
    ["a long number as id", { "inexact-id": 1 }, talkAbout("a", { id: 2 ** 60 })],
  ])("finds %s", async (name, expected, json) => {
    folder.write("faults/k.png", png);
    folder.write("faults/empty.png", "");
    folder.write("faults/words.png", "these are words and no picture at all");
    folder.write("faults/cut.jpg", jpeg.subarray(0, jpeg.length - 20));
    const report = await check(folder.write(`faults/${name}.json`, [json]));
    expect(kinds(report)).toEqual(expected);
    expect(report.findings[0]?.examples[0]).toMatchObject({ item: 1, line: 1 });
  });

  test("finds what occurs twice, also in another file and another form, and shows the first places", async () => {
    const one = folder.write("twice/one.jsonl", [talkAbout("a", { id: "1" }), talkAbout("b", { id: "2" })].map((line) => `${JSON.stringify(line)}\r\n`).join("")); // prettier-ignore
    const other = folder.write("twice/other.json", [
      { id: "2", messages: [{ role: "user", content: "a" }, { role: "assistant", content: "That. " }] }, // prettier-ignore
      talkAbout("a"),
      talkAbout("a"),
    ]);
    const report = await check(one, other);
    expect(kinds(report)).toEqual({ "same-id": 1, "same-conversation": 3 });
    const [, same] = report.findings;
    expect(same?.examples).toEqual([
      { file: other, item: 1, line: 1, detail: `as item 1 of ${one}` },
      { file: other, item: 2, line: 1, detail: `as item 1 of ${one}` },
    ]);
    expect(report).toMatchObject({ errors: 0, warnings: 4, withoutId: 2 });
  });

  test("says where the JSON breaks, and reports what was before", async () => {
    const path = folder.write("broken.jsonl", `${JSON.stringify(talkAbout("a"))}\n{"conversations": [}\n${JSON.stringify(talkAbout("b"))}\n`); // prettier-ignore
    const report = await check(path);
    expect(report.conversations).toBe(1);
    expect(report.findings).toMatchObject([{ kind: "broken", count: 1, examples: [{ item: 2, line: 2 }] }]);
  });

  test("reads a file with a byte order mark, Windows' line ends, or UTF-16", async () => {
    const text = `[\r\n${JSON.stringify(talkAbout("été"))}\r\n]\r\n`;
    for (const [name, bytes] of [
      ["bom.json", Buffer.from(`\uFEFF${text}`)],
      ["utf16.json", Buffer.from(`\uFEFF${text}`, "utf16le")],
    ] as const)
      expect(kinds(await check(folder.write(name, bytes)))).toEqual({});
  });
});

describe("what can't be read is one sentence", () => {
  test.each<[string, string | Uint8Array, RegExp]>([
    ["empty.json", "", /empty\.json is empty; it should be JSON/],
    ["blank.json", " \n ", /blank\.json holds no conversation; it should be JSON/],
    ["none.json", "[]", /none\.json holds no conversation/],
    ["words.json", "These are words.", /words\.json can't be read as JSON \(line 1\); it should be/],
    ["data.json.gz", new Uint8Array([0x1f, 0x8b, 8, 0, 0, 0, 0, 0]), /is compressed with gzip; unpack it first/],
    ["table.parquet", "PAR1....", /is a Parquet table; save it as lines of JSON/],
    ["picture.json", new Uint8Array([0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10]), /is a picture; it should be JSON/],
    ["broken.zip", "PK\u0003\u0004....", /is a zip that is damaged or too large; unpack it/],
  ])("%s", async (name, content, message) => {
    const path = folder.write(name, content);
    await expect(check(path)).rejects.toThrow(message);
  });

  test("a folder without data, or with several files of it", async () => {
    folder.write("empty-folder/readme.txt", "x");
    await expect(check(join(folder.path, "empty-folder"))).rejects.toThrow(/holds no \.json and no \.jsonl/);
    folder.write("full-folder/a.json", [talkAbout("a")]);
    folder.write("full-folder/b.jsonl", talkAbout("a"));
    await expect(check(join(folder.path, "full-folder"))).rejects.toThrow(/holds 2 files of JSON; give one of them/);
  });

  test("a file of which nothing can be used says why, and a broken one where", async () => {
    const use = async (path: string): Promise<void> => {
      for await (const { sample } of usableEntries(await openData(path, "x.json"), new LeftOut()))
        expect(sample.turns).toHaveLength(2);
    };
    const tools = folder.write("tools.json", [{ conversations: [{ from: "tool", value: "a" }] }]);
    await expect(use(tools)).rejects.toThrow(/nothing in x\.json can be used: 1 × a speaker/);
    const broken = folder.write("breaks-off.json", JSON.stringify([talkAbout("a"), talkAbout("b")]).slice(0, -10));
    await expect(use(broken)).rejects.toThrow(/x\.json is broken in item 2, which begins in line 1/);
  });
});

describe("this app's exports", () => {
  const unanswered = {
    id: "open",
    updatedAt: 1,
    turns: [question("q", "Nobody knows?"), answer("a", "")],
  };
  const bytesOf = async (file: File): Promise<Uint8Array> => new Uint8Array(await file.arrayBuffer());

  test.each(["llava", "backup"] as const)("%s: the zip is read with its pictures", async (format) => {
    const path = folder.write(`${format}.zip`, await bytesOf(await exported(format, talk, unanswered)));
    const file = await openData(path, "x.zip");
    const said: string[] = [];
    let asides = 0;
    for await (const { sample, json, aside = 0 } of readEntries(file)) {
      asides += aside;
      if (typeof sample === "string") continue;
      expect(json).toMatchObject({ id: "talk" });
      said.push(...sample.turns.map(({ text }) => text));
      const pictures = sample.turns.flatMap((turn) => (turn.role === "user" ? turn.pictures : []));
      expect(pictures).toHaveLength(3);
      for (const ref of pictures) if (ref.kind === "name") expect((await file.findPicture(ref.name))?.bytes).toBe(64 + (ref === pictures[1] ? 0 : 4)); // prettier-ignore
    }
    expect(said).toEqual([
      "What is this?",
      "A red square.",
      "And this? I typed < image > myself.",
      "A photograph, and the square again.",
    ]);
    expect(asides).toBe(format === "backup" ? 1 : 0);
  });

  test("a backup's other answers and unanswered questions are told", async () => {
    const path = folder.write("told.zip", await bytesOf(await exported("backup", talk, unanswered)));
    expect(kinds(await check(path))).toMatchObject({ aside: 1, unanswered: 1 });
  });
});

describe("an output", () => {
  const options = { force: false, inputs: [] };
  test("appears when it is whole, as a list or as lines, and leaves nothing when it is dropped", async () => {
    const path = join(folder.path, "out/deep/list.json");
    const list = await openRecords(path, options);
    list.add({ a: "\ud800" });
    expect(readdirSync(join(folder.path, "out/deep"))).toHaveLength(1);
    list.add([1]);
    await list.finish();
    list.drop();
    expect(readFileSync(path, "utf8")).toBe('[\n{"a":"\\ud800"},\n[1]\n]\n');
    const lines = await openRecords(join(folder.path, "out/lines.jsonl"), options);
    lines.add(1);
    lines.add("b");
    await lines.finish();
    expect(readFileSync(lines.path, "utf8")).toBe('1\n"b"\n');
    const none = await openRecords(join(folder.path, "out/none.json"), options);
    await none.finish();
    expect(readFileSync(none.path, "utf8")).toBe("[]\n");
    const dropped = await openOutput(join(folder.path, "dropped/x.json"), options);
    dropped.write("half");
    dropped.drop();
    expect(readdirSync(join(folder.path, "dropped"))).toEqual([]);
  });

  test("never replaces an input, and another file only by force", async () => {
    const path = folder.write("there.json", "old");
    await expect(openOutput(path, options)).rejects.toThrow(/is there already; give another name, or --force/);
    await expect(openOutput(path, { force: true, inputs: [path] })).rejects.toThrow(/is one of the inputs/);
    await expect(openRecords(folder.write("k.png", png), { force: true, inputs: [] })).rejects.toThrow(
      /must end in \.json/,
    );
    await expect(openOutput(folder.path, options)).rejects.toThrow(/is a folder; give the name of a file in it/);
    const file = await openOutput(path, { force: true, inputs: [] });
    file.write("new");
    await file.finish();
    expect(readFileSync(path, "utf8")).toBe("new");
  });
});

const many = process.env["LLAVA_LONG_TESTS"] ? 1_000_000 : 20_000;
test(`${many.toLocaleString("en")} conversations are checked in bounded memory`, { timeout: 600_000 }, async () => {
  const file = await openRecords(join(folder.path, "many.jsonl"), { force: false, inputs: [] });
  for (let i = 0; i < many; i++)
    file.add(talkAbout(`Question ${i}: ${"what is to be seen in this place? ".repeat(10)}`, { id: `${i}` }));
  await file.finish();
  globalThis.gc?.();
  const before = process.memoryUsage().rss;
  let most = 0;
  const checker = new Checker({ hash: hash64, longestAnswer: 1000, examples: 3, pictureFault: undefined });
  for await (const entry of readEntries(await openData(file.path, "many.jsonl"))) {
    await checker.add(entry);
    if (entry.item % 5_000 === 0) most = Math.max(most, process.memoryUsage().rss);
  }
  expect(checker.report()).toMatchObject({ conversations: many, errors: 0, warnings: 0 });
  // Two tables of 2 Mi entries of 16 bytes, and both halves while one grows, beside what garbage collection lets lie.
  expect((most - before) / 1e6).toBeLessThan(350);
});
