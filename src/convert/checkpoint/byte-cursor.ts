// Reads little-endian values one after the other from bytes in memory. Knows no format.
import type { EngineError } from "#engine/errors.ts";

const text = new TextDecoder();

/** A place in some bytes; every read moves it on. Reading past the end throws the error that `ended` makes. */
export class ByteCursor {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #ended: (bytes: number) => EngineError;
  #at = 0;

  constructor(bytes: Uint8Array, ended: (bytes: number) => EngineError) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#ended = ended;
  }

  /** Offset of the next byte. */
  get at(): number {
    return this.#at;
  }

  byte(): number {
    return this.#bytes[this.#skip(1)] ?? 0;
  }

  /** A view of the next `count` bytes, not a copy. */
  take(count: number): Uint8Array {
    const at = this.#skip(count);
    return this.#bytes.subarray(at, at + count);
  }

  unsigned(count: 2 | 4 | 8): number {
    const at = this.#skip(count);
    if (count === 2) return this.#view.getUint16(at, true);
    return count === 4 ? this.#view.getUint32(at, true) : Number(this.#view.getBigUint64(at, true));
  }

  int32(): number {
    return this.#view.getInt32(this.#skip(4), true);
  }

  /** Big-endian, as pickles have it. */
  bigEndianFloat64(): number {
    return this.#view.getFloat64(this.#skip(8));
  }

  /** A signed integer of `count` bytes. */
  long(count: number): number {
    let value = 0n;
    this.take(count).forEach((byte, i) => (value |= BigInt(byte) << BigInt(8 * i)));
    return Number(count > 0 ? BigInt.asIntN(8 * count, value) : 0n);
  }

  /** `count` bytes of UTF-8. */
  text(count: number): string {
    return text.decode(this.take(count));
  }

  /** Text up to the next line feed, which is passed over. */
  line(): string {
    const end = this.#bytes.indexOf(10, this.#at);
    const line = this.text((end < 0 ? this.#bytes.length : end) - this.#at);
    this.#skip(1);
    return line;
  }

  /** The offset before `count` bytes are passed over. */
  #skip(count: number): number {
    const at = this.#at;
    if (at + count > this.#bytes.length) throw this.#ended(this.#bytes.length);
    this.#at += count;
    return at;
  }
}
