// The foot of the page: what has to be said, how full the context is, and the question box with its pictures.
import type { Signal } from "@preact/signals";
import type { JSX } from "preact";
import { budgetOf } from "#chat/conversation/budget.ts";
import { isBusy, picturesIn } from "#chat/conversation/conversation.ts";
import type { AppProps } from "#ui/parts/app-props.ts";
import { AttachedPictures } from "#ui/composer/AttachedPictures.tsx";
import { BudgetNote } from "#ui/composer/BudgetNote.tsx";
import { Composer } from "#ui/composer/Composer.tsx";
import type { DialogName } from "./Dialogs.tsx";
import { DockNotes } from "./DockNotes.tsx";
import { JumpToEnd } from "#ui/conversation/JumpToEnd.tsx";
import { languageNames } from "#ui/parts/language-names.ts";
import { LanguageNote } from "#ui/composer/LanguageNote.tsx";
import { LoadBanner } from "#ui/models/ModelStatus.tsx";
import { SuggestedQuestions } from "#ui/conversation/SuggestedQuestions.tsx";
import type { AskedIn, Suggestion } from "#ui/conversation/suggestions.ts";
import { useTexts } from "#ui/texts/texts.ts";
import type { TurnActions } from "#ui/conversation/turn-actions.ts";
import type { Draft } from "#ui/composer/use-draft.ts";
import { useMedia } from "#ui/parts/use-media.ts";

interface DockProps {
  readonly app: AppProps;
  readonly draft: Draft;
  readonly asked: AskedIn;
  readonly suggestions: readonly Suggestion[];
  /** Sentences about what could not be used, beside those of the pictures. */
  readonly problems: readonly string[];
  readonly actions: TurnActions;
  readonly dialog: Signal<DialogName>;
  readonly onFiles: (files: readonly File[]) => void;
  readonly onAddress: (address: string) => void;
  readonly onEditLast: () => void;
  readonly onSend: (forgetOldest?: boolean) => void;
  /** Asks one of the suggested questions. */
  readonly onAsk: (question: string) => void;
}

export function Dock(props: DockProps): JSX.Element {
  const t = useTexts();
  const { app, draft, asked, suggestions, actions, dialog } = props;
  const { chat } = app;
  const { conversation, model } = app.state.value;
  const { selected, choices } = app.models.value;
  const { turns } = conversation;
  const busy = isBusy(conversation);
  const last = turns.at(-1);
  // A model that failed while answering is reported in that answer, with the way on; once is enough.
  const saidInChat = model.phase === "failed" && last?.role === "assistant" && last.failure === model.failure;
  const hasDraft = draft.text.trim() !== "" || draft.pictures.length > 0;
  const budget =
    model.phase === "ready" && model.model.contextLength > 0 && !busy && (hasDraft || turns.length > 0)
      ? budgetOf(conversation, draft, model.model)
      : undefined;
  const narrow = useMedia("(max-width: 22.5rem)");
  const placeholder = narrow
    ? t.chat.askShort
    : asked.foreign
      ? t.chat.askIn(languageNames(t.tag, [asked.tag]))
      : turns.length === 0 && draft.given.length === 0
        ? t.composerPlaceholderEmpty
        : t.composerPlaceholder;
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
        <DockNotes app={app} open={dialog} />
        {budget !== undefined && (
          <BudgetNote
            budget={budget}
            hasDraft={hasDraft}
            onForget={() => props.onSend(true)}
            onAnew={() => {
              chat.newChat();
              props.onSend();
            }}
          />
        )}
        <LanguageNote
          text={draft.text}
          selected={selected}
          choices={choices}
          onUse={app.onModel}
          onModels={() => {
            dialog.value = "storage";
          }}
          onConnect={() => {
            dialog.value = "server";
          }}
        />
        <Composer
          draft={draft}
          busy={busy}
          placeholder={placeholder}
          onFiles={props.onFiles}
          onAddress={props.onAddress}
          onEditLast={props.onEditLast}
          onSend={() => props.onSend()}
          onStop={() => chat.stop()}
        >
          {props.problems.length > 0 && (
            <div class="composer-problems" role="alert">
              {props.problems.map((problem) => (
                <p key={problem}>{problem}</p>
              ))}
            </div>
          )}
          {turns.length > 0 && (
            <>
              <DraftPictures draft={draft} size="small" before={picturesIn(turns).length} actions={actions} />
              {draft.pictures.length > 0 && draft.text === "" && !busy && (
                <SuggestedQuestions suggestions={suggestions} asked={asked} onAsk={props.onAsk} />
              )}
            </>
          )}
        </Composer>
      </div>
    </section>
  );
}

interface DraftPicturesProps {
  readonly draft: Draft;
  readonly size: "large" | "small";
  readonly before: number;
  readonly actions: TurnActions;
}

/** What goes with the next question; large where nothing was asked yet. */
export function DraftPictures({ draft, size, before, actions }: DraftPicturesProps): JSX.Element {
  const replace = draft.replace.bind(draft);
  return (
    <AttachedPictures
      draft={draft}
      size={size}
      before={before}
      onView={(id) => actions.onView(draft.pictures, id, replace)}
      onCrop={(picture) => actions.onCrop(picture, replace)}
    />
  );
}
