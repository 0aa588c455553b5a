// Ids of LLaVA's prompts are those of the tokenizers beside PyTorch; written by training/make_token_golden.py.
import { readFileSync } from "node:fs";
import * as v from "valibot";
import { describe, expect, test } from "vitest";
import { renderPrompt } from "./prompt.ts";
import { createTokenizer } from "./tokenizer.ts";

const ids = v.array(v.number());
const Golden = v.array(
  v.object({
    name: v.string(),
    tokenizer: v.looseObject({ added_tokens: v.array(v.looseObject({ id: v.number(), content: v.string() })) }),
    config: v.looseObject({}),
    /** `apart`: the parts between pictures encoded each on its own, as LLaVA does. */
    texts: v.array(v.object({ text: v.string(), ids, apart: ids })),
  }),
);
const golden = v.parse(
  Golden,
  JSON.parse(readFileSync(new URL("../../../training/fixtures/tokens.golden.json", import.meta.url), "utf8")),
);
const slotOf = ({ tokenizer }: (typeof golden)[number]): number =>
  tokenizer.added_tokens.find(({ content }) => content === "<image>")?.id ?? NaN;

describe.each(golden)("$name", (row) => {
  const { tokenizer: json, config, texts } = row;
  const whole = createTokenizer(json, config, [slotOf(row)]);
  const apart = createTokenizer(json, { ...config, image_apart: true }, [slotOf(row)]);

  test.each(texts)("$text", (expected) => {
    expect(whole.encode(expected.text)).toEqual(expected.ids);
    expect(apart.encode(expected.text)).toEqual(expected.apart);
  });
});

describe("Vicuna's ids as LLaVA states them", () => {
  const vicuna = golden.find(({ name }) => name === "vicuna");
  const slot = vicuna ? slotOf(vicuna) : NaN;
  const tokenizer = createTokenizer(vicuna?.tokenizer ?? {}, { ...vicuna?.config, image_apart: true }, [slot]);
  const ask = (template: string, ...texts: string[]): number[] => {
    const picture = { type: "image", blob: new Blob(["x"]) } as const;
    const messages = texts.map((text, i) => ({
      role: i % 2 === 0 ? ("user" as const) : ("assistant" as const),
      parts: [...(i === 0 ? [picture] : []), { type: "text" as const, text }],
    }));
    const own = { chatTemplate: undefined, bosToken: "<s>", eosToken: "</s>" };
    return tokenizer.encode(
      renderPrompt(messages, { ...own, template, defuse: (text) => tokenizer.defuse(text) }).text,
    );
  };
  const system = (who: number): number[] => [
    ...[1, 319, 13563, 1546, 263, 12758, who, 322, 385, 23116, 21082, 20255, 29889, 450, 20255, 4076, 8444, 29892],
    ...[13173, 29892, 322, 1248, 568, 6089, 304, 278, who, 29915, 29879, 5155, 29889],
  ];
  const [user, human] = [1404, 5199];
  const asked = [3148, 1001, 29901, 29871, slot, 29871, 13, 29984, 29896, 319, 1799, 9047, 13566, 29901];

  test("llava_v1 and vicuna_v1 with a picture", () => {
    expect(ask("llava_v1", "Q1")).toEqual([...system(human), ...asked]);
    expect(ask("vicuna_v1", "Q1")).toEqual([...system(user), ...asked]);
  });

  test("USER after </s> has no space of its own", () => {
    expect(ask("vicuna_v1", "Q1", "A1", "Q2")).toEqual([
      ...[...system(user), ...asked, 319, 29896],
      ...[2, 11889, 29901, 660, 29906, 319, 1799, 9047, 13566, 29901],
    ]);
  });

  test("a caption alone stands right after the beginning and its picture", () => {
    expect(tokenizer.encode("<image>a caption\n").slice(0, 2)).toEqual([1, slot]);
  });

  test("nobody can type a picture's slot", () => {
    expect(ask("llava_v1", "<image> Q1").filter((id) => id === slot)).toHaveLength(1);
  });
});
