// The list of conversations: New chat, search, and the conversations by day. A column beside the page where that is wide, a drawer
// elsewhere.
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { ConversationSummary } from "#chat/persistence/persistence.ts";
import type { Thumbnails } from "#chat/pictures/thumbnails.web.ts";
import { groupByDay } from "./conversation-days.ts";
import { CloseIcon, NewChatIcon, SearchIcon, TeachIcon } from "#ui/parts/icons.tsx";
import { SidebarEntry } from "./SidebarEntry.tsx";
import { useTexts } from "#ui/texts/texts.ts";
import { useModal } from "#ui/parts/use-modal.ts";

interface SidebarProps {
  readonly conversations: readonly ConversationSummary[];
  readonly shownId: string;
  /** Beside the page, or over it until something is chosen. */
  readonly form: "column" | "drawer";
  /** The keyboard goes to the search at once. */
  readonly searching: boolean;
  readonly thumbnails: Thumbnails;
  readonly onNewChat: () => void;
  /** Opens the view in which a model is taught. */
  readonly onTeach: () => void;
  /** The view in which a model is taught is shown, and no conversation. */
  readonly teaching: boolean;
  readonly onOpen: (id: string) => void;
  readonly onRename: (id: string, title: string) => void;
  readonly onRemove: (id: string) => void;
  /** Opens export and import. */
  readonly onTransfer: () => void;
  readonly onClose: () => void;
}

/** `data-testid="sidebar"`; each entry is `data-testid="conversation-entry"`. */
export function Sidebar(props: SidebarProps): JSX.Element {
  const t = useTexts();
  if (props.form === "drawer") return <Drawer {...props} />;
  return (
    <nav id="sidebar" class="sidebar" aria-label={t.history.title} data-testid="sidebar">
      <List {...props} />
    </nav>
  );
}

function Drawer(props: SidebarProps): JSX.Element {
  const t = useTexts();
  const modal = useModal(props.onClose);
  return (
    <dialog
      ref={modal.ref}
      id="sidebar"
      class="drawer"
      aria-label={t.history.title}
      data-testid="sidebar"
      onClose={modal.onClose}
      onClick={(event) => {
        if (event.target === modal.ref.current) props.onClose();
      }}
    >
      <div class="drawer-inner">
        <List {...props} />
      </div>
    </dialog>
  );
}

function List(props: SidebarProps): JSX.Element {
  const t = useTexts();
  const [words, setWords] = useState("");
  const search = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (props.searching) search.current?.focus();
  }, [props.searching]);
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
  const found = props.conversations.filter((one) => wanted.every((word) => one.words.includes(word)));
  return (
    <>
      <div class="sidebar-head">
        <h2 class="visually-hidden">{t.history.title}</h2>
        <button type="button" class="sidebar-new" onClick={props.onNewChat}>
          <NewChatIcon />
          {t.newChat}
        </button>
        <button type="button" class="icon-button icon-button-small" aria-label={t.history.hide} onClick={props.onClose}>
          <CloseIcon />
        </button>
      </div>
      <button
        type="button"
        class="sidebar-new sidebar-teach"
        aria-current={props.teaching ? "page" : undefined}
        onClick={props.onTeach}
      >
        <TeachIcon />
        {t.teachMenu}
      </button>
      {props.conversations.length > 0 && (
        <label class="sidebar-search">
          <SearchIcon />
          <input
            ref={search}
            type="search"
            aria-label={t.history.search}
            placeholder={t.history.search}
            value={words}
            onInput={(event) => setWords(event.currentTarget.value)}
          />
        </label>
      )}
      <p class="visually-hidden" role="status">
        {wanted.length > 0 && found.length > 0 ? t.history.found(found.length) : ""}
      </p>
      {found.length === 0 && (
        <p class="sidebar-note" role="status">
          {wanted.length > 0 ? t.history.noMatch(words.trim()) : t.history.empty}
        </p>
      )}
      {groupByDay(t, found, new Date()).map(({ title, conversations }) => (
        <section key={title} aria-label={title}>
          <h3 class="small-title sidebar-day">{title}</h3>
          <ul class="sidebar-list">
            {conversations.map((one) => (
              <SidebarEntry
                key={one.id}
                summary={one}
                shown={one.id === props.shownId && !props.teaching}
                thumbnails={props.thumbnails}
                onOpen={() => props.onOpen(one.id)}
                onRename={(name) => props.onRename(one.id, name)}
                onRemove={() => {
                  props.onRemove(one.id);
                  search.current?.focus();
                }}
              />
            ))}
          </ul>
        </section>
      ))}
      <p class="sidebar-foot">
        <button type="button" class="link-button" onClick={props.onTransfer}>
          {t.transfer.title}
        </button>
      </p>
    </>
  );
}
