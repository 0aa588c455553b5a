// What the chat asks of a place that keeps conversations, the form they are kept in, its versions, and the parsing at that door.
// Knows no database; persistence.web.ts is the browser's.
import * as v from "valibot";
import { errorCodes } from "#engine/errors.ts";
import { remoteErrorCodes } from "#remote/http/errors.ts";
import { allQuestions, mapTurns } from "#chat/conversation/branches.ts";
import { opinions, titleOf, type Conversation, type Picture, type Turn } from "#chat/conversation/conversation.ts";

/** One line of the list of conversations. */
export interface ConversationSummary {
  readonly id: string;
  /** "" when nothing names it. */
  readonly title: string;
  /** Milliseconds since 1970. */
  readonly updatedAt: number;
  /** All that was said, in lower case, for searching. */
  readonly words: string;
}

/** What is kept after a save. */
export interface Kept {
  readonly conversation: Conversation;
  /** Pictures that found no room; they are tried again with later saves. */
  readonly unkeptPictures: number;
}

export interface ChatPersistence {
  /** All conversations, newest first; rejects when the place can't be read. */
  list(): Promise<readonly ConversationSummary[]>;
  /** The conversation that was shown last, or undefined; rejects when the place can't be read. */
  load(): Promise<Conversation | undefined>;
  /** One conversation with its pictures; undefined when it is not there. */
  open(id: string): Promise<Conversation | undefined>;
  /** Notes which conversation `load` gives next time; undefined is none. */
  setLast(id: string | undefined): Promise<void>;
  /**
   * Saves in the order of the calls; rejects when not even the text can be written. Where another tab has saved the same
   * conversation since it was opened here, both are kept (see joinConversations); "deleted" where another tab has deleted it: then
   * nothing is written.
   */
  save(conversation: Conversation): Promise<Kept | "deleted">;
  /** Joins it into what is kept under its id, whether or not it was deleted; what is kept stays what is shown. */
  merge(conversation: Conversation): Promise<Kept>;
  /** Hides it; `restore` brings it back until `purge`, joined with what was kept under its id meanwhile. */
  remove(id: string): Promise<void>;
  restore(id: string): Promise<void>;
  /** Forgets for good what was removed more than a minute ago, and pictures that nothing shows any more. */
  purge(): Promise<void>;
  /**
   * The page goes: notes what was asked for and is not kept yet, where writing takes no time. The next page does it before anything
   * else; a picture's bytes can't be noted.
   */
  noteUnfinished(): void;
  /** Calls back with the id when another tab has saved or removed a conversation; returns how to stop listening. */
  onChange(listener: (id: string) => void): () => void;
}

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
  failure: v.exactOptional(
    v.object({
      code: v.picklist([...errorCodes, ...remoteErrorCodes]),
      detail: v.string(),
      said: v.exactOptional(v.string()),
    }),
  ),
  /** Older versions kept a flag here, in the place of a thumb. */
  opinion: v.optional(v.picklist(opinions)),
  flagged: v.optional(v.boolean()),
  at: time,
});

/** `key` names the bytes: the same content has the same key wherever that can be computed. */
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
  /** Another one at every save. */
  revision: v.string(),
  updatedAt: v.number(),
  title: v.optional(v.string()),
  memoryStart: v.optional(v.string()),
  turns: StoredTurns,
  branches: v.array(v.object({ after: v.string(), turns: StoredTurns })),
});

/** A conversation without its pictures' bytes, which are kept one by one under their keys. */
export type StoredConversation = v.InferOutput<typeof StoredConversation>;

const VersionOne = v.looseObject({
  id: v.string(),
  turns: v.array(v.looseObject({ pictures: v.exactOptional(v.array(v.object({ id: v.string(), name: v.string() }))) })),
});

/** Step n turns version n + 1 into version n + 2. Append only: every form that was ever kept is still out there. */
const migrations: readonly ((value: unknown) => unknown)[] = [
  // 1 → 2: one conversation became many, with branches; pictures were kept under their ids.
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

/** The form that is kept; `keyOf` names a picture's bytes. The schema drops what is of this moment only. */
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

/** Parses what was kept, whatever its version; undefined when it is none we know. */
export function parseStored(value: unknown): StoredConversation | undefined {
  const version = v.safeParse(v.object({ version: v.pipe(v.number(), v.integer(), v.minValue(1)) }), value);
  if (!version.success) return undefined;
  let current = value;
  try {
    for (const migrate of migrations.slice(version.output.version - 1)) current = migrate(current);
  } catch (error) {
    // Malformed: as unknown as a version that is still to come.
    if (v.isValiError(error)) return undefined;
    throw error;
  }
  const parsed = v.safeParse(StoredConversation, current);
  return parsed.success ? parsed.output : undefined;
}

/** Puts the pictures back, by key; one whose bytes are gone is left out. */
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

/** `of` with the keys that `kept` has for the same pictures. */
export function withKeysOf(kept: StoredConversation, of: StoredConversation): StoredConversation {
  const keys = new Map(storedPictures(kept).map(({ id, key }) => [id, key]));
  const rekeyed = (turn: StoredConversation["turns"][number]): StoredConversation["turns"][number] =>
    turn.role === "assistant"
      ? turn
      : {
          ...turn,
          pictures: turn.pictures.map((picture) => ({ ...picture, key: keys.get(picture.id) ?? picture.key })),
        };
  return {
    ...of,
    turns: of.turns.map(rekeyed),
    branches: of.branches.map((branch) => ({ ...branch, turns: branch.turns.map(rekeyed) })),
  };
}

/** All pictures of a conversation. */
export function picturesOf(conversation: Conversation): Picture[] {
  return allQuestions(conversation).flatMap((turn) => turn.pictures);
}

/** The conversation's line in the list. */
export function summarize(
  conversation: Pick<Conversation, "id" | "title" | "updatedAt"> & { readonly turns: readonly Turn[] },
): ConversationSummary {
  const title = titleOf(conversation);
  const words = [title, ...conversation.turns.map((turn) => turn.text)].join("\n").toLowerCase();
  return { id: conversation.id, title, updatedAt: conversation.updatedAt ?? 0, words };
}

/** Whether a write failed for want of room. */
export function isFull(error: unknown): boolean {
  return error instanceof Error && error.name === "QuotaExceededError";
}

/** Newest first. */
export function inListOrder(summaries: readonly ConversationSummary[]): ConversationSummary[] {
  return [...summaries].sort((a, b) => b.updatedAt - a.updatedAt || a.id.localeCompare(b.id));
}
