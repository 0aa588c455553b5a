import { describe, expect, test } from "vitest";
import { chooseTemplate, namedTemplate, templateForName, type TemplateEvidence } from "./template.ts";

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

test.each([
  ["pets-attempt-2"],
  ["reverse-prompting-ckpt"],
  ["empty-llava-1.5"],
  ["llava-1.5-contempt"],
  ["my_qwen_labels_llava-1.5"],
  ["survey1-llava"],
  ["llava-rev0lution"],
  ["mistralai-photos"],
  ["nv1-llava"],
  ["explainer-llava"],
  ["checkpoint-1200"],
])("%s says nothing: what looks like a template's name is part of a longer word", (name) => {
  expect(namedTemplate(name)).toBeUndefined();
});

test.each([
  ["llama3-llava-next-8b-hf", "llama_3"],
  ["llava-llama-3-8b-v1_1-transformers", "llama_3"],
  ["llava-Meta-Llama-3.1-8B", "llama_3"],
  ["llava-phi-3-mini-hf", "phi_3"],
  ["llava-next-72b-hf", "qwen_1_5"],
  ["llava-next-110b-hf", "qwen_1_5"],
  ["llava-1.6-34b", "chatml_direct"],
  ["llava-v1.6-34b-hf", "chatml_direct"],
  ["llava-v1.5-qwen2.5-7b", "qwen_1_5"],
  ["llava-llama2-7b", "llava_llama_2"],
  ["llava-v1.6-mistral-7b-hf", "mistral_instruct"],
])("%s speaks %s, from whole words", (name, template) => {
  expect(namedTemplate(name)).toBe(template);
});

describe("the choice and its reason", () => {
  const vicunaLike = {
    source: "",
    file: "chat_template.jinja",
    use: "parts",
    cue: "ASSISTANT:",
    close: "</s>",
  } as const;
  const choose = (evidence: Partial<TemplateEvidence>) =>
    chooseTemplate({ names: ["checkpoint-1200"], original: false, tokens: new Set(), ...evidence });

  test("a chat template that takes pictures rules, whatever the name says, and a contradiction is warned of", () => {
    expect(choose({ own: vicunaLike })).toEqual({
      id: "chat_template",
      reason: "the checkpoint's own (chat_template.jinja)",
      warnings: [],
    });
    expect(choose({ own: vicunaLike, names: ["llava-v1.5-7b"] }).warnings).toEqual([]);
    const { id, warnings } = choose({ own: vicunaLike, names: ["llava-mpt-7b"] });
    expect(id).toBe("chat_template");
    expect(warnings.join()).toMatch(
      /the name llava-mpt-7b stands for the template mpt, but .* writes "ASSISTANT:".*--template mpt/,
    );
  });

  test("in the original layout names rule over it", () => {
    expect(choose({ own: vicunaLike, names: ["llava-v1.5-7b"], original: true }).id).toBe("llava_v1");
    expect(choose({ own: vicunaLike, original: true }).id).toBe("chat_template");
  });

  test("a chat template of texts alone is taken where the name says nothing, and one that loses pictures never", () => {
    const texts = { ...vicunaLike, use: "text" } as const;
    expect(choose({ own: texts }).reason).toMatch(/with pictures before the text/);
    expect(choose({ own: texts, names: ["llava-next-72b-hf"] }).id).toBe("qwen_1_5");
    const none = choose({ own: { ...vicunaLike, use: "none" } });
    expect(none.id).toBe("vicuna_v1");
    expect(none.warnings).toEqual([
      "the chat template in chat_template.jinja makes no prompt with pictures, so it is not used",
    ]);
  });

  test("without template and name the tokenizer's own tokens tell Llama 3, ChatML and Phi 3", () => {
    expect(choose({ tokens: new Set(["<|start_header_id|>"]) })).toMatchObject({
      id: "llama_3",
      reason: "llama_3, because the tokenizer has <|start_header_id|>",
    });
    expect(choose({ tokens: new Set(["<|im_start|>"]) }).id).toBe("qwen_1_5");
    expect(choose({ tokens: new Set(["<|assistant|>"]) }).id).toBe("phi_3");
    expect(choose({}).reason).toMatch(/^vicuna_v1, LLaVA's default: neither/);
    const named = choose({ tokens: new Set(["<|start_header_id|>"]), names: ["llava-v1.5-mine"] });
    expect(named.id).toBe("llava_v1");
    expect(named.warnings.join()).toMatch(/tokenizer has <\|start_header_id\|>, which belongs to llama_3/);
  });

  test("what the user asked for rules over all", () => {
    expect(choose({ own: vicunaLike, stated: "mpt", names: ["llava-v1.5-7b"] })).toEqual({
      id: "mpt",
      reason: "mpt, as --template says",
      warnings: [],
    });
  });
});
