// A failure in words: the sentence for its code, with the next step, and the server's own message if there is one.
import type { JSX } from "preact";
import type { FailureCode } from "#chat/conversation/conversation.ts";
import { useTexts } from "#ui/texts/texts.ts";

interface FailureWordsProps {
  readonly code: FailureCode;
  readonly said?: string | undefined;
}

/** Two paragraphs at most; the frame around them is the caller's. */
export function FailureWords({ code, said = "" }: FailureWordsProps): JSX.Element {
  const t = useTexts();
  return (
    <>
      <p>{t.errors[code]}</p>
      {said !== "" && (
        <p class="said">{code === "server-key-characters" ? t.remote.keyCharacter(said) : t.remote.said(said)}</p>
      )}
    </>
  );
}
