// Pocket LLaVA as a package of a hub: the library's own classes run it, from files in the hub's layout.
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { convert } from "#convert/convert.ts";
import { checkpointFolder, packageFolder } from "#convert/package/folder.node.ts";
import { decodeImage } from "#engine/picture/decode.node.ts";
import type { GenerateEvent, GenerateRequest, Message } from "#engine/types.ts";
import { manifestVersion } from "#weights/manifest.ts";
import type { LoadEvent, StoredPackage } from "#worker/api.ts";
import type { InferenceHost } from "#worker/inference/host.ts";
import { createHubHost } from "./host.ts";
import { chooseProcessor, placeInFolder } from "./place.node.ts";

let root = "";
let api: InferenceHost;
let stored: StoredPackage;
let pets: Blob;
const loads: LoadEvent[] = [];

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "llava-hub-"));
  const to = await packageFolder(join(root, "converted"), { force: true });
  const manifest = await convert(checkpointFolder("training/checkpoint"), to, {
    bits: { vision: 32, embed: 32, decoder: 4 },
  });
  const files = new Map<string, Blob>();
  for (const { path } of manifest.files) files.set(path, new Blob([await readFile(join(root, "converted", path))]));
  stored = {
    persisted: true,
    files,
    manifest: {
      version: manifestVersion,
      model: {
        id: "someone/pocket",
        name: "pocket",
        license: "apache-2.0",
        architecture: "transformers.js",
        modelType: "llava",
        repository: "someone/pocket",
        revision: "main",
        dtypes: { vision_encoder: "fp32", embed_tokens: "fp32", decoder_model_merged: "q4" },
      },
      files: [],
    },
  };
  api = createHubHost({
    chooseDevice: chooseProcessor,
    place: placeInFolder(join(root, "someone/pocket")),
    decodeImage,
  });
  pets = new Blob([await readFile("public/examples/pets.png")]);
  const loaded = await api.load(
    { model: { id: "someone/pocket", baseUrl: "" }, package: stored, device: "auto", runtimeUrl: "" },
    (event) => void loads.push(event),
  );
  expect(loaded).toMatchObject({ name: "pocket", device: "cpu", contextLength: 8192, notices: [] });
});
afterAll(async () => {
  await api.unload();
  await rm(root, { recursive: true });
});

const greedy = { temperature: 0, topK: 0, topP: 1, minP: 0, repetitionPenalty: 1 };
const ask = (text: string, picture?: Blob): Message => ({
  role: "user",
  parts: [...(picture ? [{ type: "image" as const, blob: picture }] : []), { type: "text", text }],
});
const answered = (text: string): Message => ({ role: "assistant", parts: [{ type: "text", text }] });

async function run(
  messages: readonly Message[],
  more: Partial<GenerateRequest> = {},
  onEvent: (event: GenerateEvent) => void = () => undefined,
): Promise<{ readonly text: string; readonly events: readonly GenerateEvent[] }> {
  const events: GenerateEvent[] = [];
  await api.generate({ messages, sampling: greedy, maxNewTokens: 30, stop: [], ...more }, (event) => {
    events.push(event);
    onEvent(event);
  });
  return { events, text: events.map((event) => (event.type === "text" ? event.text : "")).join("") };
}
const last = (events: readonly GenerateEvent[]) => events.at(-1);
const stages = (events: readonly GenerateEvent[]) =>
  events.flatMap((event) => (event.type === "stage" ? [event.stage] : []));

test("loading tells of every part", () => {
  expect(new Set(loads.map((event) => (event.type === "session" ? event.part : "")))).toEqual(
    new Set(["vision", "embed", "decoder"]),
  );
});

describe("an answer", () => {
  test("is the model's, streams, and ends with its figures", async () => {
    const { text, events } = await run([ask("How many cats are there?", pets)]);
    expect(text).toBe("Three.");
    expect(stages(events)).toEqual(["image", "vision", "prefill", "decode"]);
    expect(last(events)).toMatchObject({ type: "done", reason: "eos", usage: { imageTokens: 105 } });
  });

  test("to another question on the same picture needs no second look at it", async () => {
    const { text, events } = await run([ask("Is there a rocket?", pets)]);
    expect(text).toMatch(/^No/);
    expect(stages(events)).not.toContain("vision");
  });

  test("takes a conversation of several turns, and pictures in each of them", async () => {
    const first = ask("How many cats are there?", pets);
    const { events } = await run([first, answered("Three."), ask("And here?", pets)]);
    expect(last(events)).toMatchObject({ type: "done", reason: "eos", usage: { imageTokens: 210 } });
  });

  test("needs no picture", async () => {
    const { text, events } = await run([ask("Who are you?")]);
    expect(text.length).toBeGreaterThan(0);
    expect(stages(events)).toEqual(["prefill", "decode"]);
  });

  test("goes on where it was cut off", async () => {
    const { text, events } = await run([ask("How many cats are there?", pets), answered("Three")]);
    expect(text).toBe(".");
    expect(last(events)).toMatchObject({ reason: "eos" });
  });

  test("ends at a stop text, at its length, and with a Stop", async () => {
    expect(last((await run([ask("How many cats are there?", pets)], { stop: ["ree"] })).events)).toMatchObject({
      reason: "stop",
    });
    expect(last((await run([ask("How many cats are there?", pets)], { maxNewTokens: 1 })).events)).toMatchObject({
      reason: "length",
      usage: { newTokens: 1 },
    });
    const stopped = await run([ask("How many cats are there?", pets)], {}, ({ type }) => {
      if (type === "text") void api.stop();
    });
    expect(last(stopped.events)).toMatchObject({ reason: "abort" });
    const early = run([ask("How many cats are there?", pets)]);
    await api.stop();
    expect(last((await early).events)).toMatchObject({ reason: "abort", usage: { newTokens: 0 } });
  });

  test("is drawn with the engine's dice: same seed, same words", async () => {
    const sampling = { ...greedy, temperature: 1.5, seed: 7 };
    const draw = async () => (await run([ask("Describe the picture.", pets)], { sampling })).text;
    expect(await draw()).toBe(await draw());
  });
});

test("a picture that is none and a prompt that is too long are told by their codes", async () => {
  await expect(run([ask("What?", new Blob(["no picture"]))])).rejects.toMatchObject({ code: "bad-image" });
  await expect(run([ask("word ".repeat(9000))])).rejects.toMatchObject({ code: "context-full" });
});

test("a second question at once waits for the first, and gets its own answer", async () => {
  const alone = await run([ask("Who are you?")]);
  const both = await Promise.all([run([ask("How many cats are there?", pets)]), run([ask("Who are you?")])]);
  expect(both.map(({ text }) => text)).toEqual(["Three.", alone.text]);
});

test("LLaVA-OneVision's classes, whose processor the library does not have, answer the same", async () => {
  const place = placeInFolder(join(root, "someone/onevision"));
  const host = createHubHost({ chooseDevice: chooseProcessor, place, decodeImage });
  const changed = async (path: string, from: string, to: string): Promise<[string, Blob]> => {
    const text = (await stored.files.get(path)?.text()) ?? "";
    expect(text).toContain(from);
    return [path, new Blob([text.replace(from, to)])];
  };
  const files = new Map([
    ...stored.files,
    await changed("config.json", `"model_type": "llava",`, `"model_type": "llava_onevision",`),
    await changed("preprocessor_config.json", "LlavaProcessor", "LlavaOnevisionProcessor"),
  ]);
  const manifest: unknown = JSON.parse(JSON.stringify(stored.manifest).replace(`:"llava"`, `:"llava_onevision"`));
  const model = { id: "someone/onevision", baseUrl: "" };
  await host.load(
    { model, package: { persisted: true, files, manifest }, device: "auto", runtimeUrl: "" },
    () => undefined,
  );
  const words: string[] = [];
  const messages = [ask("How many cats are there?", pets)];
  await host.generate({ messages, sampling: greedy, maxNewTokens: 9, stop: [] }, (event) => {
    if (event.type === "text") words.push(event.text);
  });
  await host.unload();
  expect(words.join("")).toBe("Three.");
});

test("files for a GPU are not loaded on a processor", async () => {
  const host = createHubHost({ chooseDevice: chooseProcessor, place: placeInFolder(join(root, "x/y")), decodeImage });
  const manifest: unknown = JSON.parse(JSON.stringify(stored.manifest).replace(`"q4"`, `"q4f16"`));
  const request = {
    model: { id: "x", baseUrl: "" },
    package: { ...stored, manifest },
    device: "auto",
    runtimeUrl: "",
  } as const;
  await expect(host.load(request, () => undefined)).rejects.toMatchObject({ code: "no-device" });
});

describe("what would hang the worker is refused with a sentence", () => {
  async function changed(path: string, change: (text: string) => string): Promise<InferenceHost> {
    const files = new Map(stored.files);
    files.set(path, new Blob([change((await stored.files.get(path)?.text()) ?? "")]));
    const place = placeInFolder(join(root, "someone", path.replace(/\W/g, "-")));
    const other = createHubHost({ chooseDevice: chooseProcessor, place, decodeImage });
    const request = {
      model: { id: `someone/${path.replace(/\W/g, "-")}`, baseUrl: "" },
      device: "auto",
      runtimeUrl: "",
    } as const;
    await other.load({ ...request, package: { ...stored, files } }, () => undefined);
    return other;
  }

  test("a tokenizer's pattern without end, at load", async () => {
    const pattern = (text: string): string => {
      const tokenizer = JSON.parse(text) as object;
      return JSON.stringify({
        ...tokenizer,
        pre_tokenizer: { type: "Split", pattern: { Regex: "(a+)+$" }, behavior: "Isolated" },
      });
    };
    await expect(changed("tokenizer.json", pattern)).rejects.toThrow(/would not come to an end/);
  });

  test("a chat template without end, at the first question", async () => {
    const host = await changed("chat_template.jinja", () => "{% for i in range(1000000000) %}x{% endfor %}");
    const question = { messages: [ask("Hello")], sampling: greedy, maxNewTokens: 4, stop: [] };
    await expect(host.generate(question, () => undefined)).rejects.toThrow(/chat template/);
    await host.unload();
  });
});
