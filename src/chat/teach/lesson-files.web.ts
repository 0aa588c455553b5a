// Lessons as files: a zip with pictures and LLaVA's JSON, one sample per picture, which the command line and other trainers read; and back,
// from any file with conversations about pictures. The code that does the work is loaded when it is needed.
import type { Conversation } from "#chat/conversation/conversation.ts";
import { importInWorker } from "#chat/transfer/import-client.web.ts";
import { toLesson, type LessonFromFile } from "./lesson-samples.ts";
import type { KeyedPicture } from "./lesson-place.ts";
import { lessonTitle, questionOf, type Lesson } from "./lesson.ts";

export interface LessonFiles {
  /** Saves the lesson through the browser; `stem` names the file where the lesson has no name. */
  save(lesson: Lesson, pictures: readonly KeyedPicture[], stem: string): Promise<"done" | "too-large" | "failed">;
  /** Reads a lesson; undefined where the files hold none. */
  read(files: readonly File[]): Promise<LessonFromFile | undefined>;
}

interface LessonFilesOptions {
  readonly saveFile: (blob: Blob, name: string) => void;
  readonly hash: (blob: Blob) => Promise<string | undefined>;
  readonly newId: () => string;
  readonly now: () => number;
}

export function createLessonFiles({ saveFile, hash, newId, now }: LessonFilesOptions): LessonFiles {
  return {
    async save(lesson, pictures, stem) {
      try {
        const [{ exportConversations }, { fileStem }] = await Promise.all([
          import("#chat/transfer/export.ts"),
          import("#chat/transfer/export-names.ts"),
        ]);
        const speakers = { user: "", assistant: "" };
        const zip = await exportConversations("llava", toConversations(lesson, pictures), { now: now(), speakers, votes: [] }); // prettier-ignore
        if (zip === "too-large") return zip;
        saveFile(zip.blob, `${fileStem(lessonTitle(lesson)) || stem}.zip`);
        return "done";
      } catch (error) {
        console.warn("The lesson could not be saved:", error);
        return "failed";
      }
    },
    async read(files) {
      const conversations: Conversation[] = [];
      const take = (conversation: Conversation): Promise<void> => {
        conversations.push(conversation);
        return Promise.resolve();
      };
      await importInWorker(files, take, new AbortController().signal);
      const [file] = files;
      const name = (file?.name ?? "").replace(/\.(?:zip|jsonl?)$/i, "").replace(/[-_]+/g, " ");
      return toLesson(conversations, { name, hash, newId, now: now() });
    },
  };
}

/** One conversation per picture, in the order of the cards. */
function toConversations(lesson: Lesson, pictures: readonly KeyedPicture[]): Conversation[] {
  const byId = new Map(pictures.map(({ picture }) => [picture.id, picture]));
  return lesson.cards.flatMap((card) =>
    card.pictures.flatMap(({ id }): Conversation[] => {
      const picture = byId.get(id);
      if (picture === undefined) return [];
      return [
        {
          id,
          turns: [
            { role: "user", id: `${id}-q`, text: questionOf(lesson, card), pictures: [picture] },
            { role: "assistant", id: `${id}-a`, text: card.answer.trim(), status: "done" },
          ],
        },
      ];
    }),
  );
}
