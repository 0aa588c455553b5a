// Conversations as files: LLaVA's training format, Markdown, votes, or a backup that import.ts restores. Only what was said and shown
// leaves: no settings, no address of a server, no key.
//   llava     zip: llava.json, a list of {id, image?, conversations: [{from: "human" | "gpt", value}]}, and images/
//   markdown  one .md, or a zip of one per conversation with images/ where there are pictures
//   backup    zip: llava-web-backup.json with everything (other answers, figures, votes), and pictures/
//   votes     JSON lines: what was thought of answers ("upvote", "downvote", "flag") and of models side by side ("vote")
import { allPictures } from "#chat/conversation/branches.ts";
import { titleOf, type Conversation } from "#chat/conversation/conversation.ts";
import type { Vote } from "#chat/conversation/vote.ts";
import { backupFile, toBackup } from "./export-backup.ts";
import { toLlavaSample } from "./export-llava.ts";
import { toMarkdownFiles, type Speakers } from "./export-markdown.ts";
import { fileStem, nameFiles, pictureParts } from "./export-names.ts";
import { toVoteLines } from "./export-votes.ts";
import { writeZip, type ZipPart } from "./export-zip.ts";

export type ExportFormat = "llava" | "markdown" | "backup" | "votes";

interface ExportedFile {
  readonly name: string;
  readonly blob: Blob;
}

interface ExportOptions {
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly speakers: Speakers;
  readonly votes: readonly Vote[];
}

/** One file for all of them, or "too-large" for one zip. */
export async function exportConversations(
  format: ExportFormat,
  conversations: readonly Conversation[],
  { now, speakers, votes }: ExportOptions,
): Promise<ExportedFile | "too-large"> {
  const stem = stemFor(conversations, now);
  if (format === "votes") return exportVotes(`${stem}-votes.jsonl`, conversations, votes);
  const pictures = await nameFiles(conversations);
  switch (format) {
    case "markdown":
      return exportMarkdown(stem, conversations, pictures, speakers);
    case "llava":
      return zipped(`${stem}-llava.zip`, llavaParts(conversations, pictures));
    case "backup":
      return zipped(`${stem}-backup.zip`, [
        { path: backupFile, content: toBackup(conversations, pictures, votes, now) },
        ...pictureParts("pictures", pictures),
      ]);
  }
}

/** The title of the only conversation, or the day. */
function stemFor(conversations: readonly Conversation[], now: number): string {
  const day = new Date(now).toISOString().slice(0, 10);
  const [only] = conversations.length === 1 ? conversations : [];
  return (only === undefined ? "" : fileStem(titleOf(only))) || `llava-web-${day}`;
}

function exportVotes(name: string, conversations: readonly Conversation[], votes: readonly Vote[]): ExportedFile {
  const lines = toVoteLines(conversations, votes).map((line) => `${JSON.stringify(line)}\n`);
  return { name, blob: new Blob(lines, { type: "application/jsonl" }) };
}

async function exportMarkdown(
  stem: string,
  conversations: readonly Conversation[],
  pictures: ReadonlyMap<Blob, string>,
  speakers: Speakers,
): Promise<ExportedFile | "too-large"> {
  // Only the pictures of the shown turns go along, as in the text.
  const shown = new Set(conversations.flatMap(({ turns }) => allPictures({ id: "", turns })).map(({ blob }) => blob));
  const used = new Map([...pictures].filter(([blob]) => shown.has(blob)));
  const texts = toMarkdownFiles(conversations, used, speakers);
  const [only] = texts.length === 1 && used.size === 0 ? texts : [];
  if (only !== undefined) return { name: `${stem}.md`, blob: new Blob([only.content], { type: "text/markdown" }) };
  return zipped(`${stem}-markdown.zip`, [...texts, ...pictureParts("images", used)]);
}

function llavaParts(conversations: readonly Conversation[], pictures: ReadonlyMap<Blob, string>): ZipPart[] {
  const samples = conversations.flatMap((conversation) => toLlavaSample(conversation, pictures) ?? []);
  // Pictures that only an unanswered question or another answer shows are not in the samples.
  const used = new Set(samples.flatMap(({ image }) => (image === undefined ? [] : image)));
  return [
    { path: "llava.json", content: `${JSON.stringify(samples, null, 2)}\n` },
    ...pictureParts("images", pictures).filter(({ path }) => used.has(path.slice("images/".length))),
  ];
}

async function zipped(name: string, parts: readonly ZipPart[]): Promise<ExportedFile | "too-large"> {
  const blob = await writeZip(parts);
  return blob === "too-large" ? blob : { name, blob };
}
