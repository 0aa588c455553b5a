// Text to token ids and back, on the package's own tokenizer.json. Knows special tokens by name, no templates and no images' content.
import { Tokenizer as HfTokenizer } from "@huggingface/tokenizers";
import { EngineError } from "#engine/errors.ts";
import { refuseEndlessPatterns } from "./pattern-check.ts";

export interface Tokenizer {
  /** Ids of a rendered prompt: special tokens in it become their ids, and one BOS leads if the tokenizer asks for it. */
  encode(text: string): number[];
  /** Text of ids, special tokens left out; a cut UTF-8 character shows as U+FFFD. */
  decode(ids: readonly number[]): string;
  idOf(token: string): number | undefined;
  /** Changes text from people so that no special and no reserved token can be read out of it. */
  defuse(text: string): string;
}

/**
 * Makes a tokenizer from the two JSON files of a package. `reserved` are ids that text from people never becomes, such as the image
 * token, which some checkpoints do not mark as special. Where tokenizer_config.json says `image_apart`, the texts between them are encoded
 * each on its own.
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
  // LLaVA encodes what stands between pictures in parts of their own, so that each begins as a text does.
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
      // A template that writes its own BOS and a tokenizer that adds one would make two.
      return first !== undefined && ids[1] === first && specials.includes(inner.id_to_token(first) ?? "")
        ? ids.slice(1)
        : ids;
    },
    decode: (ids) =>
      ids.length === 0
        ? ""
        : inner.decode([...ids], { skip_special_tokens: true, clean_up_tokenization_spaces: false }),
    idOf: (token) => inner.token_to_id(token),
    // A space after the first character ends the token: "</s>" becomes "< /s>".
    defuse: (text) =>
      harmful.length === 0 ? text : text.replace(anyHarmful, (found) => `${found.slice(0, 1)} ${found.slice(1)}`),
  };
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
}
