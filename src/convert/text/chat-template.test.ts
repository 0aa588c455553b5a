// A checkpoint's chat template on its way into a package: which one counts, whether it takes pictures, and one that does not end.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import * as v from "valibot";
import { describe, expect, test } from "vitest";
import { createGenerator } from "#engine/generate.ts";
import { loadModel } from "#engine/model/load.ts";
import { createNodeRuntime } from "#engine/runtime/runtime.node.ts";
import type { GenerateRequest, Message } from "#engine/types.ts";
import { findChatTemplate, tryTemplate, type ChatTemplate } from "./chat-template.ts";
import { convert, type ConvertOptions } from "#convert/convert.ts";
import { memoryCheckpoint, memoryPackage, tinyFiles } from "#testing/fixtures.ts";
import { checkpointFolder } from "#convert/package/folder.node.ts";
import { renderChatThread } from "./limited-thread.node.ts";

const Golden = v.object({ templates: v.array(v.object({ name: v.string(), template: v.string() })) });
const golden = v.parse(
  Golden,
  JSON.parse(readFileSync(new URL("../../../training/fixtures/chat-templates.golden.json", import.meta.url), "utf8")),
);
const kind = (name: string): string => golden.templates.find((template) => template.name === name)?.template ?? "";
const renderChat = renderChatThread();
const tokens = { image: "<image>", bos: "<s>", eos: "</s>" };
const tried = (source: string) => tryTemplate({ source, file: "chat_template.jinja" }, tokens, renderChat);

test("the processor's file comes before the tokenizer's, and a template may be one of several", async () => {
  const found = (files: Record<string, unknown>): Promise<ChatTemplate | undefined> => {
    const texts = Object.entries(files).map(([name, content]): [string, string] => [
      name,
      typeof content === "string" ? content : JSON.stringify(content),
    ]);
    return findChatTemplate(memoryCheckpoint("c", new Map(texts)));
  };
  const tokenizer = { "tokenizer_config.json": { chat_template: "t" } };
  expect(
    await found({ ...tokenizer, "chat_template.jinja": "j", "chat_template.json": { chat_template: "p" } }),
  ).toEqual({
    source: "j",
    file: "chat_template.jinja",
  });
  expect((await found({ ...tokenizer, "chat_template.json": { chat_template: "p" } }))?.source).toBe("p");
  expect((await found({ ...tokenizer, "processor_config.json": { chat_template: "q" } }))?.source).toBe("q");
  expect((await found(tokenizer))?.source).toBe("t");
  const several = [
    { name: "tools", template: "x" },
    { name: "default", template: "d" },
  ];
  expect((await found({ "tokenizer_config.json": { chat_template: several } }))?.source).toBe("d");
  expect((await found({ "chat_template.json": { chat_template: { rag: "r", default: "d" } } }))?.source).toBe("d");
  expect(await found({})).toBeUndefined();
});

test("whether a template takes pictures, and what stands before and after an answer, shows by trying it", async () => {
  expect(await tried(kind("roles"))).toMatchObject({ use: "parts", cue: "ASSISTANT:" });
  expect(await tried(kind("marks"))).toMatchObject({ use: "parts", cue: "<|im_end|><|im_start|>assistant" });
  expect((await tried(kind("brackets"))).use).toBe("parts");
  const text = await tried(kind("text alone"));
  expect(text.use).toBe("text");
  expect(text.close).toMatch(/^<\|im_end\|>/);
  // Mentions types, as templates with tools do, and still knows texts alone.
  expect((await tried(`{# "type": "function" #}${kind("text alone")}`)).use).toBe("text");
  expect((await tried("{% for m in messages %}{{ m.role }}{% endfor %}")).use).toBe("none");
  expect((await tried("{% for")).use).toBe("none");
});

describe("a template that does not end is told of, within seconds", () => {
  const limits = renderChatThread({ ms: 1500, megabytes: 64 });
  test.each([
    ["a billion turns", "{% for i in range(1000000000) %}{{ '<image>' }}{% endfor %}"],
    ["loops in loops", "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}"],
    [
      "a list that doubles",
      "{% set n = namespace(a=[1]) %}{% for i in range(60) %}{% set n.a = n.a + n.a %}{% endfor %}",
    ],
  ])("%s", async (_what, source) => {
    await expect(tryTemplate({ source, file: "chat_template.jinja" }, tokens, limits)).rejects.toThrow(
      /the chat template in chat_template\.jinja (is not rendered within|takes more than).*--template/,
    );
  });
});

const made = async (files: Record<string, string>, options: Partial<ConvertOptions> = {}, name = "tiny-llava") => {
  const to = memoryPackage();
  const notes: string[] = [];
  const all = new Map([...tinyFiles(), ...Object.entries(files)]);
  const manifest = await convert(memoryCheckpoint(name, all), to, {
    bits: { vision: 32, embed: 32, decoder: 32 },
    renderChat,
    onNote: (note) => notes.push(note),
    ...options,
  });
  const json = (path: string): unknown => JSON.parse(new TextDecoder().decode(to.written.get(path)));
  return { template: manifest.model.template, notes, json, written: [...to.written.keys()] };
};

test("a package goes by the checkpoint's chat template, and every reader of it finds the same one", async () => {
  const source = kind("roles");
  const tokenizerConfig = JSON.stringify({
    bos_token: "<s>",
    eos_token: "</s>",
    chat_template: "text of a language model",
  });
  const { template, notes, json } = await made({
    "chat_template.jinja": source,
    "tokenizer_config.json": tokenizerConfig,
  });
  expect(template).toBe("chat_template");
  expect(notes).toEqual(["template: the checkpoint's own (chat_template.jinja)"]);
  expect(json("tokenizer_config.json")).toMatchObject({ chat_template: source });
  const other = await made({ "chat_template.jinja": source }, {}, "pets-mpt-2");
  expect(other.notes.join("\n")).toMatch(/^template: the checkpoint's own .*\nwarning: the name pets-mpt-2 stands for/);
});

test("--template chooses the checkpoint's own as well, where it has one", async () => {
  await expect(made({}, { template: "chat_template" })).rejects.toThrow(/has no chat template; name another/);
  expect((await made({ "chat_template.jinja": kind("roles") }, { template: "llama_3" })).template).toBe("llama_3");
});

test("a chat template that does not end stops the conversion, or stays out where another template is asked for", async () => {
  const endless = { "chat_template.jinja": "{% for i in range(1000000000) %}<image>{% endfor %}" };
  const limits = { renderChat: renderChatThread({ ms: 1500, megabytes: 64 }) };
  await expect(made(endless, limits)).rejects.toThrow(/chat template in chat_template\.jinja/);
  const { written, notes, json } = await made(endless, { ...limits, template: "vicuna_v1" });
  expect(written).not.toContain("chat_template.jinja");
  expect(json("tokenizer_config.json")).not.toHaveProperty("chat_template");
  expect(notes.join()).toMatch(/left out of the package/);
});

test("the token that a chat template ends answers with ends them in the package, too", async () => {
  const tokenizer = {
    added_tokens: [
      { id: 2, content: "</s>", special: true },
      { id: 7, content: "<|im_end|>", special: true },
    ],
    model: { type: "BPE", vocab: {}, merges: [] },
  };
  const { json } = await made({ "chat_template.jinja": kind("marks"), "tokenizer.json": JSON.stringify(tokenizer) });
  expect(json("generation_config.json")).toMatchObject({ eos_token_id: expect.arrayContaining([7]) as unknown });
});

test("a package with the checkpoint's own template answers with several pictures, in any turn", async () => {
  const to = memoryPackage();
  const tiny = checkpointFolder(fileURLToPath(new URL("../../../training/fixtures/tiny-llava", import.meta.url)));
  const info = await convert(tiny, to, { bits: { vision: 32, embed: 32, decoder: 32 }, renderChat });
  expect(info.model.template).toBe("chat_template");
  const runtime = createNodeRuntime({ threads: 1 });
  const model = await loadModel({ runtime, files: to.files, info, memoryBudget: 0 });
  const pixels = { width: 2, height: 2, data: new Uint8Array(16).fill(90) };
  const generator = createGenerator({
    model,
    ...info.model,
    decodeImage: () => Promise.resolve(pixels),
    prefillChunk: 64,
    featureBytes: 2 ** 20,
  });
  const say = (role: "user" | "assistant", text: string, ...pictures: string[]): Message => ({
    role,
    parts: [...pictures.map((name) => ({ type: "image" as const, blob: new Blob([name]) })), { type: "text", text }],
  });
  const request: GenerateRequest = {
    messages: [say("user", "one", "a"), say("assistant", "yes"), say("user", "two", "b", "c")],
    maxNewTokens: 2,
    stop: [],
    sampling: { temperature: 0, topK: 0, topP: 1, minP: 0, repetitionPenalty: 1 },
  };
  let pictures = 0;
  for await (const event of generator.generate(request)) if (event.type === "done") pictures = event.usage.imageTokens;
  expect(pictures).toBe(3 * info.model.imageTokens);
  generator.dispose();
  await model.dispose();
  await runtime.dispose();
});

test("a hub's cache names the model, not the commit", () => {
  const name = (path: string) => checkpointFolder(path).name;
  const commit = "6f32ad1e4b5c6d7e8f901a2b3c4d5e6f70819203";
  expect(name(`/cache/hub/models--llava-hf--llava-1.5-7b-hf/snapshots/${commit}`)).toBe("llava-1.5-7b-hf");
  expect(name(`/cache/hub/models--llava-hf--llava-1.5-7b-hf/snapshots/${commit}/`)).toBe("llava-1.5-7b-hf");
  expect(name("/cache/models--llava/snapshots/main")).toBe("llava");
  expect(name("/data/snapshots/6f32ad")).toBe("6f32ad");
  expect(name("/data/llava-1.5-7b-hf")).toBe("llava-1.5-7b-hf");
});
