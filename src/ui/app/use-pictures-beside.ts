// Where the conversation's pictures stand: in a panel beside it, or in a strip above it. The choice is written on the page's root for the
// styles.
import { useLayoutEffect } from "preact/hooks";
import { picturesIn, type Picture, type Turn } from "#chat/conversation/conversation.ts";
import { useMedia } from "#ui/parts/use-media.ts";

export interface ShownPictures {
  readonly form: "panel" | "strip";
  /** All pictures of the conversation, in the order of their numbers. */
  readonly pictures: readonly Picture[];
  /** The first picture of the last question that has any. */
  readonly latestId: string;
}

/** Undefined without pictures. `hasColumn`: the list of conversations stands beside the page, so a panel needs a wider window. */
export function usePicturesBeside(turns: readonly Turn[], hasColumn: boolean): ShownPictures | undefined {
  const hasRoom = useMedia(hasColumn ? "(min-width: 80rem)" : "(min-width: 64rem)");
  const latest = turns.findLast((turn) => turn.role === "user" && turn.pictures.length > 0);
  const latestId = latest?.role === "user" ? latest.pictures[0]?.id : undefined;
  const form = hasRoom ? "panel" : "strip";
  const shownForm = latestId === undefined ? "none" : form;
  useLayoutEffect(() => {
    document.documentElement.dataset["sidebar"] = hasColumn ? "column" : "none";
    document.documentElement.dataset["pictures"] = shownForm;
  }, [hasColumn, shownForm]);
  return latestId === undefined ? undefined : { form, pictures: picturesIn(turns), latestId };
}
