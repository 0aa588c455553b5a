// What came of looking a model up: its offer, several to choose from, the hub's wish for a token, or why there is none. Under the button
// that looked it up.
import type { JSX } from "preact";
import type { PreviewedModel } from "#chat/models/look-up/look-up.ts";
import { Note } from "#ui/notes/Note.tsx";
import { GatedNote } from "./GatedNote.tsx";
import { GgufModels } from "./GgufModels.tsx";
import type { DownloadsFeature } from "#ui/models/model-features.ts";
import { ModelOffer } from "./ModelOffer.tsx";
import type { ModelOfferLook } from "./use-model-offer.ts";

interface LookedUpProps {
  readonly offer: ModelOfferLook;
  readonly downloads: DownloadsFeature;
  /** The name that the offer should have; the model's own where it is absent. */
  readonly name?: string | undefined;
  readonly onStart: (model: PreviewedModel) => void;
  readonly onFromMemory: (model: PreviewedModel) => void;
}

/** Renders nothing before something was looked up, and while it is. */
export function LookedUp({ offer, downloads, name, onStart, onFromMemory }: LookedUpProps): JSX.Element | null {
  const { state, look, again } = offer;
  if (state === "none" || state === "looking") return null;
  if ("problem" in state) return <Note state={{ tone: "bad", text: state.problem, retry: () => void again() }} />;
  if ("gated" in state) {
    const { hub, gated } = state;
    return (
      <GatedNote
        status={gated.status}
        page={gated.page}
        host={new URL(hub).host}
        onToken={(token) => {
          downloads.setToken(hub, token);
          void again();
        }}
      />
    );
  }
  if ("models" in state) {
    const { models, checkpoint } = state;
    return <GgufModels models={models} onChoose={(choice) => void look({ choice, checkpoint })} />;
  }
  return (
    <ModelOffer
      model={name === undefined ? state.model : { ...state.model, name }}
      named={name !== undefined}
      metered={downloads.isMetered()}
      onStart={onStart}
      onFromMemory={onFromMemory}
    />
  );
}
