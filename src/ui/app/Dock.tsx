// The foot of the page: what has to be said, how full the context is, and the question box with its pictures.
import type { JSX } from "preact";
import { budgetOf } from "#chat/conversation/budget.ts";
import { isBusy, picturesIn } from "#chat/conversation/conversation.ts";
import { BudgetNote } from "#ui/composer/BudgetNote.tsx";
import { Composer } from "#ui/composer/Composer.tsx";
import { LanguageNote } from "#ui/composer/LanguageNote.tsx";
import { DraftPictures } from "#ui/conversation/DraftPictures.tsx";
import { JumpToEnd } from "#ui/conversation/JumpToEnd.tsx";
import { SuggestedQuestions } from "#ui/conversation/SuggestedQuestions.tsx";
import type { TurnActions } from "#ui/conversation/turn-actions.ts";
import { DraftPhotoOffer } from "#ui/models/PhotoOffer.tsx";
import { LoadBanner } from "#ui/models/selected/ModelStatus.tsx";
import { languageNames } from "#ui/parts/language-names.ts";
import { useMedia } from "#ui/parts/use-media.ts";
import { useTexts } from "#ui/texts/texts.ts";
import { DockNotes } from "./DockNotes.tsx";
import type { AppFeatures } from "./features.ts";
import type { OpenDialog } from "./open-dialog.ts";
import type { Asking } from "./use-asking.ts";

interface DockProps extends Pick<
  AppFeatures,
  "chat" | "downloads" | "installation" | "models" | "photoModel" | "storage" | "teach"
> {
  readonly asking: Asking;
  readonly actions: TurnActions;
  readonly onOpen: (dialog: OpenDialog) => void;
  /** Opens the lesson that is taught. */
  readonly onLesson: (id: string) => void;
  /** A picture's address was typed. */
  readonly onAddress: (address: string) => void;
  readonly onEditLast: () => void;
}

/** Longer than most functions: it joins the question box with everything of the page that fills it or is told by it. */
export function Dock(props: DockProps): JSX.Element {
  const { models, asking, actions, onOpen, onAddress, onEditLast } = props;
  const { draft, asked, suggestions, photographs } = asking;
  const { actions: chat, state } = props.chat;
  const t = useTexts();
  const { conversation, model } = state.value;
  const { selected, choices } = models.state.value;
  const { turns } = conversation;
  const placeholder = usePlaceholder(asking, turns.length === 0);
  const busy = isBusy(conversation);
  const last = turns.at(-1);
  // A model that failed while answering is reported in that answer, with the way on; once is enough.
  const saidInChat = model.phase === "failed" && last?.role === "assistant" && last.failure === model.failure;
  const hasDraft = draft.text.trim() !== "" || draft.pictures.length > 0;
  const budget =
    model.phase === "ready" && model.model.contextLength > 0 && !busy && (hasDraft || turns.length > 0)
      ? budgetOf(conversation, draft, model.model)
      : undefined;
  return (
    <section class="dock" aria-label={t.questionArea}>
      <div class="dock-inner">
        {turns.length > 0 && <JumpToEnd />}
        {!saidInChat && (
          <LoadBanner
            name={selected.name}
            state={model}
            onStart={() => void chat.start()}
            onStop={(again) => chat.stopLoading(again)}
          />
        )}
        <DockNotes {...props} />
        {budget !== undefined && (
          <BudgetNote
            budget={budget}
            hasDraft={hasDraft}
            onForget={() => asking.send(true)}
            onAnew={() => {
              chat.newChat();
              asking.send();
            }}
          />
        )}
        <LanguageNote
          text={draft.text}
          selected={selected}
          choices={choices}
          onUse={models.select}
          onModels={() => onOpen({ name: "models" })}
          onConnect={() => onOpen({ name: "server" })}
        />
        <Composer
          draft={draft}
          busy={busy}
          placeholder={placeholder}
          onFiles={(files) => draft.addFiles(files)}
          onAddress={onAddress}
          onEditLast={onEditLast}
          onSend={() => asking.send()}
          onStop={() => chat.stop()}
        >
          {asking.exampleFailed && (
            <div class="composer-problems" role="alert">
              <p>{t.exampleFailed}</p>
            </div>
          )}
          {turns.length > 0 && (
            <>
              <DraftPictures draft={draft} size="small" before={picturesIn(turns).length} actions={actions}>
                <DraftPhotoOffer
                  {...props}
                  photographs={photographs}
                  onMore={() => onOpen({ name: "models" })}
                  onDismiss={asking.declinePhotoOffer}
                />
              </DraftPictures>
              {draft.pictures.length > 0 && draft.text === "" && !busy && (
                <SuggestedQuestions suggestions={suggestions} asked={asked} onAsk={asking.ask} />
              )}
            </>
          )}
        </Composer>
      </div>
    </section>
  );
}

/** The hint in the empty question box; short where the window is too narrow for a sentence. */
function usePlaceholder({ asked, draft }: Asking, isFirstQuestion: boolean): string {
  const t = useTexts();
  const narrow = useMedia("(max-width: 22.5rem)");
  if (narrow) return t.chat.askShort;
  if (asked.foreign) return t.chat.askIn(languageNames(t.tag, [asked.tag]));
  return isFirstQuestion && draft.given.length === 0 ? t.composerPlaceholderEmpty : t.composerPlaceholder;
}
