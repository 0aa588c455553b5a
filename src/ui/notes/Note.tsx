// The outcome of an action, beside the button that started it: under way, done, or failed with a button to try again.
import type { JSX } from "preact";
import { CheckIcon, WarnIcon } from "#ui/parts/icons.tsx";
import { useTexts } from "#ui/texts/texts.ts";

export interface NoteState {
  readonly tone: "busy" | "good" | "bad";
  readonly text: string;
  /** From 0 to 1, of what is under way. */
  readonly share?: number | undefined;
  readonly retry?: (() => void) | undefined;
}

interface NoteProps {
  readonly state: NoteState | undefined;
  readonly testId?: string;
}

/** Nothing without a state. */
export function Note({ state, testId = "storage-outcome" }: NoteProps): JSX.Element | null {
  const t = useTexts();
  if (state === undefined) return null;
  const { tone, text, share, retry } = state;
  return (
    <div class={`note note-${tone}`}>
      {tone === "good" && <CheckIcon />}
      {tone === "bad" && <WarnIcon />}
      <p role={tone === "bad" ? "alert" : "status"} data-testid={testId} data-tone={tone}>
        {text}
      </p>
      {share !== undefined && <progress aria-label={text} max={1} value={share} />}
      {retry !== undefined && (
        <button type="button" class="link-button" onClick={retry}>
          {t.tryAgain}
        </button>
      )}
    </div>
  );
}
