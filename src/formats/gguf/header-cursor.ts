// Reads the values of a GGUF header from its first bytes, and says how many more it needs. Compares every length with the whole file.
import { GgufError } from "./gguf-error.ts";

/** The bytes at hand end before the value does; the file goes on. */
export class MoreNeeded extends Error {
  /** How many bytes from the file's beginning are needed at least. */
  readonly bytes: number;
  constructor(bytes: number) {
    super(`${bytes} bytes are needed`);
    this.bytes = bytes;
  }
}

const utf8 = new TextDecoder();

export class HeaderCursor {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #fileBytes: number;
  #at = 0;

  /** `bytes` are the first of a file of `fileBytes`. */
  constructor(bytes: Uint8Array, fileBytes: number) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#fileBytes = fileBytes;
  }

  /** Offset of the next byte. */
  get at(): number {
    return this.#at;
  }

  u8(): number {
    return this.#view.getUint8(this.#skip(1));
  }

  u16(): number {
    return this.#view.getUint16(this.#skip(2), true);
  }

  u32(): number {
    return this.#view.getUint32(this.#skip(4), true);
  }

  u64(): bigint {
    return this.#view.getBigUint64(this.#skip(8), true);
  }

  f32(): number {
    return this.#view.getFloat32(this.#skip(4), true);
  }

  f64(): number {
    return this.#view.getFloat64(this.#skip(8), true);
  }

  /** How many things follow, each of at least `leastBytes`; throws GgufError where the rest of the file can't hold them. */
  count(what: string, leastBytes: number): number {
    const count = this.u64();
    if (count * BigInt(leastBytes) > BigInt(this.#fileBytes - this.#at)) {
      throw new GgufError(`is truncated or damaged: it promises ${count} ${what}, and has ${this.#fileBytes} bytes`);
    }
    return Number(count);
  }

  /** A text with its length before it. */
  text(what: string): string {
    return this.raw(this.count(`bytes of ${what}`, 1));
  }

  /** `count` bytes as text. */
  raw(count: number): string {
    const at = this.#skip(count);
    return utf8.decode(this.#bytes.subarray(at, at + count));
  }

  /** The offset before `count` bytes are passed over. */
  #skip(count: number): number {
    const at = this.#at;
    if (at + count > this.#bytes.length) throw new MoreNeeded(at + count);
    this.#at += count;
    return at;
  }
}
