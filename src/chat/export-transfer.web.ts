// Export and import as the page uses them: what is kept becomes a file that the browser saves, files become conversations that are
// kept. The parts that do the work are fetched when they are needed.
import type { Vote } from "./compare-votes.ts";
import type { ExportFormat, Speakers } from "./export.ts";
import type { ImportProblem } from "./import-problems.ts";
import { newId } from "./new-id.ts";
import type { ChatPersistence } from "./persistence.ts";
import { openPicture } from "./pictures.web.ts";
import type { ChatStore } from "./store.ts";

export type ExportScope = "this" | "all";
export type ExportOutcome = "done" | "nothing" | "too-large" | "failed";

export interface ImportOutcome {
  /** How many conversations were opened and kept. */
  readonly opened: number;
  readonly problems: readonly ImportProblem[];
  /** False when the browser could not keep them. */
  readonly kept: boolean;
}

export interface Transfer {
  /** Saves a file through the browser. */
  exportAs(format: ExportFormat, scope: ExportScope, speakers: Speakers): Promise<ExportOutcome>;
  /** Keeps what the files hold and shows the first conversation of it. */
  importFrom(files: readonly File[]): Promise<ImportOutcome>;
}

/** The transfer of this page's conversations. */
export function createTransfer(
  chat: Pick<ChatStore, "get" | "open" | "refresh">,
  persistence: Pick<ChatPersistence, "list" | "open" | "save">,
  votes: { readonly read: () => readonly Vote[]; readonly merge: (votes: readonly Vote[]) => void },
): Transfer {
  return {
    async exportAs(format, scope, speakers) {
      try {
        const { exportConversations } = await import("./export.ts");
        const { collectKept } = await import("./import-keep.ts");
        const { conversation } = chat.get();
        const all = scope === "this" ? [conversation] : await collectKept(persistence, conversation);
        const spoken = all.filter(({ turns }) => turns.length > 0);
        const judged = spoken.some(({ turns }) => turns.some((turn) => turn.role === "assistant" && turn.opinion));
        // Votes side by side belong to no conversation.
        const kept = scope === "all" ? votes.read() : [];
        if (format === "votes" ? !judged && kept.length === 0 : spoken.length === 0) return "nothing";
        const file = await exportConversations(format, spoken, { now: Date.now(), speakers, votes: kept });
        if (file === "too-large") return file;
        saveFile(file.blob, file.name);
        return "done";
      } catch (error) {
        console.warn("The conversations could not be exported:", error);
        return "failed";
      }
    },
    async importFrom(files) {
      const { importFiles } = await import("./import.ts");
      const { keepImported } = await import("./import-keep.ts");
      const imported = await importFiles(files, { newId, now: Date.now(), openPicture });
      const { conversations, problems } = imported;
      votes.merge(imported.votes);
      const ids = conversations.map(({ id }) => id);
      let kept = true;
      try {
        await keepImported(persistence, conversations);
      } catch (error) {
        console.warn("The imported conversations could not be kept:", error);
        kept = false;
      }
      await chat.refresh(ids);
      if (kept && ids[0] !== undefined) await chat.open(ids[0]);
      return { opened: conversations.length, problems, kept };
    },
  };
}

function saveFile(blob: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  // The browser reads it when it gets to it.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
