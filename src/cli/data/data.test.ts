// `llava data` as people run it: real files, real pictures, what is printed and what is left on the disk.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, expect, test } from "vitest";
import { exported, talk } from "#testing/chat/transfer-files.ts";
import { llava, temporaryFolder, type TemporaryFolder } from "#testing/temporary.node.ts";

let folder: TemporaryFolder;
let png: Buffer;
beforeAll(async () => {
  folder = temporaryFolder();
  png = await sharp({ create: { width: 40, height: 30, channels: 3, background: "red" } })
    .png()
    .toBuffer();
});
afterAll(() => folder.remove());

const at = (...names: string[]): string => join(folder.path, ...names);
const read = (...names: string[]): unknown => JSON.parse(readFileSync(at(...names), "utf8"));
const data = (...parameters: string[]): ReturnType<typeof llava> => llava("data", ...parameters);
const matching = (pattern: RegExp): unknown => expect.stringMatching(pattern);

const turns = (question: string, answer = "That."): object => ({
  conversations: [
    { from: "human", value: question },
    { from: "gpt", value: answer },
  ],
});

test("check ends with 1 on errors and 0 on warnings, and tells the same as JSON", { timeout: 120_000 }, async () => {
  const bad = folder.write("check/bad.json", [{ image: "gone.png", ...turns("<image>\nWhat?") }, turns("a"), turns("a")]); // prettier-ignore
  const first = await data("check", bad);
  expect(first).toMatchObject({ code: 1, err: "" });
  expect(first.out).toMatch(/^error × 1: pictures that are not there$/m);
  expect(first.out).toContain(`    ${bad}, item 1, line 1: gone.png\n`);
  expect(first.out).toMatch(/1 error, 1 warning\.\n$/);
  const second = await data("check", bad, "--no-pictures", "--json");
  expect(second.code).toBe(0);
  expect(JSON.parse(second.out)).toMatchObject({ conversations: 3, errors: 0, warnings: 1, findings: [{ kind: "same-conversation" }] }); // prettier-ignore
});

test("stats count tokens and write a page", { timeout: 120_000 }, async () => {
  folder.write("stats/k.png", png);
  const file = folder.write("stats/data.json", [{ image: "k.png", ...turns("<image>\nWhat is it?") }]);
  const page = at("stats", "page.html");
  const model = "public/models/pocket-llava";
  const done = await data("stats", file, "--pictures", "--tokenizer", model, "--picture-tokens", "100", "--html", page);
  expect(done).toMatchObject({ code: 0, err: "" });
  expect(done.out).toMatch(/^ {2}40 × 30 {2,}1 {2}█+$/m);
  expect(done.out).toMatch(/^Tokens per conversation\n {2}mean 10\d,/m);
  expect(readFileSync(page, "utf8")).toContain("<title>Statistics of data.json</title>");
  expect(await data("stats", file, "--html", page)).toMatchObject({
    code: 1,
    err: matching(/page\.html is there already/),
  });
});

test(
  "split keeps pictures together, and the same conversation lands in the same part",
  { timeout: 120_000 },
  async () => {
    const samples = Array.from({ length: 400 }, (_, i) => ({ id: i, image: `${i % 100}.png`, extra: [i], ...turns(`<image>\nQuestion ${i}?`) })); // prettier-ignore
    const file = folder.write("split/all.json", samples);
    const parts = ["--part", "train=0.8", "--part", "val=0.2"];
    const done = await data("split", file, "--out", at("split", "one"), ...parts);
    expect(done).toMatchObject({ code: 0, err: "" });
    const [train, val] = ["train.json", "val.json"].map((name) => read("split", "one", name) as typeof samples);
    expect([...(train ?? []), ...(val ?? [])].sort((a, b) => a.id - b.id)).toEqual(samples);
    const pictures = new Set(val?.map(({ image }) => image));
    expect(train?.some(({ image }) => pictures.has(image))).toBe(false);
    expect((val?.length ?? 0) / 400).toBeGreaterThan(0.1);

    const other = folder.write("split/fewer.jsonl", samples.slice(150, 250).map((one) => `${JSON.stringify(one)}\n`).reverse().join("")); // prettier-ignore
    expect((await data("split", other, "--out", at("split", "two"), ...parts)).code).toBe(0);
    const lines = readFileSync(at("split", "two", "val.jsonl"), "utf8")
      .trim()
      .split("\n");
    const ids = new Set(val?.map(({ id }) => id));
    expect(lines.every((line) => ids.has((JSON.parse(line) as { id: number }).id))).toBe(true);

    expect(await data("split", file, "--out", at("split", "one"), ...parts)).toMatchObject({ code: 1, err: matching(/train\.json is there already/) }); // prettier-ignore
    expect(readdirSync(at("split", "one")).sort()).toEqual(["train.json", "val.json"]);
    for (const [part, message] of [
    ["train=1.2", /shares add up to 1\.2/],
    ["../x=0.5", /is no part; write a name and its share/],
    ["train", /is no part/],
  ] as const)
    expect(await data("split", file, "--out", at("split", "three"), "--part", part)).toMatchObject({ code: 1, err: matching(message) }); // prettier-ignore
    expect(existsSync(at("split", "three"))).toBe(false);
  },
);

test(
  "merge names pictures from the new folder, drops duplicates and keeps ids apart",
  { timeout: 120_000 },
  async () => {
    folder.write("merge/a/k.png", png);
    folder.write("merge/b/images/j.png", png);
    const a = folder.write("merge/a/talk.json", [{ id: "1", image: "k.png", ...turns("<image>\nWhat?") }, { id: "2", ...turns("Why?") }]); // prettier-ignore
    const b = folder.write("merge/b/more.json", [{ id: "1", image: "j.png", ...turns("<image>\nWhat?") }, { id: "9", ...turns("Why?") }, { conversations: [{ from: "x", value: "" }] }]); // prettier-ignore
    const out = at("merge", "all", "all.json");
    const done = await data("merge", a, b, "--out", out);
    expect(done.code).toBe(0);
    expect(done.out).toBe(`3 conversations in ${out}\n`);
    expect(done.err).toMatch(/1 conversation left out that were there already/);
    expect(done.err).toMatch(/1 conversation with a new id/);
    expect(done.err).toMatch(/left out: 1 × a speaker/);
    expect(read("merge", "all", "all.json")).toEqual([
      { id: "1", image: "../a/k.png", ...turns("<image>\nWhat?") },
      { id: "2", ...turns("Why?") },
      { id: "more-1", image: "../b/images/j.png", ...turns("<image>\nWhat?") },
    ]);
    expect((await data("check", out)).code).toBe(0);
    const none = await data("merge", a, b, "--out", at("merge", "some.json"), "--weight", "talk.json=0");
    expect(none.out).toMatch(/^2 conversations in/);

    expect(await data("merge", a, b, "--out", a, "--force")).toMatchObject({
      code: 1,
      err: matching(/is one of the inputs/),
    });
    const openai = folder.write("merge/openai.jsonl", { messages: [{ role: "user", content: "a" }, { role: "assistant", content: "b" }] }); // prettier-ignore
    expect(await data("merge", a, openai, "--out", at("merge", "mixed.json"))).toMatchObject({ code: 1, err: matching(/another form than .*talk\.json \(item 1\).*llava data convert/) }); // prettier-ignore
    expect(readdirSync(at("merge")).sort()).toEqual(["a", "all", "b", "openai.jsonl", "some.json"]);
  },
);

test(
  "convert writes a zip's pictures beside the file, embeds them, and gives the zip's conversations again",
  { timeout: 120_000 },
  async () => {
    const zip = folder.write("convert/talk.zip", new Uint8Array(await (await exported("llava", talk)).arrayBuffer()));
    const out = at("convert", "llava", "data.json");
    const done = await data("convert", zip, "--to", "llava", "--out", out);
    expect(done).toMatchObject({ code: 0, out: `1 conversation in ${out}\n`, err: "2 pictures written as files\n" });
    const files = readdirSync(at("convert", "llava", "images")).sort();
    expect(files.map((name) => /^[0-9a-f]{32}\.(?:png|jpg)$/.test(name))).toEqual([true, true]);
    const [sample] = read("convert", "llava", "data.json") as [{ image: string[] }];
    expect(sample.image.map((name) => existsSync(at("convert", "llava", name)))).toEqual([true, true, true]);

    const inline = at("convert", "inline.jsonl");
    expect(await data("convert", out, "--to", "openai", "--out", inline, "--inline")).toMatchObject({ code: 0, err: "3 pictures embedded\n" }); // prettier-ignore
    expect(readFileSync(inline, "utf8")).toContain(
      '{"type":"image_url","image_url":{"url":"data:image/png;base64,iVBORw0KGgo',
    );
    const again = at("convert", "again", "data.json");
    expect((await data("convert", inline, "--to", "llava", "--out", again)).code).toBe(0);
    expect(read("convert", "again", "data.json")).toEqual(read("convert", "llava", "data.json"));
    expect(readdirSync(at("convert", "again", "images")).sort()).toEqual(files);

    const broken = folder.write("convert/broken.jsonl", `${readFileSync(inline, "utf8")}{"messages": [`);
    const failed = await data("convert", broken, "--to", "llava", "--out", at("convert", "broken", "data.json"));
    expect(failed).toMatchObject({ code: 1, out: "", err: matching(/^llava: .*broken\.jsonl is broken in item 2, which begins in line 2/) }); // prettier-ignore
    expect(readdirSync(at("convert", "broken", "images"))).toEqual([]);
    expect(readdirSync(at("convert", "broken"))).toEqual(["images"]);
  },
);

test("convert says what the form can't hold", { timeout: 120_000 }, async () => {
  const file = folder.write("lost/data.jsonl", {
    messages: [
      { role: "system", content: "Be kind." },
      {
        role: "user",
        content: [
          { type: "text", text: "What <image>?" },
          { type: "input_audio", input_audio: {} },
        ],
        name: "Ann",
      },
      { role: "assistant", content: "That." },
    ],
  });
  const done = await data("convert", file, "--to", "llava", "--out", at("lost", "out.json"));
  expect(done.code).toBe(0);
  expect(done.err).toMatch(/^1 field of single turns lost/m);
  expect(done.err).toMatch(/^1 system prompt in the field "system"/m);
  expect(done.err).toMatch(/^left out: 1 × places for pictures/m);
  expect(done.err).toMatch(/^left out: 1 × videos, sounds or other parts/m);
  expect(await data("convert", file, "--to", "vicuna", "--out", at("lost", "x.json"))).toMatchObject({ code: 1, err: matching(/give one of llava, sharegpt, openai to --to/) }); // prettier-ignore
  expect(await data("check", at("nowhere.json"))).toMatchObject({ code: 1, err: matching(/^llava: there is nothing at .*nowhere\.json; check its path/) }); // prettier-ignore
});

test("scienceqa writes what LLaVA's converter writes", { timeout: 120_000 }, async () => {
  const problem = {
    question: "Où?",
    choices: ["a", "b"],
    answer: 0,
    hint: "",
    image: null,
    lecture: "L.",
    solution: "S.",
  };
  folder.write("sqa/problems.json", { 1: problem });
  folder.write("sqa/pid_splits.json", { train: ["1"] });
  const out = at("sqa", "llava_train_QCM-LEA.json");
  expect(await data("scienceqa", at("sqa"), "--out", out)).toMatchObject({
    code: 0,
    out: matching(/^1 conversation in/),
  });
  expect(readFileSync(out, "utf8")).toBe(`[
  {
    "id": "1",
    "conversations": [
      {
        "from": "human",
        "value": "O\\u00f9?\\nContext: N/A\\nOptions: (A) a (B) b"
      },
      {
        "from": "gpt",
        "value": "L. S. The answer is A."
      }
    ]
  }
]`);
  expect(await data("scienceqa", at("sqa", "none"), "--out", out)).toMatchObject({ code: 1, err: matching(/no folder .*none; give ScienceQA's/) }); // prettier-ignore
});
