// Takes what is dropped or pasted on the page: pictures for the question, conversations to import, packages and checkpoints of models, words.
// Decides which is which, and where it goes.
import { isCheckpoint, isPackageFolder, isPackageZip, mayBePackage } from "#chat/models/look-up/package-file.ts";
import { nameOfAddress } from "#chat/pictures/picture-address.ts";
import { mayHoldConversations } from "#chat/transfer/import-kind.ts";
import type { RefObject } from "preact";
import type { PictureFeature } from "#ui/pictures/picture-feature.ts";
import type { TakeGiven } from "#ui/teach/teach-feature.ts";
import type { Draft } from "#ui/composer/use-draft.ts";
import type { OpenDialog } from "./open-dialog.ts";
import { usePageEvents } from "#ui/composer/use-page-events.ts";

interface GivenOptions {
  readonly draft: Draft;
  readonly fetchPicture: PictureFeature["fetch"];
  readonly onOpen: (dialog: OpenDialog) => void;
  readonly onEscape: () => void;
  /** Set while another view than the chat is shown, which takes all pictures. */
  readonly otherView: RefObject<TakeGiven | undefined>;
}

export interface TakesGiven {
  /** Something that the page takes is dragged over it. */
  readonly dragging: boolean;
  /** Adds the picture at an address to the question. */
  readonly takeAddress: (address: string) => void;
}

/** Listens on the whole page. */
export function useGiven({ draft, fetchPicture, onOpen, onEscape, otherView }: GivenOptions): TakesGiven {
  const takeFiles = (files: readonly File[]): void => {
    if (isCheckpoint(files.map(({ name }) => name)))
      return onOpen({ name: "models", dropped: new Map(files.map((file) => [file.name, file])) });
    if (!files.some(mayHoldConversations)) return draft.addFiles(files);
    const zip = files.length === 1 ? files.find(mayBePackage) : undefined;
    const decide = (isPackage: boolean): void => {
      if (isPackage && zip !== undefined) onOpen({ name: "models", dropped: zip });
      else onOpen({ name: "transfer", files });
    };
    if (zip === undefined) return decide(false);
    // What can't be looked into is for the import of conversations, which says why.
    void isPackageZip(zip).then(decide, () => decide(false));
  };
  const takeAddress = (address: string): void => draft.add(nameOfAddress(address), () => fetchPicture(address));
  const dragging = usePageEvents({
    onFiles(files, target) {
      if (otherView.current === undefined) takeFiles(files);
      else
        otherView.current.files(
          files.map((file) => [file.name, file]),
          target,
        );
    },
    onFolder(files, target) {
      if (otherView.current !== undefined) return otherView.current.files(files, target);
      const paths = [...files.keys()];
      if (isPackageFolder(paths) || isCheckpoint(paths)) onOpen({ name: "models", dropped: files });
      else takeFiles([...files.values()]);
    },
    onAddress(address, target) {
      if (otherView.current === undefined) takeAddress(address);
      else otherView.current.address(address, target);
    },
    onWords(words) {
      if (otherView.current !== undefined) return;
      draft.setText(draft.text === "" ? words : `${draft.text.trimEnd()} ${words}`);
      document.getElementById("question")?.focus();
    },
    onEscape,
  });
  return { dragging, takeAddress };
}
