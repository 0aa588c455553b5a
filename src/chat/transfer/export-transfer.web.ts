// Export and import as the page uses them: stored conversations become a file that the browser saves, and files become stored
// conversations. The code that does the work is loaded when it is needed.
import type { Vote } from "#chat/conversation/vote.ts";
import type { ExportFormat } from "./export.ts";
import type { Speakers } from "./export-markdown.ts";
import type { Conversation } from "#chat/conversation/conversation.ts";
import type { ImportEnd } from "./import.ts";
import { importInWorker } from "./import-client.web.ts";
import type { ImportProblem } from "./import-problems.ts";
import type { ChatPersistence } from "#chat/persistence/persistence.ts";

export type ExportScope = "this" | "all";
export type ExportOutcome = "done" | "nothing" | "too-large" | "failed";

export interface ImportOutcome {
  /** How many conversations were opened and stored. */
  readonly opened: number;
  /** Whether the user ended it before the end of the files. */
  readonly stopped: boolean;
  /** Pictures that the browser's storage had no room for. */
  readonly unsavedPictures: number;
  readonly problems: readonly ImportProblem[];
  /** False when the browser could not store them. */
  readonly kept: boolean;
}

interface ImportCourse {
  /** Ends the import; what has been opened before stays. */
  readonly signal: AbortSignal;
  readonly onOpened: (count: number) => void;
}

export interface Transfer {
  /** Saves a file through the browser. */
  exportAs(format: ExportFormat, scope: ExportScope, speakers: Speakers): Promise<ExportOutcome>;
  /** Stores the conversations of the files and shows the first one. */
  importFrom(files: readonly File[], options: ImportCourse): Promise<ImportOutcome>;
}

/** The conversation that is shown, as export and import use it. */
interface ShownConversation {
  get(): { readonly conversation: Conversation };
  open(id: string): Promise<void>;
  /** Reads these conversations anew, because the import has changed what is stored. */
  refresh(ids: readonly string[]): Promise<void>;
}

/** The transfer of this page's conversations. */
export function createTransfer(
  chat: ShownConversation,
  persistence: Pick<ChatPersistence, "list" | "open" | "merge">,
  votes: { readonly read: () => readonly Vote[]; readonly merge: (votes: readonly Vote[]) => void },
  saveFile: (blob: Blob, name: string) => void,
): Transfer {
  return {
    async exportAs(format, scope, speakers) {
      try {
        const { exportConversations } = await import("./export.ts");
        const { conversation } = chat.get();
        const all = scope === "this" ? [conversation] : await collectStored(persistence, conversation);
        const spoken = all.filter(({ turns }) => turns.length > 0);
        const judged = spoken.some(({ turns }) =>
          turns.some((turn) => turn.role === "assistant" && (turn.opinion ?? turn.flagged)),
        );
        // Votes side by side belong to no conversation.
        const exportedVotes = scope === "all" ? votes.read() : [];
        if (format === "votes" ? !judged && exportedVotes.length === 0 : spoken.length === 0) return "nothing";
        const file = await exportConversations(format, spoken, { now: Date.now(), speakers, votes: exportedVotes });
        if (file === "too-large") return file;
        saveFile(file.blob, file.name);
        return "done";
      } catch (error) {
        console.warn("The conversations could not be exported:", error);
        return "failed";
      }
    },
    async importFrom(files, { signal, onOpened }) {
      const ids: string[] = [];
      const failures: unknown[] = [];
      let unsavedPictures = 0;
      let end: ImportEnd = { votes: [], problems: [] };
      /** A conversation with an id that is here is joined with that one: nothing is overwritten. */
      const keep = async (conversation: Conversation): Promise<void> => {
        try {
          unsavedPictures += (await persistence.merge(conversation)).unsavedPictures;
        } catch (error) {
          console.warn("An imported conversation could not be kept:", error);
          failures.push(error);
          throw error;
        }
        ids.push(conversation.id);
        onOpened(ids.length);
      };
      try {
        end = await importInWorker(files, keep, signal);
      } catch (error) {
        // What has been opened before is stored and counted.
        if (failures.length === 0 && !signal.aborted) throw error;
      }
      votes.merge(end.votes);
      await chat.refresh(ids);
      if (ids[0] !== undefined) await chat.open(ids[0]);
      return {
        opened: ids.length,
        stopped: signal.aborted,
        problems: end.problems,
        kept: failures.length === 0,
        unsavedPictures,
      };
    },
  };
}

/** All stored conversations, newest first, with the shown one as it is now. */
async function collectStored(
  persistence: Pick<ChatPersistence, "open" | "list">,
  shown: Conversation,
): Promise<Conversation[]> {
  const all: Conversation[] = [];
  for (const { id } of await persistence.list()) {
    const conversation = id === shown.id ? shown : await persistence.open(id);
    if (conversation !== undefined && conversation.turns.length > 0) all.push(conversation);
  }
  const isListed = all.some(({ id }) => id === shown.id);
  return isListed || shown.turns.length === 0 ? all : [shown, ...all];
}
