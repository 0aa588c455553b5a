// Says that a new version of the page is ready; shown only while nothing is being answered.
import type { JSX } from "preact";
import type { UpdateState } from "#chat/page/update-offer.ts";
import { useTexts } from "#ui/texts/texts.ts";

interface UpdateNoteProps {
  readonly state: Exclude<UpdateState, "none">;
  readonly onUpdate: () => void;
  readonly onLater: () => void;
}

/** `data-testid="update"` with `data-state`. */
export function UpdateNote({ state, onUpdate, onLater }: UpdateNoteProps): JSX.Element {
  const t = useTexts();
  return (
    <div class="undo" role="status" data-testid="update" data-state={state}>
      <span class="undo-words">{state === "ready" ? t.app.updateReady : t.app.updateOtherTabs}</span>
      <button type="button" class="button" onClick={onUpdate}>
        {t.app.update}
      </button>
      <button type="button" class="button" onClick={onLater}>
        {t.app.updateLater}
      </button>
    </div>
  );
}
