// What the chat asks of a place that keeps the last conversation, the form it is kept in, and the parsing at that door.
// Knows no database; persistence.web.ts is the browser's.
import * as v from "valibot";
import { errorCodes } from "#engine/errors.ts";
import type { Conversation, Picture, Turn } from "./conversation.ts";

export interface ChatPersistence {
  /** The last saved conversation, or undefined; rejects when the place can't be read. */
  load(): Promise<Conversation | undefined>;
  /** Saves in the order of the calls; rejects when the place can't be written. */
  save(conversation: Conversation): Promise<void>;
}

const count = v.pipe(v.number(), v.minValue(0));

const StoredAnswer = v.object({
  role: v.literal("assistant"),
  id: v.string(),
  text: v.string(),
  status: v.picklist(["queued", "running", "done", "stopped", "failed"]),
  device: v.exactOptional(v.picklist(["webgpu", "wasm", "cpu"])),
  reason: v.exactOptional(v.picklist(["eos", "stop", "length", "abort"])),
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
  failure: v.exactOptional(v.object({ code: v.picklist(errorCodes), detail: v.string() })),
});

const StoredQuestion = v.object({
  role: v.literal("user"),
  id: v.string(),
  text: v.string(),
  pictures: v.array(v.object({ id: v.string(), name: v.string() })),
});

const StoredConversation = v.object({
  version: v.literal(1),
  id: v.string(),
  turns: v.array(v.variant("role", [StoredQuestion, StoredAnswer])),
});

/** A conversation without its pictures' bytes, which are kept one by one under their ids. */
export type StoredConversation = v.InferOutput<typeof StoredConversation>;

/** The form that is kept: the schema drops what is of this moment only. */
export function toStored(conversation: Conversation): StoredConversation {
  return v.parse(StoredConversation, { version: 1, ...conversation });
}

/** Parses what was kept; undefined when it is of no version we know. Later versions are migrated here, one step each. */
export function parseStored(value: unknown): StoredConversation | undefined {
  const parsed = v.safeParse(StoredConversation, value);
  return parsed.success ? parsed.output : undefined;
}

/** Puts the pictures back; one whose bytes are gone is left out. */
export function fromStored(stored: StoredConversation, blobs: ReadonlyMap<string, Blob>): Conversation {
  return {
    id: stored.id,
    turns: stored.turns.map((turn): Turn => {
      if (turn.role === "assistant") return turn;
      const pictures = turn.pictures.flatMap(({ id, name }): Picture[] => {
        const blob = blobs.get(id);
        return blob === undefined ? [] : [{ id, name, blob }];
      });
      return { ...turn, pictures };
    }),
  };
}

/** The ids of all pictures of a stored conversation. */
export function pictureIds(stored: StoredConversation): string[] {
  return stored.turns.flatMap((turn) => (turn.role === "user" ? turn.pictures.map((picture) => picture.id) : []));
}
