// Packages as model hubs have them, exported by others: no manifest, other inputs, all logits. The answers are those of our own package.
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, test } from "vitest";
import { parseConfig } from "#convert/config/config.ts";
import { convert } from "#convert/convert.ts";
import { memoryPackage } from "#testing/fixtures.ts";
import { checkpointFolder } from "#convert/package/folder.node.ts";
import { LlavaTensors } from "#convert/checkpoint/llava-tensors.ts";
import { oldDecoder } from "#testing/old-export.ts";
import { openCheckpoint } from "#convert/checkpoint/open-checkpoint.ts";
import { createEngine } from "#engine/engine.ts";
import { EngineError } from "#engine/errors.ts";
import { describeHubLayout } from "./hub-layout.ts";
import type { PackageInfo } from "#engine/package.ts";
import { createNodeRuntime } from "#engine/runtime/runtime.node.ts";
import type { Runtime } from "#engine/runtime/runtime.ts";
import type { Message, PackageFiles, Part } from "#engine/types.ts";

const family = fileURLToPath(new URL("../../../training/fixtures/families/llava-interleave", import.meta.url));
/** As language models have it: messages are text, not parts. */
const chatTemplate =
  "{% for m in messages %}{{ '<s>' + m['role'] + ': ' + m['content'] + '</s>' }}{% endfor %}{% if add_generation_prompt %}{{ 'assistant: ' }}{% endif %}";

let own: ReadonlyMap<string, Uint8Array<ArrayBuffer>>;
let info: PackageInfo;
let hub: Map<string, Uint8Array<ArrayBuffer>>;

const bytes = (text: string) => new TextEncoder().encode(text);

beforeAll(async () => {
  const to = memoryPackage();
  info = await convert(checkpointFolder(family), to, {
    bits: { vision: 32, embed: 32, decoder: 32 },
    template: "chat_template",
  });
  const files = new Map(to.written);
  files.set("tokenizer_config.json", bytes(JSON.stringify({ bos_token: "<s>", eos_token: "</s>", chat_template: chatTemplate }))); // prettier-ignore
  own = files;
  hub = new Map(files);
  hub.delete("manifest.json");
  const config = parseConfig(JSON.parse(await readFile(`${family}/config.json`, "utf8")));
  const tensors = new LlavaTensors(await openCheckpoint(checkpointFolder(family)));
  const { graph, data } = await oldDecoder(config.text, tensors, "decoder_model_merged_q4.onnx_data");
  for (const path of [...hub.keys()]) if (path.includes("decoder_model_merged")) hub.delete(path);
  hub.set("onnx/decoder_model_merged_q4.onnx", graph);
  hub.set("onnx/decoder_model_merged_q4.onnx_data", data);
});

const filesOf = (map: ReadonlyMap<string, Uint8Array<ArrayBuffer>>): PackageFiles => ({
  blob(path) {
    const content = map.get(path);
    if (!content) return Promise.reject(new EngineError("bad-package", `no file ${path}`));
    return Promise.resolve(new Blob([content]));
  },
});

async function conversation(
  files: PackageFiles,
  packageInfo: PackageInfo,
  runtime: Runtime = createNodeRuntime({ threads: 1 }),
): Promise<string[]> {
  const engine = await createEngine({
    runtime,
    files,
    info: packageInfo,
    prefillChunk: 7,
    decodeImage: ({ size }) =>
      Promise.resolve({ width: size, height: 20, data: new Uint8Array(size * 80).map((_, i) => (i * 31) % 256) }),
  });
  const messages: Message[] = [];
  const picture: Part = { type: "image", blob: new Blob(["x".repeat(30)]) };
  const answers: string[] = [];
  for (const question of ["What is this?", "A small red star?"]) {
    messages.push({
      role: "user",
      parts: [...(answers.length === 0 ? [picture] : []), { type: "text", text: question }],
    });
    let text = "";
    const sampling = { temperature: 0, topK: 0, topP: 1, minP: 0, repetitionPenalty: 1 };
    for await (const event of engine.generate({ messages, sampling, maxNewTokens: 12, stop: [] })) {
      if (event.type === "text") text += event.text;
    }
    answers.push(text);
    messages.push({ role: "assistant", parts: [{ type: "text", text }] });
  }
  await engine.dispose();
  expect(runtime.aliveTensors).toBe(0);
  return answers;
}

describe("a package of a hub", () => {
  test("is described from its files alone", async () => {
    expect(await describeHubLayout(filesOf(hub), "owner/name")).toMatchObject({
      model: { template: "chat_template", imageAspect: "pad", imageTokens: 9, contextLength: 2048 },
      graphs: {
        vision: { path: "onnx/vision_encoder.onnx", bits: 32 },
        decoder: {
          path: "onnx/decoder_model_merged_q4.onnx",
          data: ["onnx/decoder_model_merged_q4.onnx_data"],
          bits: 4,
        },
      },
    });
  });

  test("with positions as an input and logits of every position gives the answers of our own package", async () => {
    const expected = await conversation(filesOf(own), info);
    expect(expected.join("")).not.toBe("");
    const described = await describeHubLayout(filesOf(hub), "owner/name");
    expect(await conversation(filesOf(hub), described)).toEqual(expected);
  });

  test.each([
    ["onnx/vision_encoder.onnx", /none of vision_encoder_q4.onnx, .* is in the folder onnx/],
    ["preprocessor_config.json", /preprocessor_config.json/],
  ])("without %s is refused by name", async (missing, message) => {
    const files = new Map(hub);
    files.delete(missing);
    await expect(describeHubLayout(filesOf(files), "owner/name")).rejects.toThrow(message);
  });

  test("of another kind is refused, saying which can be run", async () => {
    const files = new Map(hub);
    files.set("config.json", bytes('{"model_type":"smolvlm","text_config":{},"vision_config":{}}'));
    await expect(describeHubLayout(filesOf(files), "owner/name")).rejects.toThrow(
      /"smolvlm"; .* llava_onevision can be run/,
    );
  });
});
