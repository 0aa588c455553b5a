// What to do about a model that the hub gives to some readers only: a link to its page, and a field for an access token, which is kept as keys
// of servers are.   data-testid="gated" with data-status
import type { JSX } from "preact";
import { useId, useState } from "preact/hooks";
import { tokenOf } from "#chat/downloads/hub-tokens.ts";
import { Note } from "#ui/notes/Note.tsx";
import { useTexts } from "#ui/texts/texts.ts";

interface GatedNoteProps {
  readonly status: 401 | 403;
  /** The model's page on the hub; "" where there is none. */
  readonly page: string;
  readonly host: string;
  readonly onToken: (token: string) => void;
}

export function GatedNote({ status, page, host, onToken }: GatedNoteProps): JSX.Element {
  const t = useTexts();
  const words = t.zoo.gated;
  const id = useId();
  const [typed, setTyped] = useState("");
  const [isWrong, setWrong] = useState(false);
  return (
    <form
      class="gated"
      data-testid="gated"
      data-status={status}
      onSubmit={(event) => {
        event.preventDefault();
        const token = tokenOf(typed);
        setWrong(token === undefined);
        if (token !== undefined) onToken(token);
      }}
    >
      <p role="status">
        {words[status](host)}{" "}
        {page !== "" && (
          <a href={page} target="_blank" rel="noreferrer">
            {words.page}
          </a>
        )}
      </p>
      <label class="field" for={id}>
        <span>{words.token}</span>
        <small>{words.tokenHint(host)}</small>
      </label>
      <div class="add-model-row">
        <input
          id={id}
          class="text-input"
          type="password"
          autocomplete="off"
          spellcheck={false}
          value={typed}
          onInput={(event) => {
            setTyped(event.currentTarget.value);
            setWrong(false);
          }}
        />
        <button type="submit" class="button" disabled={typed.trim() === ""}>
          {words.use}
        </button>
      </div>
      {isWrong && <Note state={{ tone: "bad", text: words.noToken }} />}
    </form>
  );
}
