// Reads the header of a GGUF file (versions 2 and 3): metadata, and the place of each tensor. The file is believed nothing: counts and
// lengths are compared with what is left of the file before anything is allocated. Reads no tensors.
import type { ByteSource } from "#formats/byte-source.ts";
import { ggufTypes, type GgufType } from "./block-types.ts";
import { GgufError } from "./gguf-error.ts";
import { HeaderCursor, MoreNeeded } from "./header-cursor.ts";

export type GgufValue = string | number | boolean | readonly GgufValue[];

export interface GgufTensor {
  readonly name: string;
  readonly type: GgufType;
  /** The fastest dimension last, as PyTorch has them. */
  readonly shape: readonly number[];
  /** Where its first byte lies in the file. */
  readonly offset: number;
  readonly bytes: number;
}

export interface GgufHeader {
  readonly metadata: ReadonlyMap<string, GgufValue>;
  readonly tensors: readonly GgufTensor[];
}

/** What is read first: most headers without a tokenizer fit, and those with one take a few rounds. */
const firstBytes = 2 ** 19;
/** Tokenizers of 260,000 tokens take about 10 MB. */
const maxHeaderBytes = 2 ** 28;
const maxDimensions = 4;
/** Arrays in arrays; llama.cpp writes none at all. */
const maxNesting = 3;

/** Whether a file begins as GGUF files do. */
export async function isGguf(source: ByteSource): Promise<boolean> {
  if (source.bytes < 4) return false;
  return new TextDecoder().decode(await source.read(0, 4)) === "GGUF";
}

/** The header, with everything checked that can be without reading tensors. Throws GgufError. */
export async function readGgufHeader(source: ByteSource): Promise<GgufHeader> {
  let held: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  let wanted = firstBytes;
  for (;;) {
    const end = Math.min(wanted, source.bytes, maxHeaderBytes);
    const more = await source.read(held.length, end - held.length);
    const joined = new Uint8Array(end);
    joined.set(held);
    joined.set(more, held.length);
    held = joined;
    try {
      return parse(new HeaderCursor(held, source.bytes), source.bytes);
    } catch (error) {
      if (!(error instanceof MoreNeeded)) throw error;
      if (end === source.bytes) throw new GgufError("is truncated: its header ends after the file does");
      if (end === maxHeaderBytes) throw new GgufError(`has a header of more than ${maxHeaderBytes / 2 ** 20} MiB`);
      wanted = Math.max(2 * wanted, error.bytes);
    }
  }
}

function parse(cursor: HeaderCursor, fileBytes: number): GgufHeader {
  readMagic(cursor, fileBytes);
  // A tensor takes at least 24 bytes of the header and a pair 13.
  const tensorCount = cursor.count("tensors", 24);
  const pairCount = cursor.count("key-value pairs", 13);
  const metadata = new Map<string, GgufValue>();
  for (let i = 0; i < pairCount; i++) {
    const key = cursor.text("a key");
    if (metadata.has(key)) throw new GgufError(`has the key ${shown(key)} twice`);
    metadata.set(key, readValue(cursor, cursor.u32(), 0));
  }
  const places: Omit<GgufTensor, "bytes">[] = [];
  const names = new Set<string>();
  for (let i = 0; i < tensorCount; i++) {
    const place = readPlace(cursor);
    if (names.has(place.name)) throw new GgufError(`has the tensor ${shown(place.name)} twice`);
    names.add(place.name);
    places.push(place);
  }
  const alignment = alignmentOf(metadata);
  const dataStart = Math.ceil(cursor.at / alignment) * alignment;
  const tensors = places.map((place) => placed(place, dataStart, alignment, fileBytes));
  refuseOverlaps(tensors);
  return { metadata, tensors };
}

function readMagic(cursor: HeaderCursor, fileBytes: number): void {
  if (fileBytes === 0) throw new GgufError("is empty: its download was interrupted, so fetch it again");
  if (cursor.raw(4) !== "GGUF") throw new GgufError("is no GGUF file: it does not begin with GGUF");
  const version = cursor.u32();
  if (version === 2 || version === 3) return;
  if (version === 1) throw new GgufError("is GGUF of version 1, which llama.cpp has given up, too; take a newer file");
  if (version % 65_536 === 0) throw new GgufError("is big-endian, for other machines than this; take the usual file");
  throw new GgufError(`is GGUF of version ${version}; versions 2 and 3 can be read`);
}

/** llama.cpp's numbers of types of values. */
const valueTypes = {
  u8: 0,
  i8: 1,
  u16: 2,
  i16: 3,
  u32: 4,
  i32: 5,
  f32: 6,
  bool: 7,
  string: 8,
  array: 9,
  u64: 10,
  i64: 11,
  f64: 12,
} as const;
/** The least bytes that a value of each type takes. */
const valueBytes = [1, 1, 2, 2, 4, 4, 4, 1, 8, 12, 8, 8, 8] as const;

function readValue(cursor: HeaderCursor, type: number, depth: number): GgufValue {
  switch (type) {
    case valueTypes.u8:
      return cursor.u8();
    case valueTypes.i8:
      return (cursor.u8() << 24) >> 24;
    case valueTypes.u16:
      return cursor.u16();
    case valueTypes.i16:
      return (cursor.u16() << 16) >> 16;
    case valueTypes.u32:
      return cursor.u32();
    case valueTypes.i32:
      return cursor.u32() | 0;
    case valueTypes.f32:
      return cursor.f32();
    case valueTypes.bool:
      return cursor.u8() !== 0;
    case valueTypes.string:
      return cursor.text("a text");
    case valueTypes.array:
      return readArray(cursor, depth);
    case valueTypes.u64:
      return Number(cursor.u64());
    case valueTypes.i64:
      return Number(BigInt.asIntN(64, cursor.u64()));
    case valueTypes.f64:
      return cursor.f64();
    default:
      throw new GgufError(`has a value of the unknown type ${type}: it is damaged, so fetch it again`);
  }
}

function readArray(cursor: HeaderCursor, depth: number): readonly GgufValue[] {
  if (depth === maxNesting) throw new GgufError("has lists in lists without end: it is no file of a model");
  const type = cursor.u32();
  const bytes = valueBytes[type];
  if (bytes === undefined)
    throw new GgufError(`has a list of the unknown type ${type}: it is damaged, so fetch it again`);
  const count = cursor.count("values of a list", bytes);
  const out: GgufValue[] = [];
  for (let i = 0; i < count; i++) out.push(readValue(cursor, type, depth + 1));
  return out;
}

function readPlace(cursor: HeaderCursor): Omit<GgufTensor, "bytes"> {
  const name = cursor.text("a tensor's name");
  const dimensions = cursor.u32();
  if (dimensions > maxDimensions) throw new GgufError(`has the tensor ${shown(name)} of ${dimensions} dimensions`);
  const shape: number[] = [];
  for (let d = 0; d < dimensions; d++) shape.unshift(Number(cursor.u64()));
  const id = cursor.u32();
  const type = ggufTypes.get(id);
  if (!type) {
    throw new GgufError(
      `has the tensor ${shown(name)} of the type ${id}, which is not known here; take another quantization`,
    );
  }
  return { name, type, shape, offset: Number(cursor.u64()) };
}

function alignmentOf(metadata: ReadonlyMap<string, GgufValue>): number {
  const stated = metadata.get("general.alignment") ?? 32;
  if (typeof stated === "number" && stated >= 8 && stated <= 2 ** 20 && stated % 8 === 0) return stated;
  throw new GgufError(`has the alignment ${JSON.stringify(stated).slice(0, 40)}, which can't be`);
}

/** The tensor with its place in the file, after checking that it lies there. */
function placed(
  { name, type, shape, offset }: Omit<GgufTensor, "bytes">,
  dataStart: number,
  alignment: number,
  fileBytes: number,
): GgufTensor {
  const elements = shape.reduce((product, n) => product * n, 1);
  if (!Number.isSafeInteger(elements) || elements === 0) {
    throw new GgufError(`has the tensor ${shown(name)} of the shape ${shape.join(" × ")}, which can't be`);
  }
  if ((shape.at(-1) ?? 1) % type.elements !== 0) {
    throw new GgufError(
      `has the tensor ${shown(name)} in rows of ${shape.at(-1)}, which blocks of ${type.name} don't fill`,
    );
  }
  const bytes = (elements / type.elements) * type.bytes;
  if (offset % alignment !== 0) throw new GgufError(`has the tensor ${shown(name)} between two places: it is damaged`);
  const end = dataStart + offset + bytes;
  if (!(end <= fileBytes)) {
    throw new GgufError(
      `is truncated: the tensor ${shown(name)} ends at byte ${end} of ${fileBytes}; fetch the file again`,
    );
  }
  return { name, type, shape, offset: dataStart + offset, bytes };
}

function refuseOverlaps(tensors: readonly GgufTensor[]): void {
  const sorted = tensors.toSorted((a, b) => a.offset - b.offset);
  for (const [i, { name, offset }] of sorted.entries()) {
    const before = sorted[i - 1];
    if (before && before.offset + before.bytes > offset) {
      throw new GgufError(`has the tensors ${shown(before.name)} and ${shown(name)} over one another: it is damaged`);
    }
  }
}

/** A name from the file, for messages. */
function shown(name: string): string {
  // eslint-disable-next-line no-control-regex -- control characters are what is taken out
  const plain = name.replace(/[\u0000-\u001f\u007f-\u009f]/g, "�");
  return plain.length > 80 ? `${plain.slice(0, 80)}…` : plain;
}
