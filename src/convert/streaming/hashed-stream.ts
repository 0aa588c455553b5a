// Puts the blocks of the stream through the hash in their order, and compares every file that ends with the hash that its place publishes.
// Tells where units end within a block, with the state of the hash there. Knows no steps and no journal.
import { EngineError } from "#engine/errors.ts";
import type { FileHash } from "./file-hash.ts";
import type { StreamBlock } from "./read-ahead.ts";
import type { ResidentFile } from "./resident.ts";

/** A file of the stream; the position of its first byte. */
interface StreamedFile {
  readonly source: ResidentFile;
  readonly name: string;
  readonly start: number;
}

/** A block that the hash has seen. */
export interface HashedBlock extends StreamBlock {
  /** Position in the stream behind its last byte. */
  readonly end: number;
  /** Units that end in it, by their number, with the state there; absent where the file has no published hash. */
  readonly cuts: readonly { readonly unit: number; readonly state: Uint8Array | undefined }[];
}

export class HashedStream {
  readonly #hash: FileHash;
  readonly #files: StreamedFile[];
  readonly #cuts: readonly number[];
  #nextCut = 0;
  /** Whether the block before has been handed to the hash. */
  #before: Promise<unknown> = Promise.resolve();

  /** `files` from the one that the stream goes on in; `unitEnds` are the positions of the units that are left. */
  constructor(hash: FileHash, files: readonly StreamedFile[], unitEnds: readonly number[]) {
    this.#hash = hash;
    this.#files = [...files];
    this.#cuts = unitEnds;
  }

  /** Goes on at a position with the state that was kept there. Rejects with "integrity" as `through` does. */
  async begin(position: number, state: Uint8Array | undefined): Promise<void> {
    this.#beginFile(state);
    // A file of no bytes that are left has no block of its own.
    await this.#endFiles(position);
  }

  /**
   * Blocks must be given in their order, before they are read. Rejects like the read, and with "integrity" where the block ends a file that is
   * not the one whose hash is published.
   */
  async through(read: Promise<StreamBlock>): Promise<HashedBlock> {
    const before = this.#before;
    const handedOver = (async () => {
      const block = await read;
      await before;
      // In an object, because a promise would be awaited here.
      return { hashed: this.#take(block) };
    })();
    handedOver.catch(() => undefined);
    this.#before = handedOver;
    return (await handedOver).hashed;
  }

  async #take(block: StreamBlock): Promise<HashedBlock> {
    const [file] = this.#files;
    if (!file || file.source !== block.file)
      throw new EngineError("internal", "a block is not of the file that the stream is in");
    const at = file.start + block.offset;
    const end = at + block.bytes.length;
    const units: number[] = [];
    const places: number[] = [];
    for (let cut = this.#cuts[this.#nextCut]; cut !== undefined && cut <= end; cut = this.#cuts[++this.#nextCut]) {
      units.push(this.#nextCut);
      places.push(Math.max(0, cut - at));
    }
    const hashing = isPublished(file) ? this.#hash.update(block.bytes, places) : { bytes: block.bytes, states: [] };
    const ending = this.#endFiles(end);
    // Where the hash itself fails, both do.
    ending.catch(() => undefined);
    const { bytes, states } = await hashing;
    await ending;
    return { ...block, bytes, end, cuts: units.map((unit, i) => ({ unit, state: states[i] })) };
  }

  #beginFile(state?: Uint8Array): void {
    const [file] = this.#files;
    if (file && isPublished(file)) this.#hash.begin(state);
  }

  /** Ends the files that lie before a position. Every call to the hash is made at once. */
  async #endFiles(position: number): Promise<void> {
    const comparing: Promise<void>[] = [];
    for (let [file] = this.#files; file && file.start + file.source.bytes <= position; [file] = this.#files) {
      if (isPublished(file)) comparing.push(this.#compare(file));
      this.#files.shift();
      this.#beginFile();
    }
    await Promise.all(comparing);
  }

  async #compare({ name, source }: StreamedFile): Promise<void> {
    if ((await this.#hash.digest()) === source.sha256) return;
    throw new EngineError(
      "integrity",
      `${name} is not the file whose SHA-256 its place publishes, so nothing of it is kept`,
    );
  }
}

const isPublished = ({ source }: StreamedFile): boolean => source.sha256 !== undefined;
