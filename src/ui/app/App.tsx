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
//   data-testid="teach-view": see TeachView.tsx · data-testid="teaching-note", "correction": see those files
//   data-testid="announcer"        the live region · data-testid="not-saved" when the browser keeps no data
import { useSignal, type Signal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { Announcer } from "#ui/conversation/Announcer.tsx";
import { Viewer, type Viewing } from "#ui/pictures/Viewer.tsx";
import { lazy } from "#ui/parts/lazy.tsx";
import type { TakeGiven } from "#ui/teach/teach-feature.ts";
import { focusQuestion } from "#ui/parts/use-modal.ts";
import { textsOf, TextsContext } from "#ui/texts/texts.ts";
import { Dialogs } from "./Dialogs.tsx";
import { Dock } from "./Dock.tsx";
import type { AppFeatures } from "./features.ts";
import { Header } from "./Header.tsx";
import { Main } from "./Main.tsx";
import type { OpenDialog } from "./open-dialog.ts";
import { TeachPart } from "./TeachPart.tsx";
import { createTurnActions } from "./turn-actions.ts";
import { useAsking } from "./use-asking.ts";
import { useGiven } from "./use-given.ts";
import { useLanguage } from "./use-language.ts";
import { usePicturesBeside } from "./use-pictures-beside.ts";
import { useShortcuts } from "./use-shortcuts.ts";
import { useSidebar, type SidebarState } from "./use-sidebar.ts";
import { useTheme } from "#ui/parts/use-theme.ts";

const Sidebar = lazy(async () => (await import("#ui/sidebar/Sidebar.tsx")).Sidebar);

/** Longer than most functions: it creates the state that the parts of the page share, and hands it to each of them. */
export function App(features: AppFeatures): JSX.Element {
  const { chat, models, preferences } = features;
  const { turns } = chat.state.value.conversation;
  const language = useLanguage(preferences.state.value.language, models.state.value.selected.name);
  const t = textsOf(language);
  const { dark } = useTheme(preferences.state.value.theme);
  const dialog = useSignal<OpenDialog>({ name: "none" });
  const editing = useSignal<string | undefined>(undefined);
  const viewing = useSignal<Viewing | undefined>(undefined);
  const sidebar = useSidebar(preferences);
  const asking = useAsking(features, t, editing);
  const { draft } = asking;
  const beside = usePicturesBeside(turns, sidebar.isOpen && sidebar.form === "column");
  const actions = createTurnActions(features, { editing, viewing });
  const open = (opened: OpenDialog): void => {
    dialog.value = opened;
  };
  const view = features.view.state.value;
  const otherView = useRef<TakeGiven | undefined>(undefined);
  const newChat = (): void => {
    if (turns.length > 0) actions.onNewChat();
    features.view.show({ name: "chat" });
  };
  const showLesson = (lessonId?: string): void => features.view.show({ name: "teach", lessonId });
  usePreloadedTurns();
  useShortcuts({
    onHelp: () => open({ name: "shortcuts" }),
    onNewChat: newChat,
    onSearch: sidebar.search,
    onFocusQuestion: () => document.getElementById("question")?.focus(),
  });
  const { dragging, takeAddress } = useGiven({
    draft,
    fetchPicture: features.pictures.fetch,
    onOpen: open,
    onEscape: () => chat.actions.stop(),
    otherView,
  });
  const last = turns.at(-1);
  return (
    <TextsContext.Provider value={t}>
      {view.name === "chat" && (
        <a class="skip-link" href="#question">
          {t.skipToComposer}
        </a>
      )}
      <Header
        {...features}
        dark={dark}
        sidebar={sidebar}
        awayFromChat={view.name !== "chat"}
        onNewChat={newChat}
        onTeach={showLesson}
        onOpen={open}
      />
      {sidebar.isOpen && (
        <ConversationList
          {...features}
          sidebar={sidebar}
          editing={editing}
          onNewChat={newChat}
          onTransfer={() => open({ name: "transfer", files: [] })}
        />
      )}
      {view.name === "teach" ? (
        <TeachPart
          features={features}
          lessonId={view.lessonId}
          given={otherView}
          dragging={dragging}
          viewing={viewing}
          onModels={() => open({ name: "models" })}
        />
      ) : (
        <>
          <Main
            features={features}
            asking={asking}
            editing={editing.value}
            actions={actions}
            beside={beside}
            onModels={() => open({ name: "models" })}
          />
          <Dock
            {...features}
            asking={asking}
            actions={actions}
            onOpen={open}
            onAddress={takeAddress}
            onLesson={showLesson}
            onEditLast={() => {
              editing.value = turns.findLast((turn) => turn.role === "user")?.id;
            }}
          />
        </>
      )}
      <Announcer turn={last?.role === "assistant" ? last : undefined} />
      {dragging && view.name === "chat" && (
        <div class="drop-overlay" aria-hidden="true">
          <p>{t.dropOverlay}</p>
        </div>
      )}
      <Dialogs {...features} dialog={dialog} draft={draft} viewing={viewing} language={language} />
      <Viewer
        viewing={viewing}
        crop={features.pictures.crop}
        onPart={(part) => {
          draft.addPicture(part);
          // Once the dialog is gone; until then the page takes no focus.
          setTimeout(focusQuestion);
        }}
      />
    </TextsContext.Provider>
  );
}

/** Loads the part that shows answers in advance: the first screen does without it, the first answer should not wait for it. */
function usePreloadedTurns(): void {
  useEffect(() => {
    const timer = setTimeout(() => void import("#ui/conversation/Turns.tsx").catch(() => undefined), 1500);
    return () => clearTimeout(timer);
  }, []);
}

interface ConversationListProps extends Pick<AppFeatures, "chat" | "view"> {
  readonly sidebar: SidebarState;
  /** The id of the question that is being edited. */
  readonly editing: Signal<string | undefined>;
  readonly onNewChat: () => void;
  readonly onTransfer: () => void;
}

/** The sidebar with the stored conversations. As a drawer, it closes once one of them is chosen. */
function ConversationList({ chat, view, sidebar, editing, onNewChat, onTransfer }: ConversationListProps): JSX.Element {
  const { conversation, conversations } = chat.state.value;
  return (
    <Sidebar
      conversations={conversations}
      shownId={conversation.id}
      form={sidebar.form}
      searching={sidebar.isSearching}
      thumbnails={chat.thumbnails}
      teaching={view.state.value.name === "teach"}
      onTeach={() => {
        view.show({ name: "teach", lessonId: undefined });
        sidebar.closeDrawer();
      }}
      onNewChat={() => {
        onNewChat();
        sidebar.closeDrawer();
        if (sidebar.form === "column") focusQuestion();
      }}
      onOpen={(id) => {
        editing.value = undefined;
        // Opened before the chat is shown, so that the browser's history gets one entry, not two.
        void chat.actions.open(id).finally(() => view.show({ name: "chat" }));
        sidebar.closeDrawer();
      }}
      onRename={(id, title) => void chat.actions.rename(id, title)}
      onRemove={(id) => void chat.actions.remove(id)}
      onTransfer={() => {
        sidebar.closeDrawer();
        onTransfer();
      }}
      onClose={sidebar.close}
    />
  );
}
