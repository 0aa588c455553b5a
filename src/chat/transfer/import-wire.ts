// The messages between the page and the import's worker. Types only.
import type { Conversation } from "#chat/conversation/conversation.ts";
import type { ImportEnd } from "./import.ts";

/** To the worker: the files, once; then "next" for each conversation that has been stored. */
export type ImportRequest = { readonly files: readonly File[]; readonly now: number } | "next";

export type ImportReply =
  | { readonly kind: "conversation"; readonly conversation: Conversation }
  | ({ readonly kind: "end" } & ImportEnd)
  | { readonly kind: "failed"; readonly message: string };
