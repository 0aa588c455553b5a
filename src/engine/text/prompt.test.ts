import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import * as v from "valibot";
import { renderPrompt, type PromptOptions } from "./prompt.ts";
import type { Message, Part } from "#engine/types.ts";

const picture: Part = { type: "image", blob: new Blob(["x"]) };
const say = (role: Message["role"], text: string, ...pictures: Part[]): Message => ({
  role,
  parts: [...pictures, { type: "text", text }],
});
const options: PromptOptions = {
  template: "vicuna_v1",
  chatTemplate: undefined,
  bosToken: "<s>",
  eosToken: "</s>",
  defuse: (text) => text,
};
const userSystem =
  "A chat between a curious user and an artificial intelligence assistant. " +
  "The assistant gives helpful, detailed, and polite answers to the user's questions.";
const humanSystem = userSystem.replaceAll("user", "human");

describe("vicuna_v1", () => {
  test("a first turn with a picture", () => {
    const { text, images } = renderPrompt([say("user", "Q1", picture)], options);
    expect(text).toBe(`${userSystem} USER: <image>\nQ1 ASSISTANT:`);
    expect(images).toEqual([picture]);
  });

  test("a second turn", () => {
    const { text } = renderPrompt([say("user", "Q1", picture), say("assistant", "A1"), say("user", "Q2")], options);
    expect(text).toBe(`${userSystem} USER: <image>\nQ1 ASSISTANT: A1</s>USER: Q2 ASSISTANT:`);
  });

  test("pictures stand before the text of their own turn, in their order", () => {
    const other: Part = { type: "image", blob: new Blob(["y"]) };
    const { text, images } = renderPrompt(
      [say("user", "Q1", picture), say("assistant", "A1"), say("user", "Q2", other, picture)],
      options,
    );
    expect(text).toContain("USER: <image>\n<image>\nQ2 ASSISTANT:");
    expect(images).toEqual([picture, other, picture]);
  });

  test("a system message replaces the template's, an empty one leaves it out", () => {
    const asked = say("user", "Q");
    expect(renderPrompt([say("system", "Be brief."), asked], options).text).toBe("Be brief. USER: Q ASSISTANT:");
    expect(renderPrompt([say("system", ""), asked], options).text).toBe("USER: Q ASSISTANT:");
  });

  test("an assistant message at the end is continued, not closed", () => {
    const prompt = renderPrompt([say("user", "Q"), say("assistant", "Once upon")], options);
    expect(prompt.text).toMatch(/ASSISTANT: Once upon$/);
    expect(prompt.trimStart).toBe(false);
  });
});

test("llava_v1 speaks of a human", () => {
  const { text } = renderPrompt([say("user", "Q1", picture)], { ...options, template: "llava_v1" });
  expect(text).toBe(`${humanSystem} USER: <image>\nQ1 ASSISTANT:`);
});

describe("every template of the original makes the original's prompts", () => {
  const Golden = v.array(
    v.object({ template: v.string(), picture: v.boolean(), turns: v.number(), prompt: v.string() }),
  );
  const file = new URL("../../../training/fixtures/prompts.golden.json", import.meta.url);
  const golden = v.parse(Golden, JSON.parse(readFileSync(file, "utf8")));

  test.each(golden)("$template, picture $picture, turns $turns", ({ template, picture: shown, turns, prompt }) => {
    const asked = say("user", "Q1", ...(shown ? [picture] : []));
    const messages = turns === 1 ? [asked] : [asked, say("assistant", "A1"), say("user", "Q2")];
    const { text } = renderPrompt(messages, { ...options, template });
    expect(text).toBe(prompt);
  });
});

describe("LLaVA's other templates, over two turns", () => {
  const seesVisual =
    "able to understand the visual content that the user provides, and assist the user with a variety of tasks using natural language.";
  const llava2 = `You are a helpful language and vision assistant. You are ${seesVisual}`;
  const tagged =
    `A chat between a curious user and an artificial intelligence assistant. The assistant is ${seesVisual}` +
    "The visual content will be provided with the following format: <Image>visual content</Image>.";
  const cases: [template: string, text: string][] = [
    ["llava_v0", `${humanSystem}###Human: <image>\nQ1###Assistant: A1###Human: Q2###Assistant:`],
    ["llava_llama_2", `[INST] <<SYS>>\n${llava2}\n<</SYS>>\n\n<image>\nQ1 [/INST] A1 </s><s>[INST] Q2 [/INST]`],
    ["mistral_instruct", "[INST] <image>\nQ1 [/INST] A1 </s>[INST] Q2 [/INST]"],
    [
      "chatml_direct",
      "<|im_start|>system\nAnswer the questions.<|im_end|><|im_start|>user\n<image>\nQ1<|im_end|>" +
        "<|im_start|>assistant\nA1<|im_end|><|im_start|>user\nQ2<|im_end|><|im_start|>assistant\n",
    ],
    [
      "mpt",
      "<|im_start|>system\nA conversation between a user and an LLM-based AI assistant. The assistant gives helpful and honest answers.<|im_end|>" +
        "<|im_start|>user\n<image>\nQ1<|im_end|><|im_start|>assistant\nA1<|im_end|><|im_start|>user\nQ2<|im_end|><|im_start|>assistant\n",
    ],
    [
      "v1_mmtag",
      `${tagged} USER: <Image><image></Image> ASSISTANT: Received.</s>USER: Q1 ASSISTANT: A1</s>USER: Q2 ASSISTANT:`,
    ],
    [
      "v0_mmtag",
      `${tagged}###Human: <Image><image></Image>###Assistant: Received.###Human: Q1###Assistant: A1###Human: Q2###Assistant:`,
    ],
    [
      "qwen_1_5",
      "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n<|im_start|>user\n<image>\nQ1<|im_end|>\n" +
        "<|im_start|>assistant\nA1<|im_end|>\n<|im_start|>user\nQ2<|im_end|>\n<|im_start|>assistant\n",
    ],
    ["plain", "<image>\nQ1\nA1\nQ2\n"],
  ];
  test.each(cases)("%s", (template, expected) => {
    const turns = [say("user", "Q1", picture), say("assistant", "A1"), say("user", "Q2")];
    expect(renderPrompt(turns, { ...options, template }).text).toBe(expected);
  });

  test("llama_2 has Llama's own system text, with its two spaces", () => {
    const { text } = renderPrompt([say("user", "Q1")], { ...options, template: "llama_2" });
    expect(text).toMatch(
      /^\[INST\] <<SYS>>\nYou are a helpful, respectful and honest assistant\..* while being safe\. {2}Your /s,
    );
    expect(text).toMatch(/false information\.\n<<\/SYS>>\n\nQ1 \[\/INST\]$/);
  });

  test.each([
    ["llava_v0", "###Assistant: Once upon", ["###"]],
    ["llava_llama_2", " [/INST] Once upon", []],
    ["chatml_direct", "<|im_start|>assistant\nOnce upon", ["<|im_end|>"]],
    ["qwen_1_5", "<|im_start|>assistant\nOnce upon", ["<|im_end|>"]],
  ])("%s leaves an answer open that is to be continued, and knows what ends it", (template, end, stop) => {
    const prompt = renderPrompt([say("user", "Q"), say("assistant", "Once upon")], { ...options, template });
    expect(prompt.text.endsWith(end)).toBe(true);
    expect(prompt.stop).toEqual(stop);
  });

  test("a picture's slot stands between its marks where the model wants them", () => {
    const { text } = renderPrompt([say("user", "Q1", picture)], { ...options, template: "llava_v0", imageMarks: true });
    expect(text).toBe(`${humanSystem}###Human: <im_start><image><im_end>\nQ1###Assistant:`);
  });
});

describe("a checkpoint's own template", () => {
  const chatTemplate =
    "{{ bos_token }}{% for message in messages %}{{ '[' + message['role'] + ']' }}" +
    "{% for part in message['content'] %}{% if part['type'] == 'image' %}<image>\n{% else %}{{ part['text'] }}{% endif %}{% endfor %}" +
    "{% if message['role'] == 'assistant' %}{{ eos_token }}{% endif %}{% endfor %}" +
    "{% if add_generation_prompt %}[assistant]{% endif %}";
  const own = { ...options, template: "chat_template", chatTemplate };

  test("is rendered with image parts and the cue", () => {
    const { text } = renderPrompt([say("user", "Q1", picture), say("assistant", "A1"), say("user", "Q2")], own);
    expect(text).toBe("<s>[user]<image>\nQ1[assistant]A1</s>[user]Q2[assistant]");
  });

  test("an answer to be continued stays open", () => {
    expect(renderPrompt([say("user", "Q"), say("assistant", "Once")], own).text).toBe("<s>[user]Q[assistant]Once");
  });

  test("one that can't be rendered says so", () => {
    const broken = { ...own, chatTemplate: "{{ raise_exception('no') }}" };
    expect(() => renderPrompt([say("user", "Q")], broken)).toThrow(/can't be rendered/);
  });
});

describe("conversations that can't be asked", () => {
  test("an empty one", () => {
    expect(() => renderPrompt([], options)).toThrow(/empty/);
  });
  test("two users' messages in a row", () => {
    expect(() => renderPrompt([say("user", "a"), say("user", "b")], options)).toThrow(/assistant's/);
  });
  test("a picture from the assistant", () => {
    expect(() => renderPrompt([say("user", "a"), say("assistant", "b", picture)], options)).toThrow(/picture/);
  });
  test("a template nobody knows", () => {
    expect(() => renderPrompt([say("user", "a")], { ...options, template: "v9" })).toThrow(/"v9" is not known/);
  });
});

test("text from people is made harmless before it is laid out", () => {
  const { text } = renderPrompt([say("user", "<image></s>")], { ...options, defuse: () => "harmless" });
  expect(text).toContain("USER: harmless ASSISTANT:");
});

describe("templates of newer language models", () => {
  const turns = [say("user", "Q1", picture), say("assistant", "A1"), say("user", "Q2", picture, picture)];

  test("llama_3 has LLaVA-NeXT's words to the model, and heads of turns", () => {
    const { text, stop } = renderPrompt(turns, { ...options, template: "llama_3" });
    const head = (role: string) => `<|start_header_id|>${role}<|end_header_id|>\n\n`;
    expect(text).toBe(
      `${head("system")}You are a helpful language and vision assistant. You are able to understand the visual content that the ` +
        `user provides, and assist the user with a variety of tasks using natural language.<|eot_id|>${head("user")}<image>\nQ1` +
        `<|eot_id|>${head("assistant")}A1<|eot_id|>${head("user")}<image>\n<image>\nQ2<|eot_id|>${head("assistant")}`,
    );
    expect(stop).toEqual(["<|eot_id|>"]);
  });

  test("phi_3 has no words of its own, and shows those that are given", () => {
    const prompt = { ...options, template: "phi_3" };
    expect(renderPrompt(turns, prompt).text).toBe(
      "<|user|>\n<image>\nQ1<|end|>\n<|assistant|>\nA1<|end|>\n<|user|>\n<image>\n<image>\nQ2<|end|>\n<|assistant|>\n",
    );
    expect(renderPrompt([say("system", "Be brief."), say("user", "Q1")], prompt).text).toBe(
      "<|system|>\nBe brief.<|end|>\n<|user|>\nQ1<|end|>\n<|assistant|>\n",
    );
  });
});

test("a chat template that speaks of types and knows texts alone gets its pictures as slots in the text", () => {
  const chatTemplate =
    '{# tools have a "type" #}{% for m in messages %}[{{ m.role }}] {{ m.content | trim }}\n{% endfor %}';
  const { text } = renderPrompt([say("user", "Q1", picture, picture)], {
    ...options,
    template: "chat_template",
    chatTemplate,
  });
  expect(text).toBe("[user] <image>\n<image>\nQ1\n");
});
