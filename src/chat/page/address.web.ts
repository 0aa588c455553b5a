// The address of a conversation, or of another view: Back leads to what was shown before, a bookmark opens it. It stands after the "#", so
// that it works on any static host.
import type { Conversation } from "#chat/conversation/conversation.ts";
import type { Cell, Observable } from "#chat/observable.ts";
import { hashOf, viewIn, type PageView } from "./page-view.ts";

/** What the address follows and changes: the conversation that is shown, among the saved ones. */
interface ShownConversation extends Observable<{
  readonly conversation: Conversation;
  readonly conversations: readonly { readonly id: string }[];
}> {
  open(id: string): Promise<void>;
  newChat(): void;
  tellMissing(): void;
}

const start = "#/c/";

/** The id in an address's hash; undefined where it names no conversation. */
export function conversationIn(hash: string): string | undefined {
  if (!hash.startsWith(start)) return undefined;
  const id = hash.slice(start.length);
  return /^[\w~.-]{1,100}$/.test(id) ? id : undefined;
}

/** Keeps the address and what is shown the same from now on, whichever changes. */
export function bindAddress(chat: ShownConversation, view: Cell<PageView>): void {
  const shownId = (): string | undefined => {
    const { id, turns } = chat.get().conversation;
    return turns.length > 0 ? id : undefined;
  };
  /** Set while an address is being followed, which is right already. */
  let following = false;
  let before = chat.get().conversation.id;
  const write = (how: "push" | "replace"): void => {
    const url = new URL(location.href);
    const id = shownId();
    url.hash = hashOf(view.get()) ?? (id === undefined ? "" : start + id);
    if (url.href === location.href) return;
    if (how === "push") history.pushState(history.state, "", url);
    else history.replaceState(history.state, "", url);
  };
  write("replace");
  chat.subscribe(({ conversation: { id }, conversations }) => {
    if (following || view.get().name !== "chat" || conversationIn(location.hash) === shownId()) {
      before = id;
      return;
    }
    // A first question replaces the entry of its empty chat, and one must not come back to a deleted conversation.
    const named = conversationIn(location.hash);
    const isGone = named !== undefined && !conversations.some((other) => other.id === named);
    write(id === before || isGone ? "replace" : "push");
    before = id;
  });
  view.subscribe(() => {
    if (!following) write("push");
  });
  addEventListener("popstate", () => {
    const wanted = conversationIn(location.hash);
    const wantedView = viewIn(location.hash);
    // "#question" is an anchor on the page.
    if (wanted === undefined && wantedView.name === "chat" && location.hash !== "") return write("replace");
    following = true;
    view.set(wantedView);
    following = false;
    if (wantedView.name !== "chat" || wanted === shownId()) return;
    following = true;
    const opened = wanted === undefined ? Promise.resolve(chat.newChat()) : chat.open(wanted);
    void opened.finally(() => {
      following = false;
      before = chat.get().conversation.id;
      if (wanted === shownId()) return;
      chat.tellMissing();
      write("replace");
    });
  });
}
