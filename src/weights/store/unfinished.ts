// What the journal of a conversion that is not finished tells a listing: where its checkpoint lies and how far it is. The journal's other
// parts belong to the converter.
import * as v from "valibot";
import { journalKey } from "./keys.ts";
import { getReadable, readJson } from "./records.ts";
import type { ShardStore } from "./store.ts";

const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const KeptPlace = v.variant("kind", [
  v.object({
    kind: v.literal("hub"),
    hub: v.string(),
    repository: v.string(),
    revision: v.optional(v.string()),
  }),
  v.object({ kind: v.literal("address"), url: v.string() }),
]);
const bits = v.picklist([4, 8]);
/** What else was asked for, so that the same can be asked for again. */
const Asked = v.object({
  weights: v.optional(v.array(v.string())),
  tower: v.optional(v.string()),
  bits: v.optional(v.object({ vision: bits, embed: bits, decoder: bits })),
});
const Told = v.looseObject({
  about: v.object({
    place: v.optional(v.unknown()),
    name: v.string(),
    license: v.string(),
    fetchedBytes: count,
    fetchBytes: count,
    keepBytes: count,
  }),
  shards: v.array(v.looseObject({ bytes: count })),
});

/** Where a checkpoint lies that can be gone on with in another visit. */
export type KeptPlace = v.InferOutput<typeof KeptPlace>;

/** A conversion that is not finished. */
export interface UnfinishedConversion {
  /** Undefined for dropped files, which have to be dropped again. */
  readonly place: KeptPlace | undefined;
  /** Which of its files, which tower and how many bits, where the request said so. */
  readonly asked: v.InferOutput<typeof Asked>;
  readonly name: string;
  readonly license: string;
  readonly fetchedBytes: number;
  readonly fetchBytes: number;
  readonly keptBytes: number;
  readonly keepBytes: number;
}

/** Undefined where nothing is being converted into the package. */
export async function readUnfinished(store: ShardStore, id: string): Promise<UnfinishedConversion | undefined> {
  const parsed = v.safeParse(Told, await readJson(await getReadable(store, journalKey(id))));
  if (!parsed.success) return undefined;
  const { about, shards } = parsed.output;
  const place = v.safeParse(KeptPlace, about.place);
  const asked = v.safeParse(Asked, about.place);
  return {
    ...about,
    place: place.success ? place.output : undefined,
    asked: asked.success ? asked.output : {},
    keptBytes: shards.reduce((sum, { bytes }) => sum + bytes, 0),
  };
}
