// The token `<image>`, which stands for a picture in prompts. Checkpoints of LLaVA's own layout do without.
import * as v from "valibot";
import { badCheckpoint } from "#convert/checkpoint/bad-checkpoint.ts";
import type { JsonObject } from "#convert/checkpoint/json-file.ts";

const Added = v.array(v.looseObject({ id: v.number(), content: v.string() }));

/** The tokenizer with the token, and its id: its own, or one from `firstFreeId` that no row of embeddings has. */
export function withImageToken(
  tokenizer: JsonObject,
  firstFreeId: number,
): { readonly tokenizer: JsonObject; readonly id: number } {
  const parsed = v.safeParse(Added, tokenizer["added_tokens"] ?? []);
  if (!parsed.success) throw badCheckpoint("tokenizer.json: added_tokens is not a list of tokens");
  const known = parsed.output.find((token) => token.content === "<image>");
  if (known) return { tokenizer, id: known.id };
  const id = parsed.output.reduce((free, token) => Math.max(free, token.id + 1), firstFreeId);
  const flags = { single_word: false, lstrip: false, rstrip: false, normalized: false, special: true };
  return { tokenizer: { ...tokenizer, added_tokens: [...parsed.output, { id, content: "<image>", ...flags }] }, id };
}
