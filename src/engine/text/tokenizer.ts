// Encodes text to token ids and back with the package's tokenizer.json. Knows special tokens by name, no templates and no pictures.
import { Tokenizer as HfTokenizer } from "@huggingface/tokenizers";
import { EngineError } from "#engine/errors.ts";
import { refuseEndlessPatterns } from "./pattern-check.ts";

export interface Tokenizer {
  /** Ids of a rendered prompt. Special tokens in the text become their ids; exactly one BOS leads where the tokenizer adds one. */
  encode(text: string): number[];
  /** Text of ids, without special tokens. An incomplete UTF-8 character becomes U+FFFD. */
  decode(ids: readonly number[]): string;
  idOf(token: string): number | undefined;
  /** Changes text from people so that it encodes to no special and no reserved token. */
  defuse(text: string): string;
}

/**
 * Makes a tokenizer from the two JSON files of a package. `reserved` are ids that text from people must never become, such as the image
 * token, which some checkpoints do not mark as special. Where tokenizer_config.json says `image_apart`, the texts between reserved tokens are
 * encoded separately. Throws "bad-package".
 */
export function createTokenizer(
  tokenizerJson: object,
  tokenizerConfig: object,
  reserved: readonly number[] = [],
): Tokenizer {
  refuseEndlessPatterns(tokenizerJson);
  let inner: HfTokenizer;
  try {
    inner = new HfTokenizer(tokenizerJson, tokenizerConfig);
  } catch (error) {
    throw new EngineError("bad-package", "tokenizer.json can't be read", { cause: error });
  }
  const added = [...inner.get_added_tokens_decoder()];
  const contents = (wanted: typeof added): string[] => wanted.map(([, token]) => token.content);
  const specials = contents(added.filter(([, token]) => token.special));
  const harmful = contents(added.filter(([id, token]) => token.special || reserved.includes(id)))
    .filter((content) => content.length > 1)
    .sort((a, b) => b.length - a.length);
  // LLaVA encodes the texts between pictures separately, so that each is tokenized like the beginning of a text.
  const slots = "image_apart" in tokenizerConfig && tokenizerConfig.image_apart === true ? reserved : [];
  const slotId = new Map(added.filter(([id]) => slots.includes(id)).map(([id, token]) => [token.content, id]));
  const anySlot = new RegExp(`(${[...slotId.keys()].map(escaped).join("|")})`);
  const anyHarmful = new RegExp(harmful.map(escaped).join("|"), "g");
  return {
    encode(text) {
      const [start = "", ...parts] = slotId.size === 0 ? [text] : text.split(anySlot);
      const ids = inner.encode(start).ids;
      for (const part of parts) {
        const slot = slotId.get(part);
        ids.push(...(slot === undefined ? inner.encode(part, { add_special_tokens: false }).ids : [slot]));
      }
      const first = ids[0];
      // Where both the template and the tokenizer add a BOS, one of the two is dropped.
      return first !== undefined && ids[1] === first && specials.includes(inner.id_to_token(first) ?? "")
        ? ids.slice(1)
        : ids;
    },
    decode: (ids) =>
      ids.length === 0
        ? ""
        : inner.decode([...ids], { skip_special_tokens: true, clean_up_tokenization_spaces: false }),
    idOf: (token) => inner.token_to_id(token),
    // A space after the first character breaks the token up: "</s>" becomes "< /s>".
    defuse: (text) =>
      harmful.length === 0 ? text : text.replace(anyHarmful, (found) => `${found.slice(0, 1)} ${found.slice(1)}`),
  };
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
}
