import { expect, test } from "vitest";
import { templateForName } from "./template.ts";

test.each([
  ["llava-v1.5-7b", "llava_v1"],
  ["llava-1.5-7b-hf", "vicuna_v1"],
  ["pocket-llava", "vicuna_v1"],
  ["LLaVA-v1.6-34B", "chatml_direct"],
  ["llava-v1.6-mistral-7b", "mistral_instruct"],
  ["llava-llama-2-13b-chat-lightning-preview", "llava_llama_2"],
  ["LLaVA-7B-v0", "llava_v0"],
  ["llava-mpt-7b-preview", "mpt"],
  ["llava-onevision-qwen2-0.5b-ov-hf", "qwen_1_5"],
  ["llava-interleave-qwen-0.5b-hf", "qwen_1_5"],
  ["nanoLLaVA-1.5", "chatml_direct"],
  ["llava-v1-0719-mmtag", "v1_mmtag"],
  ["LLaVA-13b-v0-mmtag", "v0_mmtag"],
  ["llava-plain-v1-1", "v1_mmtag"],
  ["llava-plain-7b", "v0_mmtag"],
  ["llava-finetune-plain-v1", "llava_v1"],
  ["llava-mmtag-finetune-plain-v1", "v1_mmtag"],
  ["llava-v1.6-vicuna-13b", "llava_v1"],
  ["Nous-Hermes-2-Yi-34B-llava", "chatml_direct"],
  ["LLaVA-Lightning-7B-delta-v1-1", "llava_v1"],
])("%s speaks %s", (name, template) => {
  expect(templateForName(name)).toBe(template);
});
