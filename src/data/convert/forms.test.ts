// Conversations in each form, read again: what both forms hold must come back.
import { expect, test } from "vitest";
import { readSample } from "#samples/read-sample.ts";
import { readPictures } from "#samples/picture-refs.ts";
import type { Piece, PictureRef, Sample } from "#samples/sample.ts";
import { seeded } from "#testing/seeded.ts";
import { formNames, lostTurnFields, otherFields, toForm } from "./forms.ts";

const nameOf = (ref: PictureRef): string => (ref.kind === "name" ? ref.name : `data:image/png;base64,${ref.base64}`);
function read(json: unknown): Sample {
  const sample = readSample(json);
  if (typeof sample === "string") throw new Error(`${sample}: ${JSON.stringify(json)}`);
  return sample;
}
const convert = (form: (typeof formNames)[number], json: unknown): object =>
  toForm(form, read(json), otherFields(json), nameOf);

const turns = (question: string): object[] => [
  { from: "human", value: question },
  { from: "gpt", value: "A kite. " },
];
const image = (url: string): object => ({ type: "image_url", image_url: { url } });
const text = (words: string): object => ({ type: "text", text: words });

test.each([
  ["<image>\nWhat?", [image("k.png"), text("What?")]],
  ["What?\n<image>", [text("What?"), image("k.png")]],
  ["See <image> here", [text("See "), image("k.png"), text(" here")]],
  ["<image>\n\nTwo lines", [image("k.png"), text("\n\nTwo lines")]],
  ["<image>\n What?", [image("k.png"), text("\n What?")]],
])("%j becomes parts, and the same text again", (question, content) => {
  const llava = { id: "1", image: "k.png", category: "x", conversations: turns(question) };
  const openai = convert("openai", llava);
  expect(openai).toEqual({
    id: "1",
    category: "x",
    messages: [
      { role: "user", content },
      { role: "assistant", content: "A kite. " },
    ],
  });
  expect(convert("llava", openai)).toEqual(llava);
  expect(convert("llava", convert("sharegpt", llava))).toEqual(llava);
});

test("a system prompt is a turn of ShareGPT's and OpenAI's, and a field of LLaVA's", () => {
  const sharegpt = { id: 7, conversations: [{ from: "system", value: "Be kind." }, ...turns("What?")] };
  expect(convert("llava", sharegpt)).toEqual({ id: 7, system: "Be kind.", conversations: turns("What?") });
  expect(convert("openai", convert("llava", sharegpt))).toMatchObject({
    messages: [{ role: "system", content: "Be kind." }, {}, {}],
  });
  expect(convert("sharegpt", convert("openai", sharegpt))).toEqual(sharegpt);
});

test("a request of a batch keeps its custom_id as the id, and its other fields", () => {
  const messages = [
    { role: "user", content: [text("One"), text("two")], name: "Ann" },
    { role: "user", content: "three" },
    { role: "assistant", content: "Yes.", tool_calls: [{}], weight: null },
  ];
  const request = { custom_id: "r1", method: "POST", body: { model: "m", messages } };
  expect(convert("llava", request)).toEqual({
    id: "r1",
    model: "m",
    conversations: [
      { from: "human", value: "One\ntwo\n\nthree" },
      { from: "gpt", value: "Yes." },
    ],
  });
  expect(lostTurnFields(request)).toBe(2);
});

test("more places than pictures put the pictures first", () => {
  const messages = [{ role: "user", content: [text("a <image> b <image> c"), image("k.png")] }];
  expect(convert("llava", { messages })).toEqual({
    image: "k.png",
    conversations: [{ from: "human", value: "<image>\na  b  c" }],
  });
});

/** Words and pictures without the white space around pictures, which the forms write in their own ways. */
const told = (pieces: readonly Piece[]): (string | object)[] =>
  pieces.map((piece) => (typeof piece === "string" ? piece.trim() : piece)).filter((piece) => piece !== "");
const toldAll = ({ system, turns: said }: Sample): unknown => [
  system,
  ...said.map((turn) => (turn.role === "user" ? [told(turn.pieces), turn.pictures] : turn.text)),
];

test("random conversations come back through every pair of forms", () => {
  const { seed, random } = seeded();
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  const words = ["What?", " ", "\n", "two  words", "图", "é", "a\nb", "“x”", "{}", "\\n", "\t", "<b>", "🐈"];
  const pictures = ["a.png", "sub/b c.jpg", "/abs/d.webp", "https://x.example/e.png", `data:image/png;base64,iVBORw0KGgo${"A".repeat(60)}`]; // prettier-ignore
  const some = (most: number): string =>
    Array.from({ length: Math.floor(random() * most) }, () => pick(words)).join("");
  for (let run = 0; run < 500; run++) {
    const names: string[] = [];
    const conversations = Array.from({ length: 1 + Math.floor(random() * 3) }, () => {
      const parts = Array.from({ length: 1 + Math.floor(random() * 5) }, () => {
        if (random() < 0.6) return some(4);
        names.push(pick(pictures));
        return "<image>";
      });
      return [
        { from: "human", value: parts.join(pick(["", "\n", " "])) },
        { from: "gpt", value: some(5) },
      ];
    }).flat();
    const fields = random() < 0.5 ? {} : { id: pick(["x", 5]), source: { deep: [1, null] } };
    const system = random() < 0.7 ? {} : { system: "Be kind." };
    const json = { ...fields, ...system, image: names, conversations };
    const where = `LLAVA_SEED=${seed}, run ${run}: ${JSON.stringify(json)}`;
    const original = read(json);
    expect([...original.lost.keys()], where).toEqual([]);
    for (const form of formNames) {
      const once = convert(form, json);
      expect(otherFields(once), where).toEqual(fields);
      expect(toldAll(read(once)), `${form}, ${where}`).toEqual(toldAll(original));
      // After parts, text stays to the letter: the line breaks around pictures are as OpenAI's form is read.
      const settled = convert(form, convert("openai", once));
      for (const other of formNames) {
        expect(convert(form, convert(other, settled)), `${form} through ${other}, ${where}`).toEqual(settled);
        const twice = convert(other, once);
        expect(toldAll(read(twice)), `${form}, ${other}, ${where}`).toEqual(toldAll(original));
      }
    }
  }
});

test("a picture that is named twice is read twice", () => {
  expect(readPictures(["a.png", "a.png"]).refs).toHaveLength(2);
  const json = { image: ["a.png", "a.png"], conversations: turns("<image>\n<image>\nSame?") };
  expect(convert("llava", convert("openai", json))).toEqual(json);
});
