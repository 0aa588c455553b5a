import fc from "fast-check";
import { expect, test } from "vitest";
import { parsePythonJson } from "#formats/json.ts";
import { readJsonItems } from "./json-items.ts";
import { readSamples, type ReadSample } from "./read-samples.ts";
import { sampleLimits } from "./limits.ts";
import type { Sample } from "./sample.ts";
import { blobChunks } from "./text-chunks.ts";

async function read(content: string | object | Uint8Array<ArrayBuffer>): Promise<ReadSample[]> {
  const text = typeof content === "string" || content instanceof Uint8Array ? content : JSON.stringify(content);
  const all: ReadSample[] = [];
  for await (const one of readSamples(blobChunks(new Blob([text])))) all.push(one);
  return all;
}

/** What one conversation came to, in a line; or why there is none. */
function told(sample: ReadSample["sample"] | undefined): string {
  if (typeof sample !== "object") return String(sample);
  const { system, turns, lost } = sample satisfies Sample;
  const said = turns.map((turn) =>
    turn.role === "assistant"
      ? `A ${turn.text}`
      : `Q ${[...turn.pictures.map((ref) => (ref.kind === "name" ? `[${ref.name}]` : `[${ref.base64.length} base64]`)), turn.text].join(" ")}`,
  );
  const losses = [...lost].map(([loss, count]) => `-${loss} ${count}`);
  return [...(system === "" ? [] : [`S ${system}`]), ...said, ...losses].join(" | ");
}
const one = async (value: object): Promise<string> => told((await read([value]))[0]?.sample);

const turns = [
  { from: "human", value: "<image>\nWhat?" },
  { from: "gpt", value: "A kite." },
];
const usual = "Q [k.png] What? | A A kite.";
const base64 = `iVBORw0KGgo${"A".repeat(300)}`;

test.each<[string, object, string]>([
  ["LLaVA's image", { image: "k.png", conversations: turns }, usual],
  ["a list of one", { image: ["k.png"], conversations: turns }, usual],
  ["LLaMA-Factory's images", { images: ["k.png"], conversations: turns }, usual],
  ["both, naming the same", { image: "k.png", images: ["k.png"], conversations: turns }, usual],
  ["an object with a path", { images: [{ bytes: null, path: "k.png" }], conversations: turns }, usual],
  ["Windows' folders", { image: ".\\set\\k.png", conversations: turns }, "Q [./set/k.png] What? | A A kite."],
  ["a file: address", { image: "file:///set/k%20k.png", conversations: turns }, "Q [/set/k k.png] What? | A A kite."],
  ["base64", { image: base64, conversations: turns }, "Q [311 base64] What? | A A kite."],
  [
    "a data: address",
    { image: `data:image/png;base64,${base64}`, conversations: turns },
    "Q [311 base64] What? | A A kite.",
  ],
  ["no picture", { image: null, conversations: turns }, "Q What? | A A kite. | -mark 1"],
  ["none at all", { conversations: turns }, "Q What? | A A kite. | -mark 1"],
  ["a number", { image: 7, conversations: turns }, "Q What? | A A kite. | -picture 1"],
  [
    "a mark in the middle",
    { image: "k.png", conversations: [{ from: "human", value: "See <image> here?" }, turns[1]] },
    "Q [k.png] See  here? | A A kite.",
  ],
  [
    "two marks, one picture",
    { image: "k.png", conversations: [{ from: "human", value: "<image><image>Same?" }, turns[1]] },
    "Q [k.png] Same? | A A kite. | -mark 1",
  ],
  [
    "one mark, two pictures",
    { image: ["k.png", "l.png"], conversations: turns },
    "Q [k.png] [l.png] What? | A A kite.",
  ],
  [
    "numbered marks in two turns",
    {
      images: ["a", "b", "c"],
      conversations: [
        { from: "human", value: "<image_1> <image 2> Which?" },
        turns[1],
        { from: "human", value: "And <|image|>?" },
      ],
    },
    "Q [a] [b] Which? | A A kite. | Q [c] And ?",
  ],
  [
    "pictures in Qwen's way",
    { conversations: [{ from: "user", value: "Picture 1: <img>k.png</img>\nWhat?" }, turns[1]] },
    usual,
  ],
])("a picture named by %s is the question's", async (_, value, expected) => {
  expect(await one(value)).toBe(expected);
});

const qa = (user: string, assistant: string) => [
  { from: user, value: "Hi" },
  { from: assistant, value: "Hello" },
];
test.each([
  ["human", "gpt"],
  ["user", "assistant"],
  ["Human", "GPT"],
  ["USER ", "chatgpt"],
  ["user", "bing"],
  ["human", "bard"],
  ["user", "model"],
])("%s and %s are the two who speak", async (user, assistant) => {
  for (const key of ["conversations", "items", "messages", "conversation"])
    expect(await one({ [key]: qa(user, assistant) })).toBe("Q Hi | A Hello");
});

test.each<[string, object, string]>([
  [
    "first",
    { conversations: [{ from: "system", value: "Be brief." }, ...qa("human", "gpt")] },
    "S Be brief. | Q Hi | A Hello",
  ],
  ["in a field", { system: "Be brief.", conversations: qa("human", "gpt") }, "S Be brief. | Q Hi | A Hello"],
  [
    "both",
    { system: "Be brief.", conversations: [{ from: "system", value: "Be brief." }, ...qa("human", "gpt")] },
    "S Be brief. | Q Hi | A Hello",
  ],
  [
    "a developer's",
    {
      messages: [
        { role: "developer", content: "Be brief." },
        { role: "user", content: "Hi" },
      ],
    },
    "S Be brief. | Q Hi",
  ],
  [
    "late",
    { conversations: [...qa("human", "gpt"), { from: "system", value: "Now rhyme." }] },
    "Q Hi | A Hello | -late-system 1",
  ],
  ["empty", { system: null, conversations: [{ from: "system", value: "" }, ...qa("human", "gpt")] }, "Q Hi | A Hello"],
])("instructions that stand %s are read", async (_, value, expected) => {
  expect(await one(value)).toBe(expected);
});

test.each<[string, object, string]>([
  [
    "OpenAI's parts",
    {
      messages: [
        {
          role: "user",
          content: [
            { type: "text", text: "What?" },
            { type: "image_url", image_url: { url: `data:image/png;base64,${base64}`, detail: "low" } },
          ],
        },
        { role: "assistant", content: [{ type: "text", text: "A kite." }] },
      ],
    },
    "Q [311 base64] What? | A A kite.",
  ],
  [
    "an address as a string",
    {
      messages: [
        {
          role: "user",
          content: [
            { type: "image_url", image_url: "https://x.example/k.png" },
            { type: "text", text: "What?" },
          ],
        },
      ],
    },
    "Q [https://x.example/k.png] What?",
  ],
  [
    "Qwen2-VL's parts",
    {
      messages: [
        {
          role: "user",
          content: [
            { type: "image", image: "file:///k.png" },
            { type: "text", text: "What?" },
          ],
        },
      ],
    },
    "Q [/k.png] What?",
  ],
  [
    "Anthropic's parts",
    {
      messages: [
        {
          role: "user",
          content: [
            { type: "image", source: { type: "base64", media_type: "image/png", data: base64 } },
            { type: "text", text: "What?" },
          ],
        },
      ],
    },
    "Q [311 base64] What?",
  ],
  ["Ollama's messages", { messages: [{ role: "user", content: "What?", images: [base64] }] }, "Q [311 base64] What?"],
  [
    "parts that only mark a picture",
    { images: ["k.png"], messages: [{ role: "user", content: [{ type: "image" }, { type: "text", text: "What?" }] }] },
    "Q [k.png] What?",
  ],
  ["a request of a batch", { custom_id: "1", body: { messages: [{ role: "user", content: "Hi" }] } }, "Q Hi"],
  [
    "two messages before the answer",
    {
      messages: [
        { role: "user", content: "See:" },
        { role: "user", content: "What?" },
      ],
    },
    "Q See:\n\nWhat?",
  ],
  [
    "sound and video",
    {
      messages: [
        {
          role: "user",
          content: [
            { type: "input_audio", input_audio: {} },
            { type: "text", text: "What?" },
          ],
        },
      ],
    },
    "Q What? | -media 1",
  ],
  [
    "Gemini's contents",
    {
      messages: [
        { role: "user", parts: [{ text: "Hi" }] },
        { role: "model", parts: [{ text: "Hello" }] },
      ],
    },
    "Q Hi | A Hello",
  ],
  ["a text alone", { text: "<image>\nWhat?", image: "k.png", question_id: 3 }, "Q [k.png] What?"],
  [
    "an answer first",
    { conversations: [{ from: "gpt", value: "Hello." }, ...qa("human", "gpt")] },
    "Q Hi | A Hello | -early-answer 1",
  ],
  ["nothing said", { conversations: [] }, "no-turns"],
  ["only answers", { conversations: [{ from: "gpt", value: "Hello." }] }, "no-turns"],
  ["somebody else", { conversations: [...qa("human", "gpt"), { from: "tool", value: "7" }] }, "unknown-speaker"],
  ["two answers", { conversations: [...qa("human", "gpt"), { from: "gpt", value: "7" }] }, "not-alternating"],
  ["no text in a turn", { conversations: [{ from: "human", value: { a: 1 } }] }, "Q  | -media 1"],
  ["something else", { question: "What?" }, "not-a-conversation"],
  ["a text too long", { text: "x".repeat(sampleLimits.textLength + 1) }, "text-too-long"],
  [
    "turns beyond number",
    { conversations: Array.from({ length: sampleLimits.turns + 1 }, () => turns[0]) },
    "too-many-turns",
  ],
])("%s is read or told", async (_, value, expected) => {
  expect(await one(value)).toBe(expected);
});

const sample = { image: "k.png", conversations: turns };
const json = JSON.stringify(sample);
test.each<[string, string | Uint8Array<ArrayBuffer>, string[]]>([
  ["a list", `[${json},\n${json}]`, [usual, usual]],
  ["a list with a comma too many", `[${json},]`, [usual]],
  ["one object", JSON.stringify(sample, null, 2), [usual]],
  ["one line", `${json}\n`, [usual]],
  ["lines, some empty", `${json}\n\n\n${json}`, [usual, usual]],
  ["lines from Windows with a mark before", `\uFEFF${json}\r\n${json}\r\n`, [usual, usual]],
  [
    "what PowerShell writes",
    new Uint8Array(new Uint16Array([0xfeff, ...Array.from(json, (c) => c.charCodeAt(0))]).buffer),
    [usual],
  ],
  ["an object around the list", `{"version":1,"data":[${json},${json}]}`, [usual, usual]],
  ["an object of conversations", `{"1":${json},"2":${json}}`, [usual, usual]],
  [
    "turns without an object",
    '[{"role":"user","content":"Hi"},{"role":"assistant","content":"Hello"}]',
    ["Q Hi | A Hello"],
  ],
  ["lines of such turns", '[{"role":"user","content":"Hi"}]\n[{"role":"user","content":"Ho"}]', ["Q Hi", "Q Ho"]],
  ["a turn per line", '{"role":"user","content":"Hi"}\n{"role":"assistant","content":"Hello"}', ["Q Hi | A Hello"]],
  ["Python's numbers", json.replace("{", '{"score":NaN,"s":[-Infinity, Infinity],"t":"NaN \\" NaN",'), [usual]],
  ["a file that breaks off", `[${json},{"image":`, [usual, "broken"]],
  ["lines of which one is cut", `${json}\n{"text":`, [usual, "broken"]],
  ["a list that never ends", `[${json}`, [usual, "broken"]],
  ["no JSON", "Dear diary", ["broken"]],
  ["nothing", " \n", []],
  ["other JSON", "[1, null, []]", ["not-a-conversation", "not-a-conversation", "not-a-conversation"]],
  ["nesting without end", `[${"[".repeat(1e6)}`, ["broken"]],
])("%s is read value by value", async (_, content, expected) => {
  expect((await read(content)).map(({ sample: found }) => told(found))).toEqual(expected);
});

test("wherever the text is cut into pieces, the same values come out", async () => {
  const values = fc.array(fc.jsonValue({ maxDepth: 3 }), { maxLength: 5 });
  await fc.assert(
    fc.asyncProperty(values, fc.integer({ min: 1, max: 9 }), fc.boolean(), async (list, size, lines) => {
      const text = lines ? list.map((value) => JSON.stringify(value)).join("\n") : JSON.stringify(list, null, 1);
      // A list on a line of its own is a list of values, not a value.
      if (lines && list.some((value) => Array.isArray(value))) return;
      async function* pieces(): AsyncGenerator<string> {
        for (let at = 0; at < text.length; at += size) yield await Promise.resolve(text.slice(at, at + size));
      }
      const found: unknown[] = [];
      for await (const { value } of readJsonItems(pieces())) found.push(typeof value === "string" ? value : value.json);
      expect(found).toEqual(JSON.parse(JSON.stringify(list)));
    }),
  );
});

test("a million pictures named, lines beyond number and long strings are read", async () => {
  const many = { image: Array.from({ length: 1e6 }, (_, i) => `${i}.png`), conversations: turns };
  const [first] = await read([many]);
  expect(told(first?.sample)).toContain(`-picture ${1e6 - sampleLimits.pictures}`);
  expect(await read("[]\n".repeat(5e6))).toEqual([]);
  expect((await read(`{"text":"${'\\"'.repeat(4e6)}"}`))[0]?.sample).toBe("text-too-long");
  expect(parsePythonJson(`[NaN,"${"\\\\".repeat(2e6)}"]`)).toHaveLength(2);
});

test("a value that no memory should hold is read over, and what follows is read", async () => {
  const piece = new TextEncoder().encode(" word".repeat(200_000));
  async function* chunks(): AsyncGenerator<Uint8Array> {
    yield new TextEncoder().encode('[{"text":"');
    for (let length = 0; length <= sampleLimits.jsonLength; length += piece.length) yield await Promise.resolve(piece);
    yield new TextEncoder().encode(`"},${json}]`);
  }
  const found: string[] = [];
  for await (const { sample: one } of readSamples(chunks())) found.push(told(one));
  expect(found).toEqual(["too-large", usual]);
});
