// One conversation in the list: a picture of it, its name and when it was last used, with buttons to rename and delete it.
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { ConversationSummary } from "#chat/persistence/persistence.ts";
import type { Thumbnails } from "#chat/pictures/thumbnails.web.ts";
import { formatWhen } from "./conversation-days.ts";
import { IconButton } from "#ui/parts/IconButton.tsx";
import { ChatIcon, CheckIcon, DeleteIcon, EditIcon } from "#ui/parts/icons.tsx";
import { useTexts } from "#ui/texts/texts.ts";
import { useObjectUrl } from "#ui/parts/use-object-url.ts";

interface EntryProps {
  readonly summary: ConversationSummary;
  readonly shown: boolean;
  readonly thumbnails: Thumbnails;
  readonly onOpen: () => void;
  readonly onRename: (title: string) => void;
  readonly onRemove: () => void;
}

/** A row of the list; `data-testid="conversation-entry"`. */
export function SidebarEntry(props: EntryProps): JSX.Element {
  const { summary, shown, onOpen, onRename, onRemove } = props;
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
            <SidebarPicture summary={summary} thumbnails={props.thumbnails} />
            <span class="sidebar-title">{title}</span>
            <span class="sidebar-time">{formatWhen(t, summary.updatedAt, new Date())}</span>
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
            <IconButton label={t.history.delete} small onClick={onRemove}>
              <DeleteIcon />
            </IconButton>
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

/** Drawn once it comes into view: a long list reads no more pictures than are looked at. */
function SidebarPicture({ summary, thumbnails }: Pick<EntryProps, "summary" | "thumbnails">): JSX.Element {
  const { id, updatedAt } = summary;
  const place = useRef<HTMLSpanElement>(null);
  const [picture, setPicture] = useState<Blob>();
  useEffect(() => {
    if (place.current === null) return undefined;
    let gone = false;
    const observer = new IntersectionObserver((entries) => {
      if (!entries.some((entry) => entry.isIntersecting)) return;
      observer.disconnect();
      void thumbnails.of(id, updatedAt).then((found) => {
        if (!gone) setPicture(found);
      });
    });
    observer.observe(place.current);
    return () => {
      gone = true;
      observer.disconnect();
    };
  }, [id, updatedAt]);
  return (
    <span ref={place} class="sidebar-picture" data-testid="conversation-picture">
      {picture === undefined ? <ChatIcon /> : <Drawn blob={picture} />}
    </span>
  );
}

/** Decoration: the title says what it is about. */
function Drawn({ blob }: { readonly blob: Blob }): JSX.Element {
  const url = useObjectUrl(blob);
  return url === undefined ? <ChatIcon /> : <img src={url} alt="" />;
}
