// Puts conversations into parts by a hash, so that each lands in the same part whenever it is split, in whatever order. Pure.
import type { PictureRef, Sample } from "#samples/sample.ts";
import { contentKey, nameOfRef } from "#data/content-key.ts";
import { HashTable, type Hash } from "#data/hash-table.ts";

export interface Part {
  readonly name: string;
  /** Of the whole; all together at most 1, and the rest is left out. */
  readonly share: number;
}

/** A number from 0 to below 1 that depends on the text and the seed alone. */
export function drawOf(hash: Hash, seed: number, text: string): number {
  return Number(hash(`${seed}:${text}`) >> 11n) / 2 ** 53;
}

/** The part whose share of [0, 1) the draw falls into; undefined for the rest. */
export function partAt(parts: readonly Part[], draw: number): Part | undefined {
  let end = 0;
  for (const [at, part] of parts.entries()) {
    end += part.share;
    // Shares such as 0.7 + 0.2 + 0.1 add up to a little less than 1.
    if (draw < end || (at === parts.length - 1 && end > 1 - 1e-9)) return part;
  }
  return undefined;
}

/**
 * Which pictures belong together because a conversation shows both: they and all their conversations go into one part. Two passes over the data:
 * `join` every conversation, then ask for the `keyOf` each.
 */
export class PictureGroups {
  /** From a picture's hash to its number. */
  private readonly numbers = new HashTable();
  /** Union-find: the number that a number is joined with. */
  private parents = new Uint32Array(1024);
  /** The least hash of the group, at its root: it does not depend on the order. */
  private least = new BigUint64Array(1024);
  private readonly hash: Hash;
  constructor(hash: Hash) {
    this.hash = hash;
  }

  join(sample: Sample): void {
    const [first, ...others] = picturesOf(sample).map((ref) => this.numberOf(ref));
    for (const other of first === undefined ? [] : others) this.unite(first ?? 0, other);
  }

  /** What the conversation's part is drawn by: its pictures' group, or its words where it shows none. */
  keyOf(sample: Sample): string {
    const [first] = picturesOf(sample);
    return first === undefined ? contentKey(sample) : `picture ${this.least[this.rootOf(this.numberOf(first))]}`;
  }

  private numberOf(ref: PictureRef): number {
    const hash = this.hash(nameOfRef(ref));
    const known = this.numbers.get(hash);
    if (known !== undefined) return known;
    const number = this.numbers.size;
    this.numbers.set(hash, number);
    if (number === this.parents.length) {
      this.parents = grown(this.parents, new Uint32Array(number * 2));
      this.least = grown(this.least, new BigUint64Array(number * 2));
    }
    this.parents[number] = number;
    this.least[number] = hash;
    return number;
  }

  private rootOf(number: number): number {
    let at = number;
    while (this.parents[at] !== at) {
      const next = this.parents[at] ?? 0;
      this.parents[at] = this.parents[next] ?? 0;
      at = next;
    }
    return at;
  }

  private unite(a: number, b: number): void {
    const [one, other] = [this.rootOf(a), this.rootOf(b)];
    if (one === other) return;
    this.parents[other] = one;
    const [x = 0n, y = 0n] = [this.least[one], this.least[other]];
    this.least[one] = x < y ? x : y;
  }
}

function grown<T extends Uint32Array | BigUint64Array>(old: T, larger: T): T {
  (larger as Uint32Array).set(old as Uint32Array);
  return larger;
}

const picturesOf = ({ turns }: Sample): PictureRef[] =>
  turns.flatMap((turn) => (turn.role === "user" ? turn.pictures : []));
