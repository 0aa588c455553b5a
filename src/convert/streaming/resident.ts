// A file of a checkpoint as its bytes stream by: reads are answered from the blocks that are held just now, others from the file itself.
// A block is held as long as a step is left that reads it. Knows no network and no steps' contents.
import { changedWhileRead } from "#convert/checkpoint/bad-checkpoint.ts";
import type { CheckpointFile } from "#convert/checkpoint/folders.ts";
import { createBlockPool, type BlockPool } from "./block-pool.ts";

interface Piece {
  readonly offset: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

export class ResidentFile implements CheckpointFile {
  readonly name: string;
  readonly #file: CheckpointFile;
  readonly #blockBytes: number;
  /** By their number on a grid of `blockBytes`. */
  readonly #blocks = new Map<number, Piece>();
  readonly #needs = new Map<number, number>();
  /** Small pieces that were read before the stream came by, such as headers; the stream has to bring the same bytes. */
  readonly #early: Piece[] = [];
  readonly #carried: Piece[] = [];

  readonly #pool: BlockPool;

  constructor(name: string, file: CheckpointFile, blockBytes: number, pool: BlockPool = createBlockPool(blockBytes)) {
    this.name = name;
    this.#file = file;
    this.#blockBytes = blockBytes;
    this.#pool = pool;
  }

  get bytes(): number {
    return this.#file.bytes;
  }
  get sha256(): string | undefined {
    return this.#file.sha256;
  }
  get version(): string | undefined {
    return this.#file.version;
  }

  async read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    const held = this.peek(offset, length);
    if (held) return held;
    const bytes = await this.#file.read(offset, length);
    this.#early.push({ offset, bytes: bytes.slice() });
    return bytes;
  }

  /** A copy of bytes that are held; undefined where they are not all here. */
  peek(offset: number, length: number): Uint8Array<ArrayBuffer> | undefined {
    const out = new Uint8Array(length);
    const end = offset + length;
    for (let at = offset; at < end;) {
      const piece = this.#pieceAt(at);
      if (!piece) return undefined;
      const part = piece.bytes.subarray(at - piece.offset, end - piece.offset);
      out.set(part, at - offset);
      at += part.length;
    }
    return out;
  }

  /** Where the block ends that a position lies in. */
  blockEnd(offset: number): number {
    return Math.min((Math.floor(offset / this.#blockBytes) + 1) * this.#blockBytes, this.bytes);
  }

  /** The bytes from a position to the end of its block, from the file itself. */
  readBlock(offset: number): Promise<Uint8Array<ArrayBuffer>> {
    const length = this.blockEnd(offset) - offset;
    return this.#file.read(offset, length, this.#pool.take(length));
  }

  /** A step will read this span. */
  need(offset: number, bytes: number): void {
    for (const number of this.#numbers(offset, bytes)) this.#needs.set(number, (this.#needs.get(number) ?? 0) + 1);
  }

  /** The step has read it. */
  release(offset: number, bytes: number): void {
    for (const number of this.#numbers(offset, bytes)) {
      const left = (this.#needs.get(number) ?? 0) - 1;
      this.#needs.set(number, left);
      const block = left <= 0 ? this.#blocks.get(number) : undefined;
      if (!block) continue;
      this.#blocks.delete(number);
      this.#pool.give(block.bytes);
    }
  }

  /** Takes a block of the stream, and the block's memory with it. Throws "integrity" where an earlier read had found other bytes at its place. */
  add(piece: Piece): void {
    const end = piece.offset + piece.bytes.length;
    for (const early of this.#early) {
      const from = Math.max(early.offset, piece.offset);
      const to = Math.min(early.offset + early.bytes.length, end);
      for (let at = from; at < to; at++) {
        if (early.bytes[at - early.offset] !== piece.bytes[at - piece.offset]) throw changedWhileRead(this.name);
      }
    }
    for (let i = this.#early.length - 1; i >= 0; i--) {
      const early = this.#early[i];
      if (early && early.offset + early.bytes.length <= end && early.offset >= piece.offset) this.#early.splice(i, 1);
    }
    const number = Math.floor(piece.offset / this.#blockBytes);
    if ((this.#needs.get(number) ?? 0) > 0) this.#blocks.set(number, piece);
    else this.#pool.give(piece.bytes);
  }

  /** Takes bytes that an earlier visit carried over. */
  carry(piece: Piece): void {
    this.#carried.push(piece);
  }

  #pieceAt(at: number): Piece | undefined {
    const block = this.#blocks.get(Math.floor(at / this.#blockBytes));
    const holds = ({ offset, bytes }: Piece): boolean => offset <= at && at < offset + bytes.length;
    if (block && holds(block)) return block;
    return this.#carried.find(holds) ?? this.#early.find(holds);
  }

  *#numbers(offset: number, bytes: number): Generator<number> {
    if (bytes === 0) return;
    const last = Math.floor((offset + bytes - 1) / this.#blockBytes);
    for (let number = Math.floor(offset / this.#blockBytes); number <= last; number++) yield number;
  }
}
