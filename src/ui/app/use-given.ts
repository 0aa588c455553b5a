// What is given to the page from outside: pictures for the question, conversations to import, packages of models, words. Decides which is
// which, and where it goes.
import type { Signal } from "@preact/signals";
import { mayHoldConversations } from "#chat/transfer/import-kind.ts";
import { isPackageFolder, isPackageZip, mayBePackage } from "#chat/models/package-file.ts";
import { nameOfAddress } from "#chat/pictures/picture-address.ts";
import type { AppProps } from "#ui/parts/app-props.ts";
import type { DialogName } from "./Dialogs.tsx";
import type { Draft } from "#ui/composer/use-draft.ts";
import { usePageEvents } from "./use-page-events.ts";

interface GivenOptions {
  readonly draft: Draft;
  readonly fetchPicture: AppProps["fetchPicture"];
  readonly dialog: Signal<DialogName>;
  /** Files that may hold conversations. */
  readonly importing: Signal<readonly File[]>;
  readonly droppedPackage: Signal<Blob | ReadonlyMap<string, Blob> | undefined>;
  readonly onEscape: () => void;
}

export interface TakesGiven {
  /** Something that the page takes is dragged over it. */
  readonly dragging: boolean;
  /** Adds the picture at an address to the question. */
  readonly takeAddress: (address: string) => void;
}

/** Listens on the whole page. */
export function useGiven(options: GivenOptions): TakesGiven {
  const { draft, dialog, importing, droppedPackage } = options;
  const takePackage = (given: Blob | ReadonlyMap<string, Blob>): void => {
    droppedPackage.value = given;
    dialog.value = "storage";
  };
  const takeFiles = (files: readonly File[]): void => {
    if (!files.some(mayHoldConversations)) return draft.addFiles(files);
    const zip = files.length === 1 ? files.find(mayBePackage) : undefined;
    const decide = (isPackage: boolean): void => {
      if (isPackage && zip !== undefined) return takePackage(zip);
      importing.value = files;
      dialog.value = "export";
    };
    if (zip === undefined) return decide(false);
    // What can't be looked into is for the import of conversations, which says why.
    void isPackageZip(zip).then(decide, () => decide(false));
  };
  const takeAddress = (address: string): void => draft.add(nameOfAddress(address), () => options.fetchPicture(address));
  const dragging = usePageEvents({
    onFiles: takeFiles,
    onFolder(files) {
      if (isPackageFolder([...files.keys()])) takePackage(files);
      else takeFiles([...files.values()]);
    },
    onAddress: takeAddress,
    onWords(words) {
      draft.setText(draft.text === "" ? words : `${draft.text.trimEnd()} ${words}`);
      document.getElementById("question")?.focus();
    },
    onEscape: options.onEscape,
  });
  return { dragging, takeAddress };
}
