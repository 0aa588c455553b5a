// A checkpoint's own template renders to Hugging Face's text; written by training/make_chat_template_golden.py.
import { readFileSync } from "node:fs";
import * as v from "valibot";
import { expect, test } from "vitest";
import { renderPrompt } from "./prompt.ts";

const Golden = v.object({
  /** Role, pictures, text of each turn. */
  conversations: v.array(v.array(v.tuple([v.picklist(["system", "user", "assistant"]), v.number(), v.string()]))),
  templates: v.array(v.object({ name: v.string(), template: v.string(), prompts: v.array(v.string()) })),
});
const golden = v.parse(
  Golden,
  JSON.parse(readFileSync(new URL("../../../training/fixtures/chat-templates.golden.json", import.meta.url), "utf8")),
);

test.each(golden.templates)("a template of the kind: $name", ({ template, prompts }) => {
  const rendered = golden.conversations.map((turns) => {
    const messages = turns.map(([role, images, text]) => ({
      role,
      parts: [
        ...Array.from({ length: images }, () => ({ type: "image" as const, blob: new Blob(["x"]) })),
        { type: "text" as const, text },
      ],
    }));
    return renderPrompt(messages, {
      template: "chat_template",
      chatTemplate: template,
      bosToken: "<s>",
      eosToken: "</s>",
      defuse: (given) => given,
    }).text;
  });
  expect(prompts).toHaveLength(golden.conversations.length);
  expect(rendered).toEqual(prompts);
});
