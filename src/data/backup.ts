// Conversations of this app's backup as LLaVA's samples: the shown turns that were answered, as its own export writes them. Pure.
import * as v from "valibot";
import { parseStored, type StoredConversation } from "#chat/persistence/stored-conversation.ts";
import { withoutMarks } from "#samples/read-sample.ts";

export const backupFile = "llava-web-backup.json";
const Backup = v.looseObject({
  format: v.literal("llava-web-backup"),
  version: v.number(),
  conversations: v.array(v.unknown()),
});

/** What a backup holds beside the answers shown. */
interface BackupLosses {
  /** Other answers and edited questions that are not shown. */
  readonly aside: number;
  /** Questions without an answer. */
  readonly unanswered: number;
}

interface BackupSample extends BackupLosses {
  /** LLaVA's form; undefined where nothing was answered. */
  readonly json: object | undefined;
}

/** Undefined for what is no backup; throws a sentence for one of a newer version. What is no conversation in it stays as it is, for the reader to say so. */
export function readBackupSamples(value: unknown): (BackupSample | { readonly broken: unknown })[] | undefined {
  const backup = v.safeParse(Backup, value);
  if (!backup.success) return undefined;
  if (backup.output.version > 1) throw new Error("it is a backup of a newer llava-web; update this one");
  return backup.output.conversations.map((entry) => {
    const stored = parseStored(entry);
    return stored === undefined ? { broken: entry } : toSample(stored);
  });
}

function toSample({ id, title, turns, branches }: StoredConversation): BackupSample {
  const kept: { from: "human" | "gpt"; value: string }[] = [];
  const images: string[] = [];
  /** Pictures of a question that got no answer are the next one's, as for the model. */
  let carried: string[] = [];
  let unanswered = 0;
  for (const [at, turn] of turns.entries()) {
    if (turn.role === "assistant") continue;
    carried.push(...turn.pictures.map(({ key }) => `pictures/${key}`));
    const answer = turns[at + 1];
    if (answer?.role !== "assistant" || answer.text === "") {
      unanswered++;
      continue;
    }
    const marks = "<image>\n".repeat(carried.length);
    images.push(...carried);
    carried = [];
    kept.push(
      { from: "human", value: marks + withoutMarks(turn.text) },
      { from: "gpt", value: withoutMarks(answer.text) },
    );
  }
  const [first] = images;
  const image = first === undefined ? {} : { image: images.length === 1 ? first : images };
  const json =
    kept.length === 0 ? undefined : { id, ...(title === undefined ? {} : { title }), ...image, conversations: kept };
  return { json, aside: branches.length, unanswered };
}
