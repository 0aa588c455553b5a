// The record of a conversion that is not finished: which units are, where the stream goes on, and the state of the hash there.
// It is written after the bytes that it speaks of, so whatever it names is stored.
import * as v from "valibot";

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const sha256 = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/));

const Journal = v.object({
  version: v.literal(1),
  /** Of the plan and the versions of its files: another plan can't go on with this. */
  fingerprint: sha256,
  /** Units that are finished. */
  units: count,
  /** State of the SHA-256 of the file that the last unit ends in, in base64; absent where no hash is published. */
  hash: v.optional(v.string()),
  /** Bytes that later units read, too. */
  carried: v.array(v.object({ file: count, offset: count, base64: v.string() })),
  shards: v.array(v.object({ path: v.string(), index: count, offset: count, bytes: count, sha256 })),
  /** What a listing tells of it. */
  about: v.object({
    /** JSON of where the checkpoint lies; the converter passes it on. */
    place: v.optional(v.unknown()),
    name: v.string(),
    license: v.string(),
    fetchedBytes: count,
    fetchBytes: count,
    keepBytes: count,
  }),
});
export type Journal = v.InferOutput<typeof Journal>;
export type JournalShard = Journal["shards"][number];

/** Undefined for anything that is no journal of this version. */
export function parseJournal(json: unknown): Journal | undefined {
  const parsed = v.safeParse(Journal, json);
  return parsed.success ? parsed.output : undefined;
}

export function toBase64(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}

export function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
}
