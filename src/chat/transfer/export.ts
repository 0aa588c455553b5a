// Conversations as files to keep: LLaVA's training format, Markdown, or a backup that import.ts restores. Only what was said and
// shown leaves: no settings, no address of a server, no key.
//   llava     zip: llava.json, a list of {id, image?, conversations: [{from: "human" | "gpt", value}]}, and images/
//   markdown  one .md, or a zip of one per conversation with images/ where there are pictures
//   backup    zip: llava-web-backup.json with everything (other answers, figures, votes), and pictures/
//   votes     JSON lines: what was thought of answers ("upvote", "downvote", "flag") and of models side by side ("vote")
import type { Message } from "#engine/types.ts";
import { withoutMarks } from "#samples/read-sample.ts";
import { allPictures, mapTurns } from "#chat/conversation/branches.ts";
import type { Vote } from "#chat/conversation/vote.ts";
import { titleOf, toMessages, type Conversation, type Opinion, type Picture } from "#chat/conversation/conversation.ts";
import { writeZip, type ZipPart } from "./export-zip.ts";
import { toStored } from "#chat/persistence/stored-conversation.ts";

export type ExportFormat = "llava" | "markdown" | "backup" | "votes";

export interface ExportedFile {
  readonly name: string;
  readonly blob: Blob;
}

export const backupFile = "llava-web-backup.json";
export const backupFormat = "llava-web-backup";

/** What a reader of the exported text sees for who speaks. */
export interface Speakers {
  readonly user: string;
  readonly assistant: string;
}

/** One file for all of them, or "too-large" for one zip; `now` in milliseconds since 1970. */
export async function exportConversations(
  format: ExportFormat,
  conversations: readonly Conversation[],
  options: { readonly now: number; readonly speakers: Speakers; readonly votes: readonly Vote[] },
): Promise<ExportedFile | "too-large"> {
  const day = new Date(options.now).toISOString().slice(0, 10);
  const only = conversations.length === 1 ? conversations[0] : undefined;
  const stem = only === undefined ? `llava-web-${day}` : fileStem(titleOf(only)) || `llava-web-${day}`;
  if (format === "votes") {
    const lines = toVoteLines(conversations, options.votes).map((line) => `${JSON.stringify(line)}\n`);
    return { name: `${stem}-votes.jsonl`, blob: new Blob(lines, { type: "application/jsonl" }) };
  }
  const pictures = await nameFiles(conversations);
  if (format === "markdown") {
    // Only what is shown, as in the text: a picture that was replaced is somebody's second thought.
    const shown = new Set(conversations.flatMap(({ turns }) => allPictures({ id: "", turns })).map(({ blob }) => blob));
    for (const blob of pictures.keys()) if (!shown.has(blob)) pictures.delete(blob);
    const texts = toMarkdownFiles(conversations, pictures, options.speakers);
    const single = texts.length === 1 && pictures.size === 0 ? texts[0] : undefined;
    if (single !== undefined)
      return { name: `${stem}.md`, blob: new Blob([single.content], { type: "text/markdown" }) };
    return zipped(`${stem}-markdown.zip`, [...texts, ...pictureParts("images", pictures)]);
  }
  if (format === "llava") {
    const samples = conversations.flatMap((conversation) => toLlavaSample(conversation, pictures) ?? []);
    const json = `${JSON.stringify(samples, null, 2)}\n`;
    // What only a forgotten question or another answer shows is not in the samples.
    const used = new Set(samples.flatMap(({ image }) => (image === undefined ? [] : image)));
    const parts = pictureParts("images", pictures).filter(({ path }) => used.has(path.slice("images/".length)));
    return zipped(`${stem}-llava.zip`, [{ path: "llava.json", content: json }, ...parts]);
  }
  const kept = conversations.map((conversation) =>
    toStored(withoutDetails(conversation), "backup", options.now, ({ blob, id }) => pictures.get(blob) ?? id),
  );
  const json = JSON.stringify({ format: backupFormat, version: 1, conversations: kept, votes: options.votes }, null, 1);
  return zipped(`${stem}-backup.zip`, [{ path: backupFile, content: json }, ...pictureParts("pictures", pictures)]);
}

/** What a server said when it failed is for developers, and where it stands is nobody's business. */
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

async function zipped(name: string, parts: readonly ZipPart[]): Promise<ExportedFile | "too-large"> {
  const blob = await writeZip(parts);
  return blob === "too-large" ? blob : { name, blob };
}

/** One sample of LLaVA's training data; several pictures make `image` a list, as LLaVA-NeXT reads it. */
export interface LlavaSample {
  readonly id: string;
  readonly image?: string | readonly string[];
  readonly conversations: readonly { readonly from: "human" | "gpt"; readonly value: string }[];
}

/** The shown turns that were answered; undefined where none was. */
export function toLlavaSample(conversation: Conversation, fileOf: ReadonlyMap<Blob, string>): LlavaSample | undefined {
  const messages = toMessages(conversation.turns);
  // A question without an answer teaches nothing.
  const answered = messages.at(-1)?.role === "user" ? messages.slice(0, -1) : messages;
  if (answered.length === 0) return undefined;
  const images = answered.flatMap(imagesOf).map((blob) => fileOf.get(blob) ?? "");
  const [first] = images;
  return {
    id: conversation.id,
    ...(first === undefined ? {} : { image: images.length === 1 ? first : images }),
    conversations: answered.map((message) => ({
      from: message.role === "user" ? "human" : "gpt",
      // What somebody typed must not be taken for a picture's place.
      value: "<image>\n".repeat(imagesOf(message).length) + withoutMarks(textOf(message)),
    })),
  };
}

/** A line of what was thought of answers, in the manner of the log of LLaVA's demo; `tstamp` in seconds since 1970. */
export type VoteLine =
  | {
      readonly tstamp: number;
      readonly type: "upvote" | "downvote" | "flag";
      readonly model: string;
      readonly state: LlavaSample["conversations"];
      readonly pictures: number;
    }
  | {
      readonly tstamp: number;
      readonly type: "vote";
      readonly models: readonly string[];
      readonly question: string;
      readonly pictures: number;
      readonly answers: readonly string[];
      readonly verdict: Vote["verdict"];
    };

const opinionTypes: Readonly<Record<Opinion, "upvote" | "downvote" | "flag">> = {
  up: "upvote",
  down: "downvote",
  flag: "flag",
};

/** Judged answers with what was said before them, then the votes side by side. */
export function toVoteLines(conversations: readonly Conversation[], votes: readonly Vote[]): VoteLine[] {
  const judged = conversations.flatMap(({ turns }) =>
    turns.flatMap((turn, index): VoteLine[] => {
      if (turn.role !== "assistant") return [];
      const said: Opinion[] = [
        ...(turn.opinion === undefined ? [] : [turn.opinion]),
        ...(turn.flagged ? ["flag" as const] : []),
      ];
      if (said.length === 0) return [];
      const messages = toMessages(turns.slice(0, index + 1));
      const state = messages.map((message) => ({
        from: message.role === "user" ? ("human" as const) : ("gpt" as const),
        value: textOf(message),
      }));
      const pictures = messages.reduce((sum, message) => sum + imagesOf(message).length, 0);
      const model = turn.model?.name ?? "unknown";
      const tstamp = (turn.at ?? 0) / 1000;
      return said.map((opinion) => ({ tstamp, type: opinionTypes[opinion], model, state, pictures }));
    }),
  );
  const compared = votes.map(({ at, question, pictures, answers, verdict }): VoteLine => ({
    tstamp: at / 1000,
    type: "vote",
    models: answers.map(({ model }) => model),
    question,
    pictures,
    answers: answers.map(({ text }) => text),
    verdict,
  }));
  return [...judged, ...compared];
}

const textOf = (message: Message): string =>
  message.parts.map((part) => (part.type === "text" ? part.text : "")).join("");
const imagesOf = (message: Message): Blob[] =>
  message.parts.flatMap((part) => (part.type === "image" ? part.blob : []));

function toMarkdownFiles(
  conversations: readonly Conversation[],
  fileOf: ReadonlyMap<Blob, string>,
  speakers: Speakers,
): { readonly path: string; readonly content: string }[] {
  const taken = new Set<string>();
  return conversations.map((conversation) => {
    const stem = fileStem(titleOf(conversation)) || "conversation";
    let path = `${stem}.md`;
    for (let n = 2; taken.has(path.toLowerCase()); n++) path = `${stem}-${n}.md`;
    taken.add(path.toLowerCase());
    return { path, content: toMarkdown(conversation, fileOf, speakers) };
  });
}

/** The shown turns, pictures as links into images/. */
export function toMarkdown(conversation: Conversation, fileOf: ReadonlyMap<Blob, string>, speakers: Speakers): string {
  const blocks = [`# ${escapeLine(titleOf(conversation)) || "…"}`];
  for (const turn of conversation.turns) {
    if (turn.role === "user") {
      blocks.push(`## ${speakers.user}`);
      for (const picture of turn.pictures)
        blocks.push(`![${escapeLine(picture.name)}](images/${encodeURI(fileOf.get(picture.blob) ?? "")})`);
      if (turn.text !== "") blocks.push(turn.text);
    } else {
      blocks.push(`## ${speakers.assistant}`);
      if (turn.text !== "") blocks.push(turn.text);
    }
  }
  return `${blocks.join("\n\n")}\n`;
}

const escapeLine = (text: string): string => text.replace(/\s+/g, " ").replace(/[\\`*_[\]<>#!|]/g, "\\$&");

/** A name every file system takes; "" where nothing of the title can be in one. */
function fileStem(title: string): string {
  const words = title.normalize("NFC").replace(/[^\p{L}\p{N}]+/gu, "-");
  return words
    .replace(/^-+|-+$/g, "")
    .slice(0, 60)
    .replace(/-+$/, "")
    .toLowerCase();
}

const extensions: Readonly<Record<string, string>> = {
  "image/jpeg": "jpg",
  "image/svg+xml": "svg",
  "image/x-icon": "ico",
};

/** A file name per picture, the same for the same bytes. */
async function nameFiles(conversations: readonly Conversation[]): Promise<Map<Blob, string>> {
  const names = new Map<Blob, string>();
  for (const picture of conversations.flatMap(allPictures)) {
    if (names.has(picture.blob)) continue;
    const extension = extensions[picture.blob.type] ?? /^image\/([a-z]+)$/.exec(picture.blob.type)?.[1] ?? "png";
    names.set(picture.blob, `${await contentName(picture)}.${extension}`);
  }
  return names;
}

/** On plain HTTP from another machine there is no hashing: then the picture's id names it. */
async function contentName({ id, blob }: Picture): Promise<string> {
  const subtle: SubtleCrypto | undefined = "subtle" in crypto ? crypto.subtle : undefined;
  if (subtle === undefined) return id;
  const digest = new Uint8Array(await subtle.digest("SHA-256", await blob.arrayBuffer()));
  return Array.from(digest.subarray(0, 16), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function pictureParts(folder: string, fileOf: ReadonlyMap<Blob, string>): ZipPart[] {
  const byName = new Map([...fileOf].map(([blob, name]) => [name, blob]));
  return [...byName].map(([name, blob]) => ({ path: `${folder}/${name}`, content: blob }));
}
