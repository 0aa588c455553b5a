// The middle of the page: the welcome while nothing has been asked, else the conversation with its pictures.
import type { JSX } from "preact";
import { isBusy } from "#chat/conversation/conversation.ts";
import { DraftPictures } from "#ui/conversation/DraftPictures.tsx";
import { EmptyState } from "#ui/conversation/EmptyState.tsx";
import { PicturesBeside } from "#ui/pictures/PicturesBeside.tsx";
import { SuggestedQuestions } from "#ui/conversation/SuggestedQuestions.tsx";
import type { TurnActions } from "#ui/conversation/turn-actions.ts";
import { BuiltInsPhotoOffer, DraftPhotoOffer } from "#ui/models/PhotoOffer.tsx";
import { lazy } from "#ui/parts/lazy.tsx";
import { useTexts } from "#ui/texts/texts.ts";
import type { AppFeatures } from "./features.ts";
import type { Asking } from "./use-asking.ts";
import type { ShownPictures } from "./use-pictures-beside.ts";

const Turns = lazy(async () => (await import("#ui/conversation/Turns.tsx")).Turns);

interface MainProps {
  readonly features: Pick<AppFeatures, "chat" | "downloads" | "examples" | "models" | "photoModel" | "preferences">;
  readonly asking: Asking;
  /** Id of the question that is being edited. */
  readonly editing: string | undefined;
  readonly actions: TurnActions;
  readonly beside: ShownPictures | undefined;
  /** Opens the list of all models. */
  readonly onModels: () => void;
}

export function Main(props: MainProps): JSX.Element {
  const { conversation } = props.features.chat.state.value;
  const isEmpty = conversation.turns.length === 0;
  const form = isEmpty ? " main-empty" : props.beside?.form === "panel" ? " main-beside" : "";
  return <main class={`main${form}`}>{isEmpty ? <Welcome {...props} /> : <Conversation {...props} />}</main>;
}

function Welcome({ features, asking, actions, onModels }: MainProps): JSX.Element {
  const { selected } = features.models.state.value;
  const { builtIn } = features.models;
  const { draft, asked, suggestions, photographs, ask, declinePhotoOffer } = asking;
  const onBuiltIn = selected.id === builtIn.id;
  return (
    <EmptyState
      model={onBuiltIn ? builtIn : selected}
      remote={selected.host === undefined ? undefined : { name: selected.name, host: selected.host }}
      offer={onBuiltIn && <BuiltInsPhotoOffer {...features} onMore={onModels} />}
      examples={features.examples.list.value}
      asked={asked}
      attached={
        draft.given.length === 0 ? undefined : (
          <>
            <DraftPictures draft={draft} size="large" before={0} actions={actions} />
            {draft.pictures.length > 0 && <SuggestedQuestions suggestions={suggestions} asked={asked} onAsk={ask} />}
            <DraftPhotoOffer {...features} photographs={photographs} onMore={onModels} onDismiss={declinePhotoOffer} />
          </>
        )
      }
      onChoose={() => document.querySelector<HTMLInputElement>("#composer-files")?.click()}
      onExample={asking.askExample}
    />
  );
}

function Conversation(props: MainProps): JSX.Element {
  const { editing, actions, beside } = props;
  const { conversation } = props.features.chat.state.value;
  const pictures = beside && (
    <PicturesBeside
      {...beside}
      onView={(id) => actions.onView(beside.pictures, id)}
      onPart={(picture) => actions.onCrop(picture)}
    />
  );
  return (
    <>
      {beside?.form === "strip" && pictures}
      <Turns
        key={conversation.id}
        conversation={conversation}
        editing={editing}
        actions={actions}
        after={<AfterPhotograph {...props} />}
      />
      {beside?.form === "panel" && pictures}
    </>
  );
}

/** After an answer about a photograph a model for photographs is offered; once another model is chosen, that one can be asked the same. */
function AfterPhotograph({ features, asking, actions, onModels }: MainProps): JSX.Element | null {
  const t = useTexts();
  const { conversation } = features.chat.state.value;
  const { builtIn } = features.models;
  const { selected } = features.models.state.value;
  const last = conversation.turns.at(-1);
  if (last?.role !== "assistant" || isBusy(conversation) || last.sawPhotograph !== true) return null;
  if (selected.id !== builtIn.id)
    return (
      <p>
        <button type="button" class="button" data-testid="ask-again" onClick={() => actions.onRegenerate(last.id)}>
          {t.photos.askAgain(selected.name)}
        </button>
      </p>
    );
  // At most one offer at a time: a photograph that is about to be sent has its own.
  if (asking.photographs !== "none") return null;
  return <BuiltInsPhotoOffer {...features} short onMore={onModels} onDismiss={asking.declinePhotoOffer} />;
}
