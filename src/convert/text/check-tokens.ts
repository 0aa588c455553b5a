// Whether tokenizer and model belong together: every token has a row of embeddings, and both mean the same token by a picture.
// Knows tokenizer.json's fields; encodes nothing itself.
import * as v from "valibot";
import { badCheckpoint } from "#convert/checkpoint/bad-checkpoint.ts";
import type { CheckpointFolder } from "#convert/checkpoint/folders.ts";
import { readObject } from "#convert/checkpoint/json-file.ts";

/** Encodes texts that make bad patterns run for ever; rejects with what did not end. */
export type TryTokenizer = (tokenizer: unknown, texts: readonly string[]) => Promise<void>;

const Tokenizer = v.looseObject({
  added_tokens: v.optional(
    v.array(v.looseObject({ id: v.number(), content: v.string(), special: v.optional(v.boolean(), false) })),
    [],
  ),
  model: v.optional(v.looseObject({ vocab: v.optional(v.unknown()) })),
});
const Vocabulary = v.record(v.string(), v.number());

/** Throws EngineError("bad-checkpoint") that names the token. `rows` are those of the embeddings. */
export async function checkTokens(
  folder: CheckpointFolder,
  { imageTokenId, rows }: { readonly imageTokenId: number; readonly rows: number },
  tryTokenizer: TryTokenizer | undefined,
  onNote: ((note: string) => void) | undefined,
): Promise<void> {
  const json = await readObject(folder, "tokenizer.json");
  if (!json) return;
  const parsed = v.safeParse(Tokenizer, json);
  if (!parsed.success) throw badCheckpoint("tokenizer.json: added_tokens is not a list of tokens");
  const { added_tokens: added, model } = parsed.output;
  const vocabulary = v.is(Vocabulary, model?.vocab) ? model.vocab : {};
  const settings = (await readObject(folder, "tokenizer_config.json")) ?? {};
  const processor = (await readObject(folder, "processor_config.json")) ?? {};
  for (const name of new Set(["<image>", settings["image_token"], processor["image_token"]])) {
    if (typeof name !== "string") continue;
    const id = added.find(({ content }) => content === name)?.id ?? vocabulary[name];
    if (id === undefined || id === imageTokenId) continue;
    // A name that is not the standard one may stand for something else where the standard one is right.
    if (name !== "<image>" && added.some((token) => token.content === "<image>" && token.id === imageTokenId)) continue;
    throw badCheckpoint(
      `the image token differs: config.json says number ${imageTokenId}, and tokenizer.json has ${name} as number ${id}; ` +
        "set image_token_index in config.json to the number that the model was trained with",
    );
  }
  for (const { id, content, special } of added) {
    if (id < rows || id === imageTokenId) continue;
    const what = `the token ${content} has the number ${id}, and there are ${rows} rows of embeddings`;
    // Padding is never read.
    if (special && /pad/i.test(content)) onNote?.(`warning: ${what}; no prompt can hold it`);
    else
      throw badCheckpoint(
        `tokenizer.json: ${what}: take it out, or give the model a row for it (resize_token_embeddings)`,
      );
  }
  if (tryTokenizer && hasPatterns(json)) {
    await tryTokenizer(json, hostileTexts).catch((cause: unknown) => {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw badCheckpoint(`tokenizer.json ${why}: one of its patterns never ends`, { cause });
    });
  }
}

/** Runs of one character, and of two, that then break what a pattern hoped for. */
const hostileTexts: readonly string[] = [
  "a",
  "A",
  "0",
  " ",
  "\n",
  ".",
  "'",
  "_",
  "-",
  "é",
  "中",
  "ab",
  "a ",
  "a1",
  "aA",
].flatMap((unit) => ["!", "\u0000", "~b"].map((end) => unit.repeat(60 / unit.length) + end));

/** Whether a tokenizer has regular expressions, in whichever of its steps. */
function hasPatterns(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  return Object.entries(value).some(
    ([key, inner]) => key === "Regex" || (key !== "vocab" && key !== "merges" && hasPatterns(inner)),
  );
}
