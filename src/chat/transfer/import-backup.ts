// Restores a backup of this app (export-backup.ts), and checks it for everything that the rest of the app relies on.
import * as v from "valibot";
import { parseVotes, type Vote } from "#chat/conversation/vote.ts";
import { mapTurns } from "#chat/conversation/branches.ts";
import type { Conversation, Picture, Turn } from "#chat/conversation/conversation.ts";
import { backupFormat } from "./export-backup.ts";
import type { PictureReader } from "./import-pictures.ts";
import { importLimits, type FileProblem, type ItemProblem, type ProblemList } from "./import-problems.ts";
import {
  fromStored,
  newestVersion,
  parseStored,
  pictureKeys,
  type StoredConversation,
} from "#chat/persistence/stored-conversation.ts";

const Backup = v.looseObject({
  format: v.literal(backupFormat),
  version: v.number(),
  conversations: v.array(v.unknown()),
  votes: v.optional(v.unknown()),
});
const Versioned = v.looseObject({ version: v.number() });

/** Whether a parsed value claims to be a backup. */
export const isBackup = (value: unknown): boolean => v.is(v.looseObject({ format: v.literal(backupFormat) }), value);

interface BackupContext {
  readonly file: string;
  readonly problems: ProblemList;
  readonly pictures: PictureReader;
  readonly newId: () => string;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** Yields its conversations; returns its votes, or what is wrong with the whole file. */
export async function* readBackup(
  value: unknown,
  context: BackupContext,
): AsyncGenerator<Conversation, readonly Vote[] | FileProblem> {
  const { file, problems } = context;
  const backup = v.safeParse(Backup, value);
  if (!backup.success) return "unknown-format";
  if (backup.output.version > 1) return "newer-version";
  const list = backup.output.conversations;
  if (list.length > importLimits.conversations) problems.add({ kind: "file", problem: "too-many", file });
  for (const [index, entry] of list.slice(0, importLimits.conversations).entries()) {
    const item = index + 1;
    const stored = parseStored(entry);
    if (stored === undefined) {
      if (v.is(Versioned, entry) && entry.version > newestVersion) return "newer-version";
      problems.add({ kind: "item", problem: "not-a-conversation", file, item });
      continue;
    }
    const problem = checkTree(stored);
    if (problem === undefined) yield await restore(stored, item, context);
    else problems.add({ kind: "item", problem, file, item });
  }
  return parseVotes(backup.output.votes);
}

async function restore(stored: StoredConversation, item: number, context: BackupContext): Promise<Conversation> {
  const { newId, now } = context;
  const names = new Map<string, string>();
  for (const turn of [stored.turns, ...stored.branches.map(({ turns }) => turns)].flat()) {
    if (turn.role === "user") for (const { key, name } of turn.pictures) names.set(key, name);
  }
  const blobs = new Map<string, Blob>();
  for (const key of pictureKeys(stored)) {
    const name = names.get(key) ?? key;
    const picture = await context.pictures.read({ kind: "name", name: `pictures/${key}` }, name, item);
    if (picture !== undefined) blobs.set(key, picture.blob);
  }
  const latest = (time: number | undefined): number => (Number.isFinite(time) ? Math.min(time ?? 0, now) : 0);
  const safe = mapTurns(fromStored(stored, blobs), (turn): Turn => {
    const at = latest(turn.at);
    if (turn.role === "user") {
      const pictures = turn.pictures.map((picture): Picture => ({
        ...picture,
        id: newId(),
        name: picture.name.slice(0, 200),
      }));
      return { ...turn, at, pictures };
    }
    // Opening a file must not start an answer.
    const waits = turn.status === "queued" || turn.status === "running";
    return { ...turn, at, ...(waits ? { status: "stopped" } : {}) };
  });
  const { title } = safe;
  return { ...safe, updatedAt: latest(safe.updatedAt), ...(title === undefined ? {} : { title: title.slice(0, 200) }) };
}

/** Checks what the app relies on: unique ids, alternating roles, and branches that follow a turn of the conversation. */
function checkTree(stored: StoredConversation): ItemProblem | undefined {
  const paths = [{ after: "", turns: stored.turns }, ...stored.branches];
  const turns = paths.flatMap((path) => path.turns);
  if (stored.turns.length === 0 || stored.id === "") return "no-turns";
  if (turns.length > importLimits.turns) return "too-many-turns";
  const roleOf = new Map(turns.map((turn) => [turn.id, turn.role]));
  if (roleOf.size !== turns.length || roleOf.has("")) return "broken-links";
  for (const { id, text } of turns) {
    if (text.length > importLimits.textLength || id.length > 100) return "text-too-long";
  }
  if (stored.id.length > 100) return "text-too-long";
  for (const path of paths) {
    if (path.turns.length === 0) return "broken-links";
    let before = path.after === "" ? "assistant" : roleOf.get(path.after);
    if (before === undefined) return "broken-links";
    if (path.after === "" && path.turns[0]?.role === "assistant") return "starts-with-answer";
    for (const { role } of path.turns) {
      if (role === before) return "not-alternating";
      before = role;
    }
  }
  return isConnected(stored) ? undefined : "broken-links";
}

/** Whether every branch can be reached from the beginning; one that follows its own turns, or another such branch, can't. */
function isConnected({ turns, branches }: StoredConversation): boolean {
  const waiting = new Map<string, (typeof branches)[number][]>();
  for (const branch of branches) waiting.set(branch.after, [...(waiting.get(branch.after) ?? []), branch]);
  const reached = ["", ...turns.map(({ id }) => id)];
  let found = 0;
  for (const id of reached) {
    for (const branch of waiting.get(id) ?? []) {
      found++;
      for (const turn of branch.turns) reached.push(turn.id);
    }
  }
  return found === branches.length;
}
