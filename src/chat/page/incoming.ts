// What is given to the page from outside: shared with the app, or opened with it. It is shown with the question and never sent by itself.
import { createCell, type Observable } from "#chat/observable.ts";

export interface Incoming {
  readonly text: string;
  readonly files: readonly File[];
}

interface IncomingSources {
  /** What was shared before this page was opened. */
  readonly takeShared: () => Promise<Incoming>;
  /** Calls back whenever the system opens files with the installed app. */
  readonly onOpenedFiles: (take: (files: readonly File[]) => void) => void;
}

interface IncomingCell extends Observable<Incoming | undefined> {
  /** Takes what was shared, and listens for opened files from now on. */
  receive(): void;
}

/** Nothing has been given yet. */
export function createIncoming({ takeShared, onOpenedFiles }: IncomingSources): IncomingCell {
  const cell = createCell<Incoming | undefined>(undefined);
  return {
    get: () => cell.get(),
    subscribe: (listener) => cell.subscribe(listener),
    receive() {
      takeShared().then(
        (shared) => {
          if (shared.text !== "" || shared.files.length > 0) cell.set(shared);
        },
        (error: unknown) => console.warn("What was shared could not be read:", error),
      );
      onOpenedFiles((files) => cell.set({ text: "", files }));
    },
  };
}
