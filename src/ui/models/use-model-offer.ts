// Looks up the model at an address. The result is the model that was found, or a sentence that says why none was.
import { useState } from "preact/hooks";
import { errorCodeOf } from "#engine/errors.ts";
import { packageAddress } from "#chat/models/package-address.ts";
import type { PreviewedModel, StoredModels } from "#chat/models/storage.ts";
import { useTexts } from "#ui/texts/texts.ts";

type OfferState = "none" | "looking" | { readonly model: PreviewedModel } | { readonly problem: string };

export interface ModelOfferLook {
  readonly state: OfferState;
  /** Resolves with the model that was found; undefined if there is none, and then `state` has the reason. */
  readonly look: (typed: string) => Promise<PreviewedModel | undefined>;
  readonly reset: () => void;
}

/** `hubHost` is where "owner/name" is looked up; the message names it if it can't be reached. */
export function useModelOffer(preview: StoredModels["preview"], hubHost: string): ModelOfferLook {
  const t = useTexts();
  const [state, setState] = useState<OfferState>("none");
  return {
    state,
    async look(typed) {
      setState("looking");
      try {
        const model = await preview(typed);
        setState(model === undefined ? { problem: t.storage.notAnAddress } : { model });
        return model;
      } catch (error) {
        const code = errorCodeOf(error);
        setState({ problem: code === "network" ? t.photos.unreachable(hostOf(typed, hubHost)) : t.errors[code] });
        return undefined;
      }
    },
    reset: () => setState("none"),
  };
}

function hostOf(typed: string, hubHost: string): string {
  const address = packageAddress(typed, `https://${hubHost}/`);
  return address === undefined ? typed : new URL(address).host;
}
