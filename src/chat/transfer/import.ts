// Opens files with conversations from any program: a backup of this app, or training data and transcripts as JSON, JSON lines or a zip
// with its pictures. Nothing is fetched and nothing is trusted; what is right is opened, and everything else is listed as a problem.
import { readSamples } from "#samples/read-samples.ts";
import type { Sample } from "#samples/sample.ts";
import { blobChunks } from "#samples/text-chunks.ts";
import type { Vote } from "#chat/conversation/vote.ts";
import type { Conversation, Picture, Turn } from "#chat/conversation/conversation.ts";
import { backupFile } from "./export-backup.ts";
import { isBackup, readBackup } from "./import-backup.ts";
import { mayHoldConversations } from "./import-kind.ts";
import { createFinder, createPictureReader, shownName, type PictureReader } from "./import-pictures.ts";
import {
  createProblemList,
  importLimits,
  type FileProblem,
  type ImportProblem,
  type ProblemList,
} from "./import-problems.ts";
import { openZip } from "#formats/import-zip.ts";
import type { OpenedPicture } from "#chat/pictures/pictures.web.ts";

/** The result of an import beside its conversations. */
export interface ImportEnd {
  /** The votes on models side by side, from backups. */
  readonly votes: readonly Vote[];
  readonly problems: readonly ImportProblem[];
}

export interface Imported extends ImportEnd {
  /** In the order of the files. Those of a backup have the ids that they had. */
  readonly conversations: readonly Conversation[];
}

interface ImportOptions {
  readonly newId: () => string;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Copies the bytes and checks that they can be decoded. */
  readonly openPicture: (file: Blob, name: string) => Promise<OpenedPicture>;
}

/** Everything at once. */
export async function importFiles(files: readonly File[], options: ImportOptions): Promise<Imported> {
  const conversations: Conversation[] = [];
  const reading = importEach(files, options);
  for (let next = await reading.next(); ; next = await reading.next()) {
    if (next.done === true) return { conversations, ...next.value };
    conversations.push(next.value);
  }
}

/** One conversation after the other; pictures given beside a file of data are found by their names. */
export async function* importEach(
  files: readonly File[],
  options: ImportOptions,
): AsyncGenerator<Conversation, ImportEnd> {
  const loose = files.filter((file) => !mayHoldConversations(file));
  const votes: Vote[] = [];
  const problems = createProblemList();
  for (const file of files) {
    if (!mayHoldConversations(file)) continue;
    try {
      const ended = yield* importFile(file, loose, problems, options);
      if (typeof ended === "string") problems.add({ kind: "file", problem: ended, file: file.name });
      else votes.push(...ended);
    } catch (error) {
      // A file that was moved or is locked; anything else is a bug of ours.
      if (!(error instanceof DOMException)) throw error;
      problems.add({ kind: "file", problem: "not-readable", file: file.name });
    }
  }
  return { votes, problems: problems.list() };
}

interface Context {
  readonly file: string;
  readonly options: ImportOptions;
  readonly problems: ProblemList;
  readonly pictures: PictureReader;
}
type Ended = readonly Vote[] | FileProblem;

async function* importFile(
  file: File,
  loose: readonly File[],
  problems: ProblemList,
  options: ImportOptions,
): AsyncGenerator<Conversation, Ended> {
  const isZip = (await file.slice(0, 2).text()) === "PK" || /\.zip$/i.test(file.name);
  const entries = isZip ? await openZip(file) : undefined;
  if (typeof entries === "string") return entries;
  const near = isZip ? file.size : loose.reduce((sum, { size }) => sum + size, 0);
  const pictures = createPictureReader({
    file: file.name,
    problems,
    find: createFinder(loose, entries),
    // The same picture may be in many conversations.
    bytes: Math.max(2 ** 28, near * 4),
    ...options,
  });
  const context: Context = { file: file.name, options, problems, pictures };
  if (entries === undefined) return yield* importText(file, context);
  const backup = entries.get(backupFile);
  const lists = [...entries].filter(([path]) => /\.jsonl?$/i.test(path) && !path.startsWith("__MACOSX/"));
  let ended: Ended = lists.length === 0 ? "empty" : "unknown-format";
  for (const [, entry] of backup === undefined ? lists : [[backupFile, backup] as const]) {
    const json = await entry.read(importLimits.jsonBytes);
    if (typeof json === "string") return json;
    ended = yield* importText(json, context);
    // The others are settings and the like.
    if (typeof ended !== "string" || backup !== undefined) return ended;
  }
  return ended;
}

/** Imports a file of text: a JSON list, JSON lines, or one JSON value. */
async function* importText(text: Blob, context: Context): AsyncGenerator<Conversation, Ended> {
  const { file, options, problems } = context;
  const votes: Vote[] = [];
  let opened = 0;
  let length = 0;
  let items = 0;
  /** Items before the first conversation that are none: a file without any conversation is one problem, not many. */
  const unknown: number[] = [];
  const found = { some: false };
  const know = (): void => {
    found.some = true;
    for (const item of unknown.splice(0)) problems.add({ kind: "item", problem: "not-a-conversation", file, item });
  };
  for await (const { item, sample, json } of readSamples(blobChunks(text))) {
    items++;
    if (sample === "broken") return opened > 0 ? "breaks-off" : "not-json";
    if (opened === importLimits.conversations || length > importLimits.allText || items > importLimits.items) {
      if (!found.some) break;
      problems.add({ kind: "file", problem: "too-many", file });
      return votes;
    }
    if (isBackup(json)) {
      const ended = yield* readBackup(json, { ...context, ...options });
      if (typeof ended === "string") return ended;
      votes.push(...ended);
      know();
    } else if (sample === "too-large") {
      if (item === 1) return "too-large";
      problems.add({ kind: "item", problem: "text-too-long", file, item });
    } else if (sample === "not-a-conversation" && !found.some) {
      unknown.push(item);
    } else {
      know();
      if (typeof sample === "string") {
        problems.add({ kind: "item", problem: sample, file, item });
        continue;
      }
      const words = sample.turns.reduce((sum, turn) => sum + turn.text.length, 0);
      if (words > importLimits.conversationText) {
        problems.add({ kind: "item", problem: "text-too-long", file, item });
        continue;
      }
      const conversation = await toConversation(sample, item, opened, context);
      opened++;
      length += words;
      yield conversation;
    }
  }
  return found.some ? votes : items === 0 && text.size === 0 ? "empty" : "unknown-format";
}

async function toConversation(
  sample: Sample,
  item: number,
  index: number,
  { file, options, problems, pictures }: Context,
): Promise<Conversation> {
  if (sample.system !== "") problems.add({ kind: "loss", problem: "system", file, item, count: 1 });
  for (const [problem, count] of sample.lost) problems.add({ kind: "loss", problem, file, item, count });
  const at = options.now - importLimits.conversations + index;
  const turns: Turn[] = [];
  for (const turn of sample.turns) {
    const id = options.newId();
    if (turn.role === "assistant") {
      turns.push({ role: "assistant", id, text: turn.text, status: "done", reason: "eos", at });
      continue;
    }
    const opened: Picture[] = [];
    for (const [number, ref] of turn.pictures.entries()) {
      const picture = await pictures.read(ref, shownName(ref, number + 1), item);
      if (picture !== undefined) opened.push(picture);
    }
    turns.push({ role: "user", id, text: turn.text, pictures: opened, at });
  }
  // A question at the end of a sample can be answered here.
  if (turns.at(-1)?.role === "user")
    turns.push({ role: "assistant", id: options.newId(), text: "", status: "stopped", at });
  return { id: options.newId(), turns, updatedAt: options.now - index };
}
