import { expect, test } from "vitest";
import { commandsFor } from "./commands.ts";
import { zoo, zooRecord } from "./zoo.ts";

const commandsOf = (id: string): readonly string[] => {
  const record = zooRecord(id);
  return record ? commandsFor(record).split("\n") : [];
};

test("models are made in the page, parts of models have commands", () => {
  for (const record of zoo) expect(commandsFor(record) === "", record.id).toBe(record.kind === "model");
});

test("an adapter is fetched with its base and its tower, a delta is applied first", () => {
  expect(commandsOf("llava-1.5-7b-lora")).toEqual([
    "hf download liuhaotian/llava-v1.5-7b-lora --local-dir llava-1.5-7b-lora",
    "hf download lmsys/vicuna-7b-v1.5 --local-dir base",
    "hf download openai/clip-vit-large-patch14-336 --local-dir tower",
    "llava convert llava-1.5-7b-lora llava-1.5-7b-lora-package --base base --vision tower",
  ]);
  expect(commandsOf("llava-7b-delta-v0")).toEqual([
    "hf download liuhaotian/LLaVA-7b-delta-v0 --local-dir llava-7b-delta-v0",
    "hf download huggyllama/llama-7b --local-dir base",
    "llava apply-delta llava-7b-delta-v0 llava-7b-delta-v0-whole --base base",
    "hf download openai/clip-vit-large-patch14 --local-dir tower",
    "llava convert llava-7b-delta-v0-whole llava-7b-delta-v0-package --vision tower",
  ]);
});
