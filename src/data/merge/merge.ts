// Joins the conversations of several files into one list: weights, duplicates, ids. One at a time, a few bytes remembered of each. Pure.
import { isObject } from "#samples/picture-refs.ts";
import type { PictureRef } from "#samples/sample.ts";
import { contentKey, nameOfRef } from "#data/content-key.ts";
import { HashTable, type Hash } from "#data/hash-table.ts";
import type { UsableEntry } from "#data/left-out.ts";
import { renamePictures } from "#data/picture-names.ts";
import { drawOf } from "#data/split/split.ts";

export interface MergeSource {
  /** What is put before an id that another file has taken. */
  readonly prefix: string;
  /** The share of conversations that is taken; of 2.5 all twice, and half of them a third time. */
  readonly weight: number;
  /** The new names of pictures. */
  readonly rename: (name: string) => string;
}

export interface MergeOptions {
  readonly hash: Hash;
  readonly seed: number;
  readonly keepDuplicates: boolean;
}

export class Merger {
  /** Conversations that the weights left out, that were there already, and ids that were changed. */
  notDrawn = 0;
  duplicates = 0;
  newIds = 0;
  private readonly contents = new HashTable();
  /** Of every id that is taken, the number that its next namesake gets. */
  private readonly ids = new HashTable();
  private readonly options: MergeOptions;
  constructor(options: MergeOptions) {
    this.options = options;
  }

  /** The values to write for a conversation: none, it, or copies of it. */
  add(entry: UsableEntry, { prefix, weight, rename }: MergeSource): unknown[] {
    const { hash, seed, keepDuplicates } = this.options;
    const copies = Math.floor(weight) + (drawOf(hash, seed, contentKey(entry.sample)) < weight % 1 ? 1 : 0);
    if (copies === 0) {
      this.notDrawn++;
      return [];
    }
    if (!keepDuplicates) {
      const nameOf = (ref: PictureRef): string =>
        nameOfRef(ref.kind === "name" ? { ...ref, name: rename(ref.name) } : ref);
      const content = hash(contentKey(entry.sample, nameOf));
      if (this.contents.get(content) !== undefined) {
        this.duplicates++;
        return [];
      }
      this.contents.set(content, 1);
    }
    const json = renamePictures(entry.json, rename);
    return Array.from({ length: copies }, () => this.withOwnId(json, prefix));
  }

  private withOwnId(json: unknown, prefix: string): unknown {
    const id = isObject(json) ? json["id"] : undefined;
    if (!isObject(json) || (typeof id !== "string" && typeof id !== "number")) return json;
    const own = this.takeId(String(id), prefix);
    if (own === String(id)) return json;
    this.newIds++;
    return { ...json, id: own };
  }

  /** The id itself, with the file's name before it, or with a number behind that. */
  private takeId(id: string, prefix: string): string {
    const { hash } = this.options;
    if (this.take(id)) return id;
    const base = `${prefix}-${id}`;
    if (this.take(base)) return base;
    for (let number = Math.max(2, this.ids.get(hash(base)) ?? 2); ; number++) {
      if (!this.take(`${base}-${number}`)) continue;
      this.ids.set(hash(base), number + 1);
      return `${base}-${number}`;
    }
  }

  private take(id: string): boolean {
    const hash = this.options.hash(id);
    if (this.ids.get(hash) !== undefined) return false;
    this.ids.set(hash, 2);
    return true;
  }
}
