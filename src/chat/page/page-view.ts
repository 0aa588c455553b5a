// What the middle of the page shows: the chat, or the view in which a model is taught. Each has an address after the "#".
import { createCell, type Cell } from "#chat/observable.ts";

export type PageView =
  | { readonly name: "chat" }
  /** The list of lessons, or one of them. */
  | { readonly name: "teach"; readonly lessonId: string | undefined };

const start = "#/teach";

/** The view that an address's hash names; the chat where it names none. */
export function viewIn(hash: string): PageView {
  if (hash === start || hash === `${start}/`) return { name: "teach", lessonId: undefined };
  if (!hash.startsWith(`${start}/`)) return { name: "chat" };
  const id = hash.slice(start.length + 1);
  return { name: "teach", lessonId: /^[\w~.-]{1,100}$/.test(id) ? id : undefined };
}

/** The hash of a view; undefined for the chat, whose conversations have addresses of their own. */
export function hashOf(view: PageView): string | undefined {
  if (view.name === "chat") return undefined;
  return view.lessonId === undefined ? start : `${start}/${view.lessonId}`;
}

/** The view that the page's address names at first. */
export function createPageView(hash: string): Cell<PageView> {
  return createCell(viewIn(hash));
}
