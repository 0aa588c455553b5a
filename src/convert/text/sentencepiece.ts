// Turns the SentencePiece model of a Llama checkpoint (tokenizer.model) into tokenizer.json, as it would be for the fast tokenizer.
// Knows the file's protobuf fields and Llama's kind of model: BPE with bytes for what is unknown.
import type { EngineError } from "#engine/errors.ts";
import { badCheckpoint } from "#convert/checkpoint/bad-checkpoint.ts";
import type { JsonObject } from "#convert/checkpoint/json-file.ts";

/** What the checkpoint's other files say of the tokenizer. */
export interface TokenizerSettings {
  /** Whether text after a special token gets a leading space, as in Llama's first tokenizer. */
  readonly legacy: boolean;
  readonly addBos: boolean;
  /** Defaults to "<s>". */
  readonly bos?: string | undefined;
  /** Tokens added after training, with their ids. */
  readonly added: ReadonlyMap<string, number>;
  /** Tokens of the model itself that people's texts must not make and answers not show, beside its control tokens. */
  readonly special?: ReadonlySet<string>;
}

/** A token of SentencePiece's model. */
export interface Piece {
  readonly text: string;
  readonly score: number;
  /** SentencePiece's number; see `kinds`. */
  readonly kind: number;
}
const kinds = { normal: 1, unknown: 2, control: 3, userDefined: 4, byte: 6 } as const;
const bpe = 2;
const space = "\u2581";

/** The tokenizer.json of a tokenizer.model. */
export function tokenizerFromSentencePiece(bytes: Uint8Array, settings: TokenizerSettings): JsonObject {
  const pieces: Piece[] = [];
  let modelType = 1;
  let spaceFirst = true;
  for (const field of fieldsOf(bytes)) {
    if (field.number === 1) pieces.push(pieceOf(field.bytes));
    if (field.number === 2) modelType = numberIn(field.bytes, 3) ?? modelType;
    if (field.number === 3) spaceFirst = (numberIn(field.bytes, 3) ?? 1) !== 0;
  }
  if (pieces.length === 0) throw unreadable("it holds no tokens");
  if (modelType !== bpe) throw unreadable(`it is of type ${modelType}; only BPE, Llama's kind, can be read`);
  return tokenizerFromPieces(pieces, spaceFirst, settings);
}

/** The tokenizer.json of a model's tokens, in the order of their ids. `spaceFirst`: a text begins as if a space stood before it. */
export function tokenizerFromPieces(
  pieces: readonly Piece[],
  spaceFirst: boolean,
  settings: TokenizerSettings,
): JsonObject {
  const vocab = new Map(pieces.map(({ text }, id) => [text, id]));
  const token = (content: string, id: number, special = true) => {
    return { id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special };
  };
  const own = pieces.flatMap(({ text, kind }, id) => {
    if (kind === kinds.control || kind === kinds.unknown) return [token(text, id)];
    return kind === kinds.userDefined ? [token(text, id, settings.special?.has(text) === true)] : [];
  });
  const later = [...settings.added].filter(([text]) => !vocab.has(text)).map(([text, id]) => token(text, id));
  const unknown = pieces.find(({ kind }) => kind === kinds.unknown)?.text ?? "<unk>";
  const bosText = settings.bos ?? "<s>";
  const bos = vocab.get(bosText);
  return {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: [...own, ...later.sort((a, b) => a.id - b.id)],
    normalizer: settings.legacy
      ? {
          type: "Sequence",
          normalizers: [
            ...(spaceFirst ? [{ type: "Prepend", prepend: space }] : []),
            { type: "Replace", pattern: { String: " " }, content: space },
          ],
        }
      : null,
    pre_tokenizer: settings.legacy
      ? null
      : { type: "Metaspace", replacement: space, prepend_scheme: spaceFirst ? "first" : "never", split: false },
    post_processor: settings.addBos && bos !== undefined ? startWith(bosText, bos) : null,
    decoder: {
      type: "Sequence",
      decoders: [
        { type: "Replace", pattern: { String: space }, content: " " },
        { type: "ByteFallback" },
        { type: "Fuse" },
        ...(spaceFirst ? [{ type: "Strip", content: " ", start: 1, stop: 0 }] : []),
      ],
    },
    model: {
      type: "BPE",
      dropout: null,
      unk_token: unknown,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: true,
      byte_fallback: pieces.some(({ kind }) => kind === kinds.byte),
      ignore_merges: false,
      vocab: Object.fromEntries(vocab),
      merges: mergesOf(pieces, vocab),
    },
  };
}

/** Every way to put a token together from two others, best first: SentencePiece joins whatever makes the token of the highest score. */
function mergesOf(pieces: readonly Piece[], vocab: ReadonlyMap<string, number>): [string, string][] {
  const merges: { readonly parts: [string, string]; readonly score: number }[] = [];
  for (const { text, score, kind } of pieces) {
    if (kind !== kinds.normal) continue;
    const ways: { readonly parts: [string, string]; readonly ids: readonly [number, number] }[] = [];
    const letters = Array.from(text);
    for (let i = 1; i < letters.length; i++) {
      const parts: [string, string] = [letters.slice(0, i).join(""), letters.slice(i).join("")];
      const [left, right] = [vocab.get(parts[0]), vocab.get(parts[1])];
      if (left !== undefined && right !== undefined) ways.push({ parts, ids: [left, right] });
    }
    ways.sort((a, b) => a.ids[0] - b.ids[0] || a.ids[1] - b.ids[1]);
    merges.push(...ways.map(({ parts }) => ({ parts, score })));
  }
  return merges.sort((a, b) => b.score - a.score).map(({ parts }) => parts);
}

/** The post-processor that puts a token before every text. */
export function startWith(token: string, id: number): JsonObject {
  const begin = { SpecialToken: { id: token, type_id: 0 } };
  const [first, second] = ["A", "B"].map((text) => ({ Sequence: { id: text, type_id: 0 } }));
  return {
    type: "TemplateProcessing",
    single: [begin, first],
    pair: [begin, first, begin, second],
    special_tokens: { [token]: { id: token, ids: [id], tokens: [token] } },
  };
}

/** A field of a whole number in a message; undefined when it is not there. */
function numberIn(message: Uint8Array, wanted: number): number | undefined {
  for (const { number, value } of fieldsOf(message)) if (number === wanted) return value;
  return undefined;
}

function pieceOf(bytes: Uint8Array): Piece {
  let [text, score, kind] = ["", 0, 1];
  for (const field of fieldsOf(bytes)) {
    if (field.number === 1) text = new TextDecoder().decode(field.bytes);
    if (field.number === 2) score = floatOf(field.bytes);
    if (field.number === 3) kind = field.value;
  }
  return { text, score, kind };
}

function floatOf(bytes: Uint8Array): number {
  if (bytes.length !== 4) throw unreadable("a token's score in it is no number of 4 bytes");
  return new DataView(bytes.buffer, bytes.byteOffset, 4).getFloat32(0, true);
}

interface Field {
  readonly number: number;
  /** Of a field of whole numbers; 0 for others. */
  readonly value: number;
  /** Of a field of bytes or of fixed width; empty for others. */
  readonly bytes: Uint8Array;
}

/** The fields of a protobuf message. */
function* fieldsOf(bytes: Uint8Array): Generator<Field> {
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = bytes[at++];
      if (byte === undefined) throw unreadable("it breaks off");
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw unreadable("a number in it has no end");
  };
  const take = (length: number): Uint8Array => {
    at += length;
    if (at > bytes.length) throw unreadable("it breaks off");
    return bytes.subarray(at - length, at);
  };
  while (at < bytes.length) {
    const tag = varint();
    const [number, type] = [Math.floor(tag / 8), tag % 8];
    if (type === 0) yield { number, value: varint(), bytes: new Uint8Array() };
    else if (type === 1) yield { number, value: 0, bytes: take(8) };
    else if (type === 2) yield { number, value: 0, bytes: take(varint()) };
    else if (type === 5) yield { number, value: 0, bytes: take(4) };
    else throw unreadable("it is no SentencePiece model");
  }
}

function unreadable(what: string): EngineError {
  return badCheckpoint(`tokenizer.model can't be read: ${what}`);
}
