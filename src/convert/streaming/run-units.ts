// Streams the files of a checkpoint once, in order, through the hash: runs each step as soon as its bytes are here, and stores a unit's
// shards when its steps are done. Goes on where a journal ends. Knows no network and no model.
import { EngineError } from "#engine/errors.ts";
import { sha256Hex } from "#weights/store/sha256.ts";
import { fileHashHere, type FileHash } from "./file-hash.ts";
import { HashedStream } from "./hashed-stream.ts";
import { fromBase64, toBase64, type Journal, type JournalShard } from "./journal.ts";
import type { Making } from "./making.ts";
import { readAhead } from "./read-ahead.ts";
import { ResidentFile } from "./resident.ts";
import type { PlacedStep, StreamPlan, StreamedFile, Unit } from "./units.ts";

export interface RunOptions {
  /** Steps under way at a time. */
  readonly width: number;
  /** Reads under way at a time; default 4. */
  readonly parallel?: number | undefined;
  /** Default: one in this thread. */
  readonly hash?: FileHash | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: RunProgress) => void) | undefined;
}

export interface RunProgress {
  /** Bytes of the stream that are here or were in earlier visits. */
  readonly fetched: number;
  /** Bytes of the package that are computed, and that are stored. */
  readonly converted: number;
  readonly kept: number;
}

/** Units whose shards may be held at a time: one is stored while the next ones are made. */
const openUnits = 3;

/** A file of the plan, held as it streams by. */
interface Held extends StreamedFile {
  readonly source: ResidentFile;
}

/**
 * Makes every unit that the journal does not name, and resolves with all shards. Rejects with "integrity" where a file is not the one whose
 * hash is published: nothing that was made is to be kept then. After any other rejection the next run goes on with the last journal.
 */
export async function runUnits(
  plan: StreamPlan,
  from: Journal,
  making: Making,
  options: RunOptions,
): Promise<readonly JournalShard[]> {
  const run = new Run(plan, from, making, options, options.hash ?? (await fileHashHere()));
  return run.run();
}

/** Longer than one function, because everything that runs at the same time shares the first failure. */
class Run {
  readonly #plan: StreamPlan;
  readonly #making: Making;
  readonly #options: RunOptions;
  readonly #hash: FileHash;
  readonly #files: readonly Held[];
  readonly #first: number;
  #journal: Journal;
  #failure: { readonly error: unknown } | undefined;
  readonly #running = new Set<Promise<void>>();
  /** By the unit's number: resolves when it is stored. */
  readonly #stored: Promise<void>[] = [];
  readonly #hashStates = new Map<number, Uint8Array>();
  readonly #carried = new Map<number, Journal["carried"]>();
  #fetched: number;
  #converted: number;
  #kept: number;

  constructor(plan: StreamPlan, from: Journal, making: Making, options: RunOptions, hash: FileHash) {
    this.#plan = plan;
    this.#making = making;
    this.#options = options;
    this.#hash = hash;
    this.#journal = from;
    this.#first = from.units;
    this.#files = plan.files.map((file) => {
      if (file.source instanceof ResidentFile) return { ...file, source: file.source };
      throw new EngineError("internal", `${file.name} was not opened for streaming`);
    });
    this.#fetched = this.#startPosition;
    this.#kept = from.shards.reduce((sum, { bytes }) => sum + bytes, 0);
    this.#converted = this.#kept;
  }

  get #startPosition(): number {
    return this.#plan.units[this.#first - 1]?.end ?? 0;
  }

  async run(): Promise<readonly JournalShard[]> {
    try {
      await this.#stream();
      await Promise.all(this.#running);
      await Promise.all(this.#stored);
    } catch (error) {
      this.#failure ??= { error };
    }
    await Promise.allSettled(this.#running);
    await Promise.allSettled(this.#stored);
    if (this.#failure) {
      this.#options.signal?.throwIfAborted();
      throw this.#failure.error;
    }
    return this.#journal.shards;
  }

  async #stream(): Promise<void> {
    const { signal, parallel = 4 } = this.#options;
    const units = this.#plan.units.slice(this.#first);
    for (const { steps } of units) for (const { step } of steps) this.#eachRead(step, "need");
    for (const { file, offset, base64 } of this.#journal.carried) {
      this.#files[file]?.source.carry({ offset, bytes: fromBase64(base64) });
    }
    const start = this.#startPosition;
    // A file that ends where the journal does has still to be compared with its published hash.
    const left = this.#files.filter(({ start: at, source }) => at + source.bytes >= start);
    const state = this.#journal.hash;
    const queue = [...units.entries()].flatMap(([i, unit]) => unit.steps.map((placed) => ({ i, placed })));
    const buffers = units.map((unit) => new UnitBuffers(unit));
    const startSteps = this.#starter(queue, buffers, units);
    const hashed = new HashedStream(
      this.#hash,
      left,
      units.map(({ end }) => end),
    );
    await startSteps(0);
    await hashed.begin(start, state === undefined ? undefined : fromBase64(state));
    const blocks = readAhead(
      left.map((file) => ({ file: file.source, from: Math.max(0, start - file.start) })),
      parallel,
      (read) => hashed.through(read),
    );
    for await (const { file, offset, bytes, end, cuts } of blocks) {
      signal?.throwIfAborted();
      file.add({ offset, bytes });
      for (const cut of cuts) this.#cut(cut.unit, units[cut.unit], cut.state);
      this.#fetched = end;
      this.#report();
      await startSteps(end);
    }
    await startSteps(Infinity);
  }

  /** Starts the steps whose bytes are here, as far as there is room for what they make. */
  #starter(
    queue: readonly { readonly i: number; readonly placed: PlacedStep }[],
    buffers: readonly UnitBuffers[],
    units: readonly Unit[],
  ): (position: number) => Promise<void> {
    let next = 0;
    return async (position) => {
      for (let entry = queue[next]; entry && entry.placed.end <= position; entry = queue[++next]) {
        const { i, placed } = entry;
        await this.#stored[i - openUnits];
        while (this.#running.size >= this.#options.width) await Promise.race(this.#running);
        this.#options.signal?.throwIfAborted();
        if (this.#failure) throw this.#failure.error;
        const [buffer, unit] = [buffers[i], units[i]];
        if (!buffer || !unit) continue;
        const work = this.#runStep(placed, buffer).catch((error: unknown) => void (this.#failure ??= { error }));
        this.#running.add(work);
        void work.finally(() => this.#running.delete(work));
        // The last step of a unit that was started stores it, when all of them are done.
        if (queue[next + 1]?.i !== i) this.#stored[i] = this.#store(i, unit, buffer);
      }
    };
  }

  async #runStep(placed: PlacedStep, buffer: UnitBuffers): Promise<void> {
    const { step, targets } = placed;
    try {
      const made = await step.make();
      this.#eachRead(step, "release");
      for (const [i, { path, offset, bytes }] of targets.entries()) {
        const part = made[i];
        const found = part?.length ?? 0;
        if (found !== bytes || !part)
          throw new EngineError("internal", `${path}: a step made ${found} bytes instead of ${bytes}`);
        buffer.set(path, offset, part);
        this.#converted += bytes;
      }
      this.#report();
      buffer.stepDone();
    } catch (error) {
      buffer.fail(error);
      throw error;
    }
  }

  /** Stores a unit's shards and then the journal, after those of all units before it. */
  async #store(i: number, unit: Unit, buffer: UnitBuffers): Promise<void> {
    const before = this.#stored[i - 1];
    try {
      await buffer.done;
      await before;
      if (this.#failure) return;
      const shards: JournalShard[] = [];
      for (const { shard, bytes } of buffer.take()) {
        const sha256 = await sha256Hex(bytes);
        shards.push({ ...shard, sha256 });
        await this.#making.put({ ...shard, sha256 }, bytes);
        this.#options.signal?.throwIfAborted();
      }
      const hash = this.#hashStates.get(i);
      this.#journal = {
        ...this.#journal,
        units: this.#first + i + 1,
        hash: hash && toBase64(hash),
        carried: this.#carried.get(i) ?? [],
        shards: [...this.#journal.shards, ...shards],
        about: { ...this.#journal.about, fetchedBytes: unit.end },
      };
      await this.#making.note(this.#journal);
      this.#kept += unit.shards.reduce((sum, { bytes }) => sum + bytes, 0);
      this.#report();
    } catch (error) {
      this.#failure ??= { error };
    }
  }

  /** Keeps what the journal needs at a unit's end: the state of the hash, and the bytes that later units read, too. */
  #cut(i: number, unit: Unit | undefined, state: Uint8Array | undefined): void {
    if (state) this.#hashStates.set(i, state);
    const carried = (unit?.carried ?? []).map(({ source, offset, bytes }) => {
      const index = this.#files.findIndex((other) => other.source === source);
      const held = this.#files[index]?.source.peek(offset, bytes);
      if (!held) throw new EngineError("internal", "bytes that a later unit needs are not held any more");
      return { file: index, offset, base64: toBase64(held) };
    });
    this.#carried.set(i, carried);
  }

  #eachRead(step: PlacedStep["step"], verb: "need" | "release"): void {
    for (const { source, offset, bytes } of step.reads ?? []) {
      if (source instanceof ResidentFile) source[verb](offset, bytes);
    }
  }

  #report(): void {
    this.#options.onProgress?.({ fetched: this.#fetched, converted: this.#converted, kept: this.#kept });
  }
}

/** What a unit makes, in memory until it is stored. */
class UnitBuffers {
  readonly done: Promise<void>;
  readonly #unit: Unit;
  #shards: { readonly shard: Unit["shards"][number]; readonly bytes: Uint8Array<ArrayBuffer> }[] | undefined;
  #left: number;
  #resolve: () => void = () => undefined;
  #reject: (error: unknown) => void = () => undefined;

  constructor(unit: Unit) {
    this.#unit = unit;
    this.#left = unit.steps.length;
    this.done = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.done.catch(() => undefined);
  }

  /** Copies what a step made to its place, which may lie in two shards. */
  set(path: string, offset: number, part: Uint8Array): void {
    this.#shards ??= this.#unit.shards.map((shard) => ({ shard, bytes: new Uint8Array(shard.bytes) }));
    for (const { shard, bytes } of this.#shards) {
      if (shard.path !== path) continue;
      const from = Math.max(offset, shard.offset);
      const to = Math.min(offset + part.length, shard.offset + shard.bytes);
      if (from < to) bytes.set(part.subarray(from - offset, to - offset), from - shard.offset);
    }
  }

  stepDone(): void {
    if (--this.#left === 0) this.#resolve();
  }

  fail(error: unknown): void {
    this.#reject(error);
  }

  /** The shards one by one; each can be forgotten when the next is asked for. */
  *take() {
    const shards = this.#shards ?? [];
    for (let shard = shards.shift(); shard; shard = shards.shift()) yield shard;
  }
}
