// Conversations as a backup that import-backup.ts restores: with other answers, figures and votes. Only what was said and shown leaves: no
// settings, no address of a server, no key.
import { mapTurns } from "#chat/conversation/branches.ts";
import type { Conversation } from "#chat/conversation/conversation.ts";
import type { Vote } from "#chat/conversation/vote.ts";
import { toStored } from "#chat/persistence/stored-conversation.ts";

/** The backup's file in its zip. */
export const backupFile = "llava-web-backup.json";
export const backupFormat = "llava-web-backup";

/** The text of the backup's file; `fileOf` names the pictures' files, `now` in milliseconds since 1970. */
export function toBackup(
  conversations: readonly Conversation[],
  fileOf: ReadonlyMap<Blob, string>,
  votes: readonly Vote[],
  now: number,
): string {
  const stored = conversations.map((conversation) =>
    toStored(withoutDetails(conversation), "backup", now, ({ blob, id }) => fileOf.get(blob) ?? id),
  );
  return JSON.stringify({ format: backupFormat, version: 1, conversations: stored, votes }, null, 1);
}

/** Without what servers said when they failed, which is for developers, and without their addresses. */
function withoutDetails(conversation: Conversation): Conversation {
  return mapTurns(conversation, (turn) => {
    if (turn.role === "user") return turn;
    const { failure, model, ...rest } = turn;
    return {
      ...rest,
      ...(failure === undefined ? {} : { failure: { code: failure.code, detail: "" } }),
      ...(model === undefined ? {} : { model: { id: model.id, name: model.name } }),
    };
  });
}
