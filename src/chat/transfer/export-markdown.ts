// Conversations as Markdown. Pure.
import { titleOf, type Conversation } from "#chat/conversation/conversation.ts";
import { fileStem } from "./export-names.ts";

/** What a reader of the exported text sees for who speaks. */
export interface Speakers {
  readonly user: string;
  readonly assistant: string;
}

/** One file per conversation, each under a name of its own. */
export function toMarkdownFiles(
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
