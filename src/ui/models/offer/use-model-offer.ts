// Looks up a model before its download. The result is the model that was found, several to choose from, that the hub wants a token for it,
// or a sentence that says why there is none.
import { useRef, useState } from "preact/hooks";
import { errorCodeOf } from "#engine/errors.ts";
import type { GatedModel, LookUp, ModelChoice, PreviewedModel, Wanted } from "#chat/models/look-up/look-up.ts";
import { packageAddress } from "#chat/models/look-up/package-address.ts";
import { useTexts, type Texts } from "#ui/texts/texts.ts";

type OfferState =
  "none" | "looking" | { readonly model: PreviewedModel } | GatedModel | ModelChoice | { readonly problem: string };

export interface ModelOfferLook {
  readonly state: OfferState;
  /** Resolves with the model that was found; undefined if there is none, and then `state` has the reason. */
  readonly look: (wanted: Wanted) => Promise<PreviewedModel | undefined>;
  /** Looks up the last one again. */
  readonly again: () => Promise<PreviewedModel | undefined>;
  readonly reset: () => void;
}

/** `hubHost` is where "owner/name" is looked up; the message names it if it can't be reached. */
export function useModelOffer(lookUp: LookUp, hubHost: string): ModelOfferLook {
  const t = useTexts();
  const [state, setState] = useState<OfferState>("none");
  const last = useRef<Wanted | undefined>(undefined);
  const look = async (wanted: Wanted): Promise<PreviewedModel | undefined> => {
    last.current = wanted;
    setState("looking");
    try {
      const found = await lookUp(wanted);
      if (found === undefined) setState({ problem: t.storage.notAnAddress });
      else if ("gated" in found || "models" in found) setState(found);
      else {
        setState({ model: found });
        return found;
      }
      return undefined;
    } catch (error) {
      setState({ problem: problemOf(t, error, wanted, hubHost) });
      return undefined;
    }
  };
  return {
    state,
    look,
    again: async () => (last.current === undefined ? undefined : look(last.current)),
    reset: () => setState("none"),
  };
}

function problemOf(t: Texts, error: unknown, wanted: Wanted, hubHost: string): string {
  const code = errorCodeOf(error);
  if (code === "network") return t.photos.unreachable(hostOf(wanted, hubHost));
  // A sentence of the converter, which names the file.
  if (code === "bad-checkpoint" && error instanceof Error)
    return `${t.zoo.refused} ${t.zoo.converterSays(error.message)}`;
  return t.errors[code];
}

function hostOf(wanted: Wanted, hubHost: string): string {
  const address = typeof wanted === "string" ? packageAddress(wanted, `https://${hubHost}/`) : undefined;
  return address === undefined ? hubHost : new URL(address).host;
}
