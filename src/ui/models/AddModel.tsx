// Adds a model by its address: looks it up first, then offers to download it.
import type { JSX } from "preact";
import { useId, useState } from "preact/hooks";
import { LookedUp } from "#ui/models/offer/LookedUp.tsx";
import type { DownloadProps } from "./ModelZoo.tsx";
import { useTexts } from "#ui/texts/texts.ts";
import { useModelOffer } from "#ui/models/offer/use-model-offer.ts";

export function AddModel(props: DownloadProps): JSX.Element {
  const t = useTexts();
  const id = useId();
  const [typed, setTyped] = useState("");
  const offer = useModelOffer(props.downloads.lookUp, props.downloads.hubHost);
  const { state, look, reset } = offer;
  return (
    <div class="add-model">
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
      </form>
      <LookedUp offer={offer} {...props} />
    </div>
  );
}
