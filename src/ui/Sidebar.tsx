// The list of conversations: search, open, rename, delete. A column beside the page where that is wide, a drawer elsewhere.
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { ConversationSummary } from "#chat/persistence.ts";
import { CheckIcon, CloseIcon, DeleteIcon, EditIcon, SearchIcon } from "./icons.tsx";
import { useTexts, type Texts } from "./texts/texts.ts";
import { useModal } from "./use-modal.ts";

interface SidebarProps {
  readonly conversations: readonly ConversationSummary[];
  readonly shownId: string;
  /** Beside the page, or over it until something is chosen. */
  readonly form: "column" | "drawer";
  /** The keyboard goes to the search at once. */
  readonly searching: boolean;
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
      <header class="sidebar-head">
        <h2 class="small-title">{t.history.title}</h2>
        <button type="button" class="icon-button icon-button-small" aria-label={t.history.hide} onClick={props.onClose}>
          <CloseIcon />
        </button>
      </header>
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
      <ul class="sidebar-list">
        {found.map((one) => (
          <Entry
            key={one.id}
            summary={one}
            shown={one.id === props.shownId}
            onOpen={() => props.onOpen(one.id)}
            onRename={(title) => props.onRename(one.id, title)}
            onRemove={() => {
              props.onRemove(one.id);
              search.current?.focus();
            }}
          />
        ))}
      </ul>
      <p class="sidebar-foot">
        <button type="button" class="link-button" onClick={props.onTransfer}>
          {t.transfer.title}
        </button>
      </p>
    </>
  );
}

interface EntryProps {
  readonly summary: ConversationSummary;
  readonly shown: boolean;
  readonly onOpen: () => void;
  readonly onRename: (title: string) => void;
  readonly onRemove: () => void;
}

function Entry({ summary, shown, onOpen, onRename, onRemove }: EntryProps): JSX.Element {
  const t = useTexts();
  const [renaming, setRenaming] = useState(false);
  const renameButton = useRef<HTMLButtonElement>(null);
  const title = summary.title === "" ? t.history.untitled : summary.title;
  const wasRenaming = useRef(false);
  useEffect(() => {
    if (wasRenaming.current && !renaming) renameButton.current?.focus();
    wasRenaming.current = renaming;
  }, [renaming]);
  return (
    <li class={`sidebar-entry${shown ? " sidebar-entry-shown" : ""}`} data-testid="conversation-entry">
      {renaming ? (
        <RenameForm
          title={summary.title}
          onDone={(next) => {
            if (next !== undefined) onRename(next);
            setRenaming(false);
          }}
        />
      ) : (
        <>
          <button type="button" class="sidebar-open" aria-current={shown ? "true" : undefined} onClick={onOpen}>
            <span class="sidebar-title">{title}</span>
            <span class="sidebar-time">{formatDay(t, summary.updatedAt)}</span>
          </button>
          <span class="sidebar-tools" role="group" aria-label={t.history.options(title)}>
            <button
              ref={renameButton}
              type="button"
              class="icon-button icon-button-small"
              aria-label={t.history.rename}
              title={t.history.rename}
              onClick={() => setRenaming(true)}
            >
              <EditIcon />
            </button>
            <button
              type="button"
              class="icon-button icon-button-small"
              aria-label={t.history.delete}
              title={t.history.delete}
              onClick={onRemove}
            >
              <DeleteIcon />
            </button>
          </span>
        </>
      )}
    </li>
  );
}

interface RenameFormProps {
  readonly title: string;
  /** Undefined when it was given up. */
  readonly onDone: (title: string | undefined) => void;
}

function RenameForm({ title, onDone }: RenameFormProps): JSX.Element {
  const t = useTexts();
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => input.current?.select(), []);
  return (
    <form
      class="sidebar-rename"
      onSubmit={(event) => {
        event.preventDefault();
        onDone(input.current?.value);
      }}
      onKeyDown={(event) => {
        if (event.key !== "Escape" || event.isComposing) return;
        // Neither the drawer nor a running answer is meant.
        event.preventDefault();
        event.stopPropagation();
        onDone(undefined);
      }}
    >
      <input ref={input} type="text" maxLength={200} aria-label={t.history.renameLabel} defaultValue={title} />
      <button type="submit" class="icon-button icon-button-small" aria-label={t.history.rename}>
        <CheckIcon />
      </button>
    </form>
  );
}

/** The time today, else the day; nothing where it was not noted. */
function formatDay(texts: Texts, time: number): string {
  if (time === 0) return "";
  const date = new Date(time);
  const now = new Date();
  const today = date.toDateString() === now.toDateString();
  const options: Intl.DateTimeFormatOptions = today
    ? { hour: "numeric", minute: "2-digit" }
    : { day: "numeric", month: "short", ...(date.getFullYear() === now.getFullYear() ? {} : { year: "numeric" }) };
  return date.toLocaleString(texts.tag, options);
}
