// The form in which conversations are stored: its schema, its versions, and the parsing of what was stored. A picture's bytes are not in
// it; they are stored one by one under keys. Knows no database.
import * as v from "valibot";
import { errorCodes } from "#engine/errors.ts";
import { remoteErrorCodes } from "#remote/http/errors.ts";
import { mapTurns } from "#chat/conversation/branches.ts";
import { opinions, type Conversation, type Picture, type Turn } from "#chat/conversation/conversation.ts";

const count = v.pipe(v.number(), v.minValue(0));
const time = v.exactOptional(v.number());

const StoredAnswer = v.object({
  role: v.literal("assistant"),
  id: v.string(),
  text: v.string(),
  status: v.picklist(["queued", "running", "done", "stopped", "failed"]),
  device: v.exactOptional(v.picklist(["webgpu", "wasm", "cpu", "remote"])),
  model: v.exactOptional(v.object({ id: v.string(), name: v.string(), host: v.exactOptional(v.string()) })),
  reason: v.exactOptional(v.picklist(["eos", "stop", "length", "context", "abort"])),
  ending: v.exactOptional(v.string()),
  usage: v.exactOptional(v.object({ promptTokens: count, cachedTokens: count, imageTokens: count, newTokens: count })),
  timings: v.exactOptional(
    v.object({
      imageMs: count,
      visionMs: count,
      prefillMs: count,
      decodeMs: count,
      firstTokenMs: count,
      totalMs: count,
    }),
  ),
  sawPhotograph: v.exactOptional(v.literal(true)),
  failure: v.exactOptional(
    v.object({
      code: v.picklist([...errorCodes, ...remoteErrorCodes]),
      detail: v.string(),
      said: v.exactOptional(v.string()),
    }),
  ),
  /** Older versions stored a flag here, in the place of a thumb. */
  opinion: v.optional(v.picklist(opinions)),
  flagged: v.optional(v.boolean()),
  at: time,
});

/** `key` is that of the bytes: their hash, where the browser computes one, so that the same content is stored once. */
const StoredPicture = v.object({ id: v.string(), name: v.string(), key: v.string() });

const StoredQuestion = v.object({
  role: v.literal("user"),
  id: v.string(),
  text: v.string(),
  pictures: v.array(StoredPicture),
  at: time,
});

const StoredTurns = v.array(v.variant("role", [StoredQuestion, StoredAnswer]));

const StoredConversation = v.object({
  version: v.literal(2),
  id: v.string(),
  /** Changes with every save. */
  revision: v.string(),
  updatedAt: v.number(),
  title: v.optional(v.string()),
  memoryStart: v.optional(v.string()),
  turns: StoredTurns,
  branches: v.array(v.object({ after: v.string(), turns: StoredTurns })),
});

/** A conversation without its pictures' bytes. */
export type StoredConversation = v.InferOutput<typeof StoredConversation>;

const VersionOne = v.looseObject({
  id: v.string(),
  turns: v.array(v.looseObject({ pictures: v.exactOptional(v.array(v.object({ id: v.string(), name: v.string() }))) })),
});

/** Migration n turns version n + 1 into version n + 2. Append only: every form that was ever stored is still out there. */
const migrations: readonly ((value: unknown) => unknown)[] = [
  // 1 → 2: one conversation became many, with branches; pictures were stored under their ids.
  (value) => {
    const one = v.parse(VersionOne, value);
    const turns = one.turns.map((turn) =>
      turn.pictures === undefined
        ? turn
        : { ...turn, pictures: turn.pictures.map((picture) => ({ ...picture, key: picture.id })) },
    );
    return { ...one, version: 2, turns, branches: [], revision: "1", updatedAt: 0 };
  },
];

/** The version that is written. */
export const newestVersion = migrations.length + 1;

/** The stored form; `keyOf` gives the key of a picture's bytes. The schema drops what holds for this moment only. */
export function toStored(
  conversation: Conversation,
  revision: string,
  now: number,
  keyOf: (picture: Picture) => string,
): StoredConversation {
  const keyed = mapTurns(conversation, (turn) =>
    turn.role === "assistant"
      ? turn
      : { ...turn, pictures: turn.pictures.map((picture) => ({ ...picture, key: keyOf(picture) })) },
  );
  return v.parse(StoredConversation, { updatedAt: now, branches: [], ...keyed, version: 2, revision });
}

/** Parses a stored value of any version; undefined when it is malformed, or of a version that is not known yet. */
export function parseStored(value: unknown): StoredConversation | undefined {
  const version = v.safeParse(v.object({ version: v.pipe(v.number(), v.integer(), v.minValue(1)) }), value);
  if (!version.success) return undefined;
  let current = value;
  try {
    for (const migrate of migrations.slice(version.output.version - 1)) current = migrate(current);
  } catch (error) {
    if (v.isValiError(error)) return undefined;
    throw error;
  }
  const parsed = v.safeParse(StoredConversation, current);
  return parsed.success ? parsed.output : undefined;
}

/** The conversation with its pictures, whose bytes are looked up by key; a picture whose bytes are gone is left out. */
export function fromStored(stored: StoredConversation, blobs: ReadonlyMap<string, Blob>): Conversation {
  const withBlobs = (turn: StoredConversation["turns"][number]): Turn => {
    if (turn.role === "assistant") {
      const { opinion, ...rest } = turn;
      if (opinion === "flag") return { ...rest, flagged: true };
      return opinion === undefined ? rest : { ...rest, opinion };
    }
    const pictures = turn.pictures.flatMap(({ id, name, key }): Picture[] => {
      const blob = blobs.get(key);
      return blob === undefined ? [] : [{ id, name, blob }];
    });
    return { ...turn, pictures };
  };
  const { id, updatedAt, title, memoryStart, turns, branches } = stored;
  return {
    id,
    updatedAt,
    ...(title === undefined ? {} : { title }),
    ...(memoryStart === undefined ? {} : { memoryStart }),
    turns: turns.map(withBlobs),
    ...(branches.length === 0
      ? {}
      : { branches: branches.map(({ after, turns: aside }) => ({ after, turns: aside.map(withBlobs) })) }),
  };
}

function storedPictures({ turns, branches }: StoredConversation): v.InferOutput<typeof StoredPicture>[] {
  return [turns, ...branches.map((branch) => branch.turns)]
    .flat()
    .flatMap((turn) => (turn.role === "user" ? turn.pictures : []));
}

/** The keys of all pictures of a stored conversation, each once. */
export function pictureKeys(stored: StoredConversation): string[] {
  return [...new Set(storedPictures(stored).map(({ key }) => key))];
}

/** `conversation` with the keys that `source` has for the same pictures. */
export function withKeysOf(source: StoredConversation, conversation: StoredConversation): StoredConversation {
  const keys = new Map(storedPictures(source).map(({ id, key }) => [id, key]));
  const rekeyed = (turn: StoredConversation["turns"][number]): StoredConversation["turns"][number] =>
    turn.role === "assistant"
      ? turn
      : {
          ...turn,
          pictures: turn.pictures.map((picture) => ({ ...picture, key: keys.get(picture.id) ?? picture.key })),
        };
  return {
    ...conversation,
    turns: conversation.turns.map(rekeyed),
    branches: conversation.branches.map((branch) => ({ ...branch, turns: branch.turns.map(rekeyed) })),
  };
}
