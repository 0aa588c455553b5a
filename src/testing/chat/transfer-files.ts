// Conversations with pictures, exported and opened again as the page does it. Knows no test runner.
import { strToU8, unzipSync, zipSync } from "fflate";
import * as v from "valibot";
import type { AssistantTurn, Conversation, UserTurn } from "#chat/conversation/conversation.ts";
import type { Vote } from "#chat/conversation/vote.ts";
import { newId } from "#chat/new-id.ts";
import { pictureKind } from "#formats/picture-file.ts";
import { exportConversations, type ExportFormat } from "#chat/transfer/export.ts";
import { importFiles, type Imported } from "#chat/transfer/import.ts";

export const png = new Uint8Array([137, 80, 78, 71, 13, 10, 26, 10, ...Array.from({ length: 60 }, (_, byte) => byte)]);
export const jpeg = new Uint8Array([255, 216, 255, 224, ...Array.from({ length: 60 }, (_, byte) => byte)]);
export const red = new Blob([png], { type: "image/png" });
export const photo = new Blob([jpeg], { type: "image/jpeg" });
export const question = (id: string, text: string, ...blobs: Blob[]): UserTurn => ({
  role: "user",
  id,
  text,
  pictures: blobs.map((blob, index) => ({ id: `${id}-p${index}`, name: `${id} ${index}.png`, blob })),
  at: 5,
});
export const answer = (id: string, text: string, more: Partial<AssistantTurn> = {}): AssistantTurn => ({
  role: "assistant",
  id,
  text,
  status: "done",
  at: 6,
  ...more,
});
export const talk: Conversation = {
  id: "talk",
  updatedAt: 1000,
  turns: [
    question("q1", "What is this?", red),
    answer("a1", "A red square."),
    question("q2", "And this? I typed <image> myself.", photo, red),
    answer("a2", "A photograph, and the square again."),
  ],
  branches: [{ after: "q1", turns: [answer("a1b", "Red.")] }],
};
const now = Date.UTC(2026, 10, 23);
export const speakers = { user: "You", assistant: "Answer" };
export const votes: readonly Vote[] = [
  {
    at: 7000,
    question: "Which?",
    pictures: 1,
    answers: [
      { model: "A", text: "a" },
      { model: "B", text: "b" },
    ],
    verdict: 1,
  },
];

export async function exported(format: ExportFormat, ...conversations: Conversation[]): Promise<File> {
  const file = await exportConversations(format, conversations, { now, speakers, votes });
  if (file === "too-large") throw new Error("too large");
  return new File([file.blob], file.name);
}
export async function unzipped(file: File): Promise<Record<string, Uint8Array>> {
  return unzipSync(new Uint8Array(await file.arrayBuffer()));
}
/** As the page does it, but believes the first bytes. */
export const open = async (files: readonly File[]): Promise<Imported> =>
  importFiles(files, {
    newId,
    now,
    openPicture: async (blob, name) => {
      const bytes = new Uint8Array(await blob.arrayBuffer());
      return bytes.length > 200
        ? { ok: false, name, problem: "broken" }
        : {
            ok: true,
            picture: { id: newId(), name, blob: new Blob([bytes], { type: `image/${pictureKind(bytes)}` }) },
          };
    },
  });
export const json = (value: unknown, name = "data.json"): File => new File([JSON.stringify(value)], name);
export const zip = (files: Record<string, string | Uint8Array>): File => {
  const bytes = Object.entries(files).map(([path, content]) => [
    path,
    typeof content === "string" ? strToU8(content) : content,
  ]);
  return new File(
    [new Uint8Array(zipSync(v.parse(v.record(v.string(), v.instance(Uint8Array)), Object.fromEntries(bytes))))],
    "x.zip",
  );
};
export const sample = (more: object = {}): object => ({
  id: "1",
  conversations: [
    { from: "human", value: "What?" },
    { from: "gpt", value: "That." },
  ],
  ...more,
});
