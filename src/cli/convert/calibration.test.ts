import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, expect, test } from "vitest";
import { checkpointFolder } from "#convert/package/folder.node.ts";
import { openSource } from "#convert/source/checkpoint-source.ts";
import { renderPrompt } from "#engine/text/prompt.ts";
import { createTokenizer } from "#engine/text/tokenizer.ts";
import { readCalibration, type Calibration, type CalibrationEntry } from "./calibration-file.ts";
import { measureImportances } from "./importances.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "llava-calibration-"));
});
afterAll(() => rm(folder, { recursive: true }));

const fixture = "training/fixtures/tiny-llava";

async function write(name: string, text: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text);
  return path;
}

function calibrationOf(...entries: CalibrationEntry[]): Pick<Calibration, "count" | "entries"> {
  return {
    count: entries.length,
    async *entries() {
      for (const entry of entries) yield await Promise.resolve(entry);
    },
  };
}
const ask = (text: string, name = text): CalibrationEntry => ({
  name,
  messages: () => Promise.resolve([{ role: "user", parts: [{ type: "text", text }] }]),
});

async function firstOf(calibration: Calibration): Promise<CalibrationEntry | undefined> {
  for await (const entry of calibration.entries()) return entry;
  return undefined;
}

/** Row i of a tensor of the fixture. */
async function readTensor(pattern: RegExp): Promise<{ shape: readonly number[]; values: Float32Array }> {
  const { checkpoint } = await openSource(checkpointFolder(fixture), undefined);
  for (const [name, tensor] of checkpoint.tensors) {
    if (!pattern.test(name)) continue;
    const count = tensor.shape.reduce((product, n) => product * n, 1);
    return { shape: tensor.shape, values: await tensor.read(0, count) };
  }
  throw new Error(`no tensor ${pattern.source}`);
}

test("the first layer's importances are the squares of its normed embeddings, over all tokens of all prompts", async () => {
  const texts = ["What is in this picture?", "Which colour is the sea?"];
  const importances = await measureImportances({
    from: checkpointFolder(fixture),
    beside: join(folder, "package"),
    calibration: calibrationOf(...texts.map((text) => ask(text))),
    bits: 32,
    template: "vicuna_v1",
  });
  expect(await readdir(folder)).toEqual([]);

  const json = async (name: string): Promise<unknown> => JSON.parse(await readFile(join(fixture, name), "utf8"));
  const config = (await json("config.json")) as { text_config: { rms_norm_eps: number } };
  const tokenizer = createTokenizer(
    (await json("tokenizer.json")) as object,
    (await json("tokenizer_config.json")) as object,
    [],
  );
  const table = await readTensor(/embed_tokens\.weight$/);
  const norm = await readTensor(/layers\.0\.input_layernorm\.weight$/);
  const hidden = norm.values.length;
  const expected = new Float64Array(hidden);
  let tokens = 0;
  for (const text of texts) {
    const prompt = renderPrompt([{ role: "user", parts: [{ type: "text", text }] }], {
      template: "vicuna_v1",
      chatTemplate: undefined,
      bosToken: "<s>",
      eosToken: "</s>",
      defuse: (plain) => plain,
    });
    for (const id of tokenizer.encode(prompt.text)) {
      tokens++;
      const row = table.values.subarray(id * hidden, (id + 1) * hidden);
      const square = row.reduce((sum, x) => sum + x * x, 0) / hidden;
      row.forEach((x, i) => {
        const normed = (x / Math.sqrt(square + config.text_config.rms_norm_eps)) * (norm.values[i] ?? 0);
        expected[i] = (expected[i] ?? 0) + normed ** 2;
      });
    }
  }
  const measured = importances("text.layers.0.self_attn.qkv.weight");
  expect(measured?.length).toBe(hidden);
  measured?.forEach((value, i) => expect(value / (expected[i] ?? NaN)).toBeCloseTo(1, 4));
  expect(importances("text.layers.0.mlp.gate_proj.weight")).toEqual(importances("text.layers.0.mlp.up_proj.weight"));
  // The head sees every position, not the last one of each prompt alone: rows of its normed input have a mean square near 1.
  const head = importances("head.weight") ?? importances("text.embed_tokens.weight") ?? new Float32Array();
  const rows = head.reduce((sum, value) => sum + value, 0) / hidden;
  expect(rows / tokens).toBeGreaterThan(0.7);
  expect(rows / tokens).toBeLessThan(1.4);
  expect(importances("vision.encoder.layers.0.mlp.fc1.weight")).toBeUndefined();
});

test("a classifier's last matrix, whose input is one row per picture, has an importance per column, too", async () => {
  const png = await sharp({ create: { width: 32, height: 32, channels: 3, background: "teal" } })
    .png()
    .toBuffer();
  const blob = new Blob([new Uint8Array(png)]);
  const importances = await measureImportances({
    from: checkpointFolder("training/fixtures/mixture"),
    beside: join(folder, "mixture"),
    calibration: calibrationOf({
      name: "a picture",
      messages: () =>
        Promise.resolve([
          {
            role: "user",
            parts: [
              { type: "image", blob },
              { type: "text", text: "What?" },
            ],
          },
        ]),
    }),
    template: "vicuna_v1",
  });
  // The fixture's head has 64 channels; its mean over the picture is what the matrix of the classes takes.
  expect(importances("classifier.classifier.weight")?.length).toBe(64);
});

test("pictures tell of the tower and the projector", async () => {
  const png = await sharp({ create: { width: 20, height: 12, channels: 3, background: "#a35" } })
    .png()
    .toBuffer();
  const blob = new Blob([new Uint8Array(png)]);
  const importances = await measureImportances({
    from: checkpointFolder(fixture),
    beside: join(folder, "package"),
    calibration: calibrationOf({
      name: "a picture",
      messages: () =>
        Promise.resolve([
          {
            role: "user",
            parts: [
              { type: "image", blob },
              { type: "text", text: "What?" },
            ],
          },
          { role: "assistant", parts: [{ type: "text", text: "A sea." }] },
        ]),
    }),
    template: "vicuna_v1",
  });
  const projector = importances("projector.linear_1.weight");
  expect(projector?.every((value) => value > 0)).toBe(true);
});

test("LLaVA's JSON and lines of text are read, pictures beside the file", async () => {
  await mkdir(join(folder, "pictures"));
  await write("pictures/a.png", "not read as a picture here");
  const training = await write(
    "training.json",
    JSON.stringify([
      {
        id: "1",
        image: "pictures/a.png",
        conversations: [
          { from: "human", value: "<image>\nWhat?" },
          { from: "gpt", value: "A star." },
          { from: "human", value: "Where?" },
          { from: "gpt", value: "At the top." },
        ],
      },
    ]),
  );
  const messages = await (await firstOf(await readCalibration(training)))?.messages();
  expect(
    messages?.map(({ role, parts }) => [role, ...parts.map((part) => (part.type === "text" ? part.text : part.type))]),
  ).toEqual([
    ["user", "image", "What?"],
    ["assistant", "A star."],
    ["user", "Where?"],
    ["assistant", "At the top."],
  ]);
  const lines = await readCalibration(await write("lines.jsonl", '{"text": "One."}\n\n{"text": "Two."}\n'));
  expect(lines).toMatchObject({ count: 2, notes: [] });
});

test("a picture that is missing ends it before anything is measured, with how many are", async () => {
  const text =
    '{"text": "One."}\n\n{"text": "Two.", "image": "none.png"}\n{"text": "Three.", "image": "https://x/y.png"}';
  await expect(readCalibration(await write("gone.jsonl", text))).rejects.toThrow(
    /entry 2 of .*gone\.jsonl: the picture .*none\.png can't be opened, and 1 more like it/,
  );
});

test("what the page imports is read, and what is left out is told with counts", async () => {
  await write("k.png", "");
  const qa = [
    { from: "User", value: "<image>\nWhat?" },
    { from: "assistant", value: "A kite." },
  ];
  const list = [
    { images: ["k.png"], conversations: qa },
    { image: ".\\set\\k.png", conversations: [{ from: "system", value: "Be brief." }, ...qa] },
    { image: null, conversations: [{ from: "gpt", value: "Hello." }, ...qa] },
    {
      messages: [
        { role: "user", content: [{ type: "image_url", image_url: { url: "data:image/png;base64,iVBORw==" } }] },
      ],
    },
    { question: "What?" },
    { conversations: [] },
  ];
  const json = `\uFEFF${JSON.stringify(list).replace('"question"', '"score":NaN,"question"')}`;
  const calibration = await readCalibration(await write("many.json", json));
  expect(calibration.count).toBe(4);
  expect(calibration.notes).toEqual([
    expect.stringMatching(/^2 left out: entry 5 of .*many\.json is neither .*, and more like it$/),
    expect.stringMatching(/many\.json: answers before a first question, left out: 1$/),
    expect.stringMatching(/many\.json: places for pictures without a picture: 1$/),
  ]);
  const said: string[] = [];
  for await (const entry of calibration.entries())
    said.push(
      (await entry.messages())
        .map(({ role, parts }) => `${role} ${parts.map(({ type }) => type).join("+")}`)
        .join(", "),
    );
  expect(said).toEqual([
    "user image+text, assistant text",
    "system text, user image+text, assistant text",
    "user text, assistant text",
    "user image+text",
  ]);
});

test.each([
  ["empty.jsonl", "\n", /holds no conversation/],
  ["broken.jsonl", '{"text": "One."}\n{"text": ', /line 2 of .*broken\.jsonl is not JSON/],
  ["other.json", '[{"question": "What?"}]', /entry 1 of .*other\.json is neither/],
  ["turns.json", '[{"conversations": []}]', /entry 1 of .*turns\.json holds no turn/],
])("%s is refused with a sentence", async (name, text, sentence) => {
  const path = await write(name, text);
  await expect(readCalibration(path)).rejects.toThrow(sentence);
});

test("a file that is not there, and a prompt that does not fit, end the measuring and leave nothing", async () => {
  await expect(readCalibration(join(folder, "nowhere.json"))).rejects.toThrow(/can't be opened/);
  const before = await readdir(folder);
  const long = "sea ".repeat(20_000);
  const measuring = measureImportances({
    from: checkpointFolder(fixture),
    beside: join(folder, "package"),
    calibration: calibrationOf(ask(long, "entry 1")),
    template: "vicuna_v1",
  });
  await expect(measuring).rejects.toThrow(/entry 1 can't be used: the prompt has \d+ of \d+ tokens/);
  expect(await readdir(folder)).toEqual(before);
});
