// Adds a model by its address: looks it up first, then offers to download it.
import type { JSX } from "preact";
import { useId, useState } from "preact/hooks";
import type { DownloadProps } from "./DownloadableModels.tsx";
import { ModelOffer } from "./ModelOffer.tsx";
import { Note } from "#ui/notes/Note.tsx";
import { useTexts } from "#ui/texts/texts.ts";
import { useModelOffer } from "./use-model-offer.ts";

export function AddModel(props: DownloadProps): JSX.Element {
  const t = useTexts();
  const id = useId();
  const [typed, setTyped] = useState("");
  const { state, look, reset } = useModelOffer((text) => props.storage.actions.preview(text), props.downloads.hubHost);
  return (
    <form
      class="add-model"
      onSubmit={(event) => {
        event.preventDefault();
        if (state !== "looking") void look(typed);
      }}
    >
      <label class="field" for={id}>
        <span>{t.storage.address}</span>
        <small>{t.storage.addressHint}</small>
      </label>
      <div class="add-model-row">
        <input
          id={id}
          class="text-input"
          value={typed}
          inputmode="url"
          autocomplete="off"
          autocapitalize="off"
          spellcheck={false}
          onInput={(event) => {
            setTyped(event.currentTarget.value);
            reset();
          }}
        />
        <button type="submit" class="button" disabled={typed.trim() === "" || state === "looking"}>
          {state === "looking" ? t.storage.lookingAt : t.storage.look}
        </button>
      </div>
      {typeof state === "object" && "problem" in state && (
        <Note state={{ tone: "bad", text: state.problem, retry: () => void look(typed) }} />
      )}
      {typeof state === "object" && "model" in state && (
        <ModelOffer
          model={state.model}
          metered={props.downloads.isMetered()}
          onStart={props.onStart}
          onFromMemory={props.onFromMemory}
        />
      )}
    </form>
  );
}
