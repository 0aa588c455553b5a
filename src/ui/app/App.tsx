// The page: header, conversation or welcome, question box, dialogs. Gets everything it needs as props; fetches and stores nothing.
//
// Handles that tests may rely on (names in English; the other languages translate them):
//   textbox "Ask about the picture" · buttons "Send", "Stop", "New chat", "Settings", "Add pictures", "Copy answer", "Try again",
//   "Start again", "Switch to the dark theme" / "Switch to the light theme" · dialogs "Settings", "About and licenses"
//   data-testid="model-status"     the chip in the header; data-state = loading | ready | failed
//   data-testid="load-progress"    the bar above the question box while the model loads
//   data-testid="model-failure"    the sentence when it could not be loaded; data-code = the error's code
//   data-testid="offline"          present only when the page works offline
//   data-testid="pictures-beside"  the pictures of the conversation, always in view; see PicturesBeside.tsx
//   data-testid="suggestions"      questions to ask of the pictures that are to be sent
//   data-testid="language-note"    the question is in a language that the model does not read
//   data-testid="empty-state"      the welcome; data-testid="example" for each example card, with its questions as buttons
//   data-testid="file-input"       the file picker; data-testid="picture-problem" the sentences about files that could not be used
//   data-testid="question-turn"    a question with its pictures
//   data-testid="answer-turn"      an answer; data-status = queued | running | done | stopped | failed
//   data-testid="answer"           the answer's words; data-testid="answer-figures" its pace and device
//   data-testid="answer-failure"   the sentence when it failed; data-code = the error's code
//   data-testid="sidebar", "conversation-entry", "pager", "question-editor", "lightbox", "crop-area", "budget", "undo": see their files
//   data-testid="model-picker", "model-choice", "server-problem", "connect-problem": see ModelPicker.tsx and ServerDialog.tsx
//   data-testid="stored-model", "storage-used", "storage-outcome", "model-offer": see ModelsDialog.tsx
//   data-testid="download" with data-phase: see DownloadNotes.tsx
//   data-testid="photo-offer" with data-phase: see PhotoOffer.tsx · data-testid="ask-again": the same question to the chosen model
//   data-testid="compare-column", "compare-votes": see CompareDialog.tsx
//   data-testid="leaves-device"    present while what is asked goes to a server; data-testid="answer-model" which one answered
//   data-testid="announcer"        the live region · data-testid="not-saved" when the browser keeps no data
import { useComputed, useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useLayoutEffect } from "preact/hooks";
import { isBusy, picturesIn } from "#chat/conversation/conversation.ts";
import type { Example } from "#chat/pictures/examples.web.ts";
import { Announcer } from "#ui/conversation/Announcer.tsx";
import type { AppProps } from "#ui/parts/app-props.ts";
import { Dialogs, type DialogName } from "./Dialogs.tsx";
import { Dock, DraftPictures } from "./Dock.tsx";
import { EmptyState } from "#ui/conversation/EmptyState.tsx";
import { Header } from "./Header.tsx";
import { lazy } from "#ui/parts/lazy.tsx";
import { ModelPicker } from "#ui/models/ModelPicker.tsx";
import { PicturesBeside } from "#ui/conversation/PicturesBeside.tsx";
import { BuiltInsPhotoOffer } from "#ui/composer/PhotoOffer.tsx";
import { SuggestedQuestions } from "#ui/conversation/SuggestedQuestions.tsx";
import { askedIn, suggestQuestions } from "#ui/conversation/suggestions.ts";
import { languages, pickLanguage, TextsContext } from "#ui/texts/texts.ts";
import type { TurnActions } from "#ui/conversation/turn-actions.ts";
import { useDraft } from "#ui/composer/use-draft.ts";
import { useGiven } from "./use-given.ts";
import { useKeptDraft } from "#ui/composer/use-kept-draft.ts";
import { useMedia } from "#ui/parts/use-media.ts";
import { focusQuestion } from "#ui/parts/use-modal.ts";
import { useShortcuts } from "./use-shortcuts.ts";
import { useTheme } from "./use-theme.ts";
import { Viewer, type Viewing } from "#ui/conversation/Viewer.tsx";

const Turns = lazy(async () => (await import("#ui/conversation/Turns.tsx")).Turns);
const Sidebar = lazy(async () => (await import("./Sidebar.tsx")).Sidebar);

export function App(props: AppProps): JSX.Element {
  const { chat, state, model } = props;
  const preferences = props.preferences.value;
  const language = pickLanguage([
    ...(preferences.language === undefined ? [] : [preferences.language]),
    ...navigator.languages,
  ]);
  const t = languages[language];
  const { dark } = useTheme(preferences.theme);
  const dialog = useSignal<DialogName>("none");
  const list = useSignal<"closed" | "open" | "searching">("closed");
  const editing = useSignal<string | undefined>(undefined);
  const viewing = useSignal<Viewing | undefined>(undefined);
  const wide = useMedia("(min-width: 64rem)");
  const exampleFailed = useSignal(false);
  const importing = useSignal<readonly File[]>([]);
  const droppedPackage = useSignal<Blob | ReadonlyMap<string, Blob> | undefined>(undefined);
  const draft = useDraft(props.openPicture, { text: props.question, pictures: [] });
  const { restored } = state.value;
  useKeptDraft(
    draft,
    props.drafts,
    restored ? { id: state.value.conversation.id, isNew: state.value.conversation.turns.length === 0 } : undefined,
  );
  const conversation = useComputed(() => state.value.conversation).value;
  const { turns } = conversation;
  const { selected } = props.models.value;
  const modelState = useComputed(() => state.value.model).value;
  const busy = useComputed(() => isBusy(state.value.conversation)).value;
  const { conversations } = state.value;
  const preparing = preferences.prepare !== false;
  useEffect(() => {
    chat.prepare(preparing ? { text: draft.text, pictures: draft.pictures } : undefined);
  }, [chat, preparing, draft.text, draft.pictures]);
  const asked = askedIn(t, selected.id);
  const suggestions = suggestQuestions(
    t,
    asked,
    selected.id === model.id ? model.knows : "photographs",
    draft.pictures.length,
  );
  const listOpen = list.value !== "closed" || (wide && preferences.sidebar === true);
  const last = turns.at(-1);
  const onBuiltIn = selected.id === model.id;
  const photoOffer = onBuiltIn && (
    <BuiltInsPhotoOffer
      app={props}
      onMore={() => {
        dialog.value = "storage";
      }}
    />
  );
  // The built-in model says when it sees a photograph; another one may know what is on it.
  const sawPhotograph =
    last?.role === "assistant" &&
    !busy &&
    model.saysOfPhotographs !== undefined &&
    last.text.startsWith(model.saysOfPhotographs);

  useEffect(() => {
    document.documentElement.lang = t.tag;
    document.title = selected.name === "" ? "llava-web" : `${selected.name} · llava-web`;
  }, [t, selected.name]);

  const pictures = picturesIn(turns);
  const latest = turns.findLast((turn) => turn.role === "user" && turn.pictures.length > 0);
  const latestId = latest?.role === "user" ? latest.pictures[0]?.id : undefined;
  const hasRoomBeside = useMedia(listOpen && wide ? "(min-width: 80rem)" : "(min-width: 64rem)");
  const beside = latestId === undefined ? "none" : hasRoomBeside ? "panel" : "strip";
  useLayoutEffect(() => {
    document.documentElement.dataset["sidebar"] = listOpen && wide ? "column" : "none";
    document.documentElement.dataset["pictures"] = beside;
  }, [listOpen, wide, beside]);
  useEffect(() => {
    // The first screen does without it, the first answer should not wait for it.
    const timer = setTimeout(() => void import("#ui/conversation/Turns.tsx").catch(() => undefined), 1500);
    return () => clearTimeout(timer);
  }, []);
  useShortcuts({
    onHelp: () => {
      dialog.value = "shortcuts";
    },
    onNewChat: () => {
      if (turns.length > 0) newChat();
    },
    onSearch: () => {
      list.value = "searching";
    },
    onFocusQuestion: () => document.getElementById("question")?.focus(),
  });

  const incoming = props.incoming.value;
  useEffect(() => {
    if (incoming === undefined) return;
    if (incoming.text !== "") draft.setText(incoming.text);
    draft.addFiles(incoming.files);
  }, [incoming]);

  const { dragging, takeAddress } = useGiven({
    draft,
    fetchPicture: props.fetchPicture,
    dialog,
    importing,
    droppedPackage,
    onEscape: () => chat.stop(),
  });

  const ask = (question: string, forgetOldest = false): void => {
    chat.send(question, draft.pictures, { forgetOldest });
    draft.clear();
    editing.value = undefined;
    exampleFailed.value = false;
  };
  const send = (forgetOldest = false): void => {
    const { text, pictures: sent } = draft;
    // A picture that comes without words is to be described, in a language that the model reads.
    ask(text.trim() === "" && sent.length > 0 ? asked.texts.chat.describe(sent.length) : text, forgetOldest);
  };
  const sendExample = async (example: Example, question: string): Promise<void> => {
    exampleFailed.value = false;
    try {
      const opened = await props.openPicture(await props.fetchExample(example), example.name);
      exampleFailed.value = !opened.ok;
      if (!opened.ok) return;
      chat.send(question, [opened.picture]);
      focusQuestion();
    } catch {
      exampleFailed.value = true;
    }
  };
  const newChat = (): void => {
    chat.newChat();
    editing.value = undefined;
    focusQuestion();
  };
  const closeList = (): void => {
    list.value = "closed";
    if (wide) props.onPreferences({ ...preferences, sidebar: false });
    document.getElementById("toggle-sidebar")?.focus();
  };
  const actions: TurnActions = {
    onRetry: () => chat.retry(),
    onStop: () => chat.stop(),
    onNewChat: newChat,
    onForget: () => chat.forgetAndRetry(),
    onRegenerate: (id) => chat.regenerate(id),
    onContinue: () => chat.continueAnswer(),
    onJudge: (id, opinion) => chat.judge(id, opinion),
    onPage: (id, step) => chat.page(id, step),
    onRemove(id) {
      chat.removeTurns(id);
      focusQuestion();
    },
    onEditing(id) {
      editing.value = id;
      if (id === undefined) focusQuestion();
    },
    onEdit(id, text, pictures) {
      chat.edit(id, text, pictures);
      editing.value = undefined;
      focusQuestion();
    },
    onView(shown, startId, replace) {
      viewing.value = { pictures: shown, startId, replace };
    },
    onCrop(picture, replace) {
      viewing.value = { pictures: [picture], startId: picture.id, cropping: picture, replace };
    },
    openPicture: props.openPicture,
  };
  const picturesBeside = beside !== "none" && latestId !== undefined && (
    <PicturesBeside
      form={beside}
      pictures={pictures}
      latestId={latestId}
      onView={(id) => actions.onView(pictures, id)}
      onPart={(picture) => actions.onCrop(picture)}
    />
  );
  return (
    <TextsContext.Provider value={t}>
      <a class="skip-link" href="#question">
        {t.skipToComposer}
      </a>
      <Header
        modelName={selected.name}
        modelPicker={
          <ModelPicker
            models={props.models.value}
            servers={props.servers.value}
            loaded={props.loadedModels.value}
            onSelect={props.onModel}
            onConnect={() => {
              dialog.value = "server";
            }}
            onStorage={() => {
              dialog.value = "storage";
            }}
            onCompare={
              busy
                ? undefined
                : () => {
                    dialog.value = "compare";
                  }
            }
            onRemoveServer={props.serverActions.remove}
            onOpen={() => void props.serverActions.refresh()}
          />
        }
        model={modelState}
        offline={props.offline.value}
        dark={dark}
        canStartNew={turns.length > 0}
        listOpen={listOpen}
        onToggleList={() => {
          if (listOpen) return closeList();
          list.value = "open";
          if (wide) props.onPreferences({ ...preferences, sidebar: true });
        }}
        onNewChat={newChat}
        onToggleTheme={() => props.onPreferences({ ...preferences, theme: dark ? "light" : "dark" })}
        onShortcuts={() => {
          dialog.value = "shortcuts";
        }}
        onSettings={() => {
          dialog.value = "settings";
        }}
      />
      {listOpen && (
        <Sidebar
          conversations={conversations}
          shownId={conversation.id}
          form={wide ? "column" : "drawer"}
          searching={list.value === "searching"}
          thumbnails={props.thumbnails}
          onNewChat={() => {
            if (turns.length > 0) newChat();
            if (!wide) list.value = "closed";
            else focusQuestion();
          }}
          onOpen={(id) => {
            editing.value = undefined;
            void chat.open(id);
            if (wide) return;
            list.value = "closed";
          }}
          onRename={(id, title) => void chat.rename(id, title)}
          onRemove={(id) => void chat.remove(id)}
          onTransfer={() => {
            if (!wide) list.value = "closed";
            dialog.value = "export";
          }}
          onClose={closeList}
        />
      )}
      <main class={`main${turns.length === 0 ? " main-empty" : beside === "panel" ? " main-beside" : ""}`}>
        {turns.length === 0 ? (
          <EmptyState
            model={onBuiltIn ? model : selected}
            remote={selected.host === undefined ? undefined : { name: selected.name, host: selected.host }}
            offer={photoOffer}
            examples={props.examples.value}
            asked={asked}
            attached={
              draft.given.length === 0 ? undefined : (
                <>
                  <DraftPictures draft={draft} size="large" before={0} actions={actions} />
                  {draft.pictures.length > 0 && (
                    <SuggestedQuestions suggestions={suggestions} asked={asked} onAsk={(question) => ask(question)} />
                  )}
                </>
              )
            }
            onChoose={() => document.querySelector<HTMLInputElement>("#composer-files")?.click()}
            onExample={(example, question) => void sendExample(example, question)}
          />
        ) : (
          <>
            {beside === "strip" && picturesBeside}
            <Turns
              key={conversation.id}
              conversation={conversation}
              editing={editing.value}
              actions={actions}
              after={
                !sawPhotograph ? undefined : onBuiltIn ? (
                  photoOffer
                ) : (
                  <p>
                    <button
                      type="button"
                      class="button"
                      data-testid="ask-again"
                      onClick={() => actions.onRegenerate(last.id)}
                    >
                      {t.photos.askAgain(selected.name)}
                    </button>
                  </p>
                )
              }
            />
            {beside === "panel" && picturesBeside}
          </>
        )}
      </main>
      <Dock
        app={props}
        draft={draft}
        asked={asked}
        suggestions={suggestions}
        problems={exampleFailed.value ? [t.exampleFailed] : []}
        actions={actions}
        dialog={dialog}
        onFiles={(files) => draft.addFiles(files)}
        onAddress={takeAddress}
        onEditLast={() => {
          editing.value = turns.findLast((turn) => turn.role === "user")?.id;
        }}
        onSend={send}
        onAsk={(question) => ask(question)}
      />
      <Announcer turn={last?.role === "assistant" ? last : undefined} />
      {dragging && (
        <div class="drop-overlay" aria-hidden="true">
          <p>{t.dropOverlay}</p>
        </div>
      )}
      <Dialogs
        app={props}
        open={dialog}
        importing={importing}
        dropped={droppedPackage}
        draft={draft}
        viewing={viewing}
        language={language}
      />
      <Viewer
        viewing={viewing}
        crop={props.cropPicture}
        onPart={(part) => {
          draft.addPicture(part);
          // Once the dialog is gone; until then the page takes no focus.
          setTimeout(focusQuestion);
        }}
      />
    </TextsContext.Provider>
  );
}
