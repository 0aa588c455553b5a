// Opens files with conversations that anybody may have made: a backup of this app, or LLaVA's training data as JSON, JSON lines or
// a zip with its pictures. Nothing is fetched, nothing is trusted; every wrong thing is told, and what is right is opened.
import * as v from "valibot";
import { parseVotes, type Vote } from "./compare-votes.ts";
import { mapTurns } from "./conversation-branches.ts";
import type { Conversation, Picture, Turn } from "./conversation.ts";
import { backupFile, backupFormat } from "./export.ts";
import { mayHoldConversations } from "./import-kind.ts";
import { isLlavaList, readLlavaSample, type NamedTurn } from "./import-llava.ts";
import { importLimits, type FileProblem, type ImportProblem, type ItemProblem } from "./import-problems.ts";
import { openZip, type ZipEntry } from "./import-zip.ts";
import { fromStored, parseStored, pictureKeys, type StoredConversation } from "./persistence.ts";
import type { OpenedPicture } from "./pictures.web.ts";
import { sniffBytes, sniffFormat } from "./sniff.ts";

export interface Imported {
  /** In the order of the files. A backup's have the ids they had. */
  readonly conversations: readonly Conversation[];
  /** Of models side by side; a backup's. */
  readonly votes: readonly Vote[];
  readonly problems: readonly ImportProblem[];
}

export interface ImportOptions {
  readonly newId: () => string;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Copies the bytes and sees whether they decode. */
  readonly openPicture: (file: Blob, name: string) => Promise<OpenedPicture>;
}

/** What the files hold; pictures given beside a JSON file are found by their names. */
export async function importFiles(files: readonly File[], options: ImportOptions): Promise<Imported> {
  const loose = new Map<string, PictureSource>();
  for (const file of files) if (!mayHoldConversations(file)) loose.set(baseName(file.name), sourceOf(file));
  const conversations: Conversation[] = [];
  const votes: Vote[] = [];
  const problems: ImportProblem[] = [];
  for (const file of files) {
    if (!mayHoldConversations(file)) continue;
    try {
      const one = await importFile(file, loose, options);
      conversations.push(...one.conversations);
      votes.push(...one.votes);
      problems.push(...one.problems);
    } catch (error) {
      // A file that was moved or is locked; anything else is a mistake of ours.
      if (!(error instanceof DOMException)) throw error;
      problems.push({ kind: "file", problem: "not-readable", file: file.name });
    }
  }
  return { conversations, votes, problems };
}

/** Where a picture's bytes come from. */
interface PictureSource {
  readonly bytes: number;
  read(): Promise<Blob | "too-large" | "zip-damaged">;
}
const sourceOf = (file: Blob): PictureSource => ({ bytes: file.size, read: () => Promise.resolve(file) });
const baseName = (path: string): string => path.split(/[\\/]/).at(-1) ?? path;

interface Context {
  readonly file: string;
  readonly options: ImportOptions;
  readonly problems: ImportProblem[];
  /** By the name the data uses. */
  readonly find: (name: string) => PictureSource | undefined;
  /** Bytes of pictures that may still be read: files that point at the same bytes again and again end here. */
  picturesLeft: number;
}

async function importFile(
  file: File,
  loose: ReadonlyMap<string, PictureSource>,
  options: ImportOptions,
): Promise<Imported> {
  const problems: ImportProblem[] = [];
  const fail = (problem: FileProblem): Imported => ({
    conversations: [],
    votes: [],
    problems: [...problems, { kind: "file", problem, file: file.name }],
  });
  const isZip = (await file.slice(0, 2).text()) === "PK" || /\.zip$/i.test(file.name);
  if (!isZip) {
    if (file.size > importLimits.jsonBytes) return fail("too-large");
    const all = [...loose.values()].reduce((sum, { bytes }) => sum + bytes, 0);
    const find = (name: string): PictureSource | undefined => loose.get(baseName(name));
    // The same picture may stand in many conversations.
    const context = { file: file.name, options, problems, find, picturesLeft: Math.max(2 ** 28, all * 4) };
    const value = parseJson(await file.text());
    if (value === undefined) return fail("not-json");
    if (!isLlavaList(value)) return fail("unknown-format");
    return importLlava(value, context);
  }
  const entries = await openZip(file);
  if (typeof entries === "string") return fail(entries);
  const context: Context = {
    file: file.name,
    options,
    problems,
    find: inZip(entries, loose),
    picturesLeft: Math.max(2 ** 28, file.size * 4),
  };
  const backup = entries.get(backupFile);
  const lists = [...entries].filter(([path]) => /\.jsonl?$/i.test(path) && !path.startsWith("__MACOSX/"));
  for (const [path, entry] of backup === undefined ? lists : [[backupFile, backup] as const]) {
    const json = await entry.read(importLimits.jsonBytes);
    if (typeof json === "string") return fail(json);
    const value = parseJson(await json.text());
    if (path === backupFile) return value === undefined ? fail("not-json") : importBackup(value, context);
    if (isLlavaList(value)) return importLlava(value, context);
  }
  return fail(lists.length === 0 ? "empty" : "unknown-format");
}

/** JSON, or JSON lines; undefined when it is neither. */
function parseJson(text: string): unknown {
  const plain = text.replace(/^\uFEFF/, "");
  try {
    return JSON.parse(plain);
  } catch {
    // Not one value: perhaps one per line.
  }
  const lines = plain.split("\n").filter((line) => line.trim() !== "");
  if (lines.length < 2) return undefined;
  try {
    return lines.map((line): unknown => JSON.parse(line));
  } catch {
    return undefined;
  }
}

/** A name in LLaVA's data is relative to a folder of pictures, which has some name or none in the zip. */
function inZip(
  entries: ReadonlyMap<string, ZipEntry>,
  loose: ReadonlyMap<string, PictureSource>,
): (name: string) => PictureSource | undefined {
  const byTail = new Map<string, ZipEntry>();
  for (const [path, entry] of entries) {
    for (let tail: string | undefined = path; tail !== undefined; tail = /\/(.*)$/s.exec(tail)?.[1]) {
      if (!byTail.has(tail)) byTail.set(tail, entry);
    }
  }
  return (name) => {
    const path = name.replaceAll("\\", "/").replace(/^(?:\.{0,2}\/)+/, "");
    const entry = byTail.get(path);
    if (entry === undefined) return loose.get(baseName(path));
    return { bytes: entry.bytes, read: () => entry.read(importLimits.pictureBytes) };
  };
}

async function importLlava(list: readonly unknown[], context: Context): Promise<Imported> {
  const { file, options, problems } = context;
  if (list.length > importLimits.conversations) problems.push({ kind: "file", problem: "too-many", file });
  const conversations: Conversation[] = [];
  for (const [index, value] of list.slice(0, importLimits.conversations).entries()) {
    const item = index + 1;
    const sample = readLlavaSample(value);
    if (typeof sample === "string") {
      problems.push({ kind: "item", problem: sample, file, item });
      continue;
    }
    const at = options.now - list.length + index;
    const turns: Turn[] = [];
    for (const turn of sample.turns) turns.push(await toTurn(turn, item, at, context));
    const last = turns.at(-1);
    // A question that ends a sample can be answered here.
    if (last?.role === "user") turns.push({ role: "assistant", id: options.newId(), text: "", status: "stopped", at });
    conversations.push({ id: options.newId(), turns, updatedAt: options.now - index });
  }
  return { conversations, votes: [], problems };
}

async function toTurn(turn: NamedTurn, item: number, at: number, context: Context): Promise<Turn> {
  const id = context.options.newId();
  if (turn.role === "assistant") return { role: "assistant", id, text: turn.text, status: "done", reason: "eos", at };
  const pictures: Picture[] = [];
  for (const name of turn.pictureNames) {
    const picture = await readPicture(name, baseName(name), item, context);
    if (picture !== undefined) pictures.push(picture);
  }
  return { role: "user", id, text: turn.text, pictures, at };
}

/** The picture with this name in the data, opened; what is wrong with it is noted. */
async function readPicture(name: string, shown: string, item: number, context: Context): Promise<Picture | undefined> {
  const { problems, options } = context;
  const short = shown.slice(0, 200);
  const trouble = (problem: Extract<ImportProblem, { kind: "picture" }>["problem"]): undefined =>
    void problems.push({ kind: "picture", problem, picture: short, item });
  if (/^[a-z][a-z0-9+.-]+:/i.test(name)) return trouble("elsewhere");
  const source = context.find(name);
  if (source === undefined) return trouble("missing");
  if (source.bytes > importLimits.pictureBytes) return trouble("too-large");
  if (source.bytes > context.picturesLeft) {
    const told = problems.some((known) => known.kind === "file" && known.problem === "pictures-too-large");
    if (!told) problems.push({ kind: "file", problem: "pictures-too-large", file: context.file });
    return undefined;
  }
  context.picturesLeft -= source.bytes;
  const blob = await source.read();
  if (blob === "too-large") return trouble("too-large");
  if (blob === "zip-damaged") return trouble("broken");
  const head = new Uint8Array(await blob.slice(0, sniffBytes).arrayBuffer());
  // Formats with text in them, such as SVG, are documents that can do things; they never were pictures of a chat.
  if (sniffFormat(head) === "unknown") return trouble("broken");
  const opened = await options.openPicture(blob, short);
  return opened.ok ? { ...opened.picture, id: options.newId() } : trouble("broken");
}

const Backup = v.looseObject({
  format: v.literal(backupFormat),
  version: v.number(),
  conversations: v.array(v.unknown()),
  votes: v.optional(v.unknown()),
});
const Versioned = v.looseObject({ version: v.number() });

async function importBackup(value: unknown, context: Context): Promise<Imported> {
  const { file, problems } = context;
  const fail = (problem: FileProblem): Imported => ({
    conversations: [],
    votes: [],
    problems: [...problems, { kind: "file", problem, file }],
  });
  const backup = v.safeParse(Backup, value);
  if (!backup.success) return fail("unknown-format");
  if (backup.output.version > 1) return fail("newer-version");
  const conversations: Conversation[] = [];
  const list = backup.output.conversations;
  if (list.length > importLimits.conversations) problems.push({ kind: "file", problem: "too-many", file });
  for (const [index, entry] of list.slice(0, importLimits.conversations).entries()) {
    const item = index + 1;
    const kept = parseStored(entry);
    if (kept === undefined) {
      const newer = v.is(Versioned, entry) && entry.version > 2;
      if (newer) return fail("newer-version");
      problems.push({ kind: "item", problem: "not-a-conversation", file, item });
      continue;
    }
    const problem = checkTree(kept);
    if (problem === undefined) conversations.push(await restore(kept, item, context));
    else problems.push({ kind: "item", problem, file, item });
  }
  return { conversations, votes: parseVotes(backup.output.votes), problems };
}

async function restore(kept: StoredConversation, item: number, context: Context): Promise<Conversation> {
  const { options } = context;
  const names = new Map<string, string>();
  for (const turn of [kept.turns, ...kept.branches.map(({ turns }) => turns)].flat()) {
    if (turn.role === "user") for (const { key, name } of turn.pictures) names.set(key, name);
  }
  const blobs = new Map<string, Blob>();
  for (const key of pictureKeys(kept)) {
    const picture = await readPicture(`pictures/${key}`, names.get(key) ?? key, item, context);
    if (picture !== undefined) blobs.set(key, picture.blob);
  }
  const latest = (time: number | undefined): number => (Number.isFinite(time) ? Math.min(time ?? 0, options.now) : 0);
  const conversation = fromStored(kept, blobs);
  const safe = mapTurns(conversation, (turn): Turn => {
    const at = latest(turn.at);
    if (turn.role === "user") {
      const pictures = turn.pictures.map((picture) => ({
        ...picture,
        id: options.newId(),
        name: picture.name.slice(0, 200),
      }));
      return { ...turn, at, pictures };
    }
    // Opening a file must not start anything.
    const waits = turn.status === "queued" || turn.status === "running";
    return { ...turn, at, ...(waits ? { status: "stopped" } : {}) };
  });
  const { title } = safe;
  return { ...safe, updatedAt: latest(safe.updatedAt), ...(title === undefined ? {} : { title: title.slice(0, 200) }) };
}

/** What the rest of the app relies on: ids of its own for every turn, speakers in turns, branches that hang on something. */
function checkTree(kept: StoredConversation): ItemProblem | undefined {
  const paths = [{ after: "", turns: kept.turns }, ...kept.branches];
  const turns = paths.flatMap((path) => path.turns);
  if (kept.turns.length === 0 || kept.id === "") return "no-turns";
  if (turns.length > importLimits.turns) return "too-many-turns";
  const roleOf = new Map(turns.map((turn) => [turn.id, turn.role]));
  if (roleOf.size !== turns.length || roleOf.has("")) return "broken-links";
  for (const { id, text } of turns) {
    if (text.length > importLimits.textLength || id.length > 100) return "text-too-long";
  }
  if (kept.id.length > 100) return "text-too-long";
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
  return undefined;
}
