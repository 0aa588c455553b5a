// The state that the page shows. Types only.
import type { Conversation, Failure } from "#chat/conversation/conversation.ts";
import type { LoadProgress } from "#chat/models/load-progress.ts";
import type { ReadyModel } from "#chat/models/model-client.ts";
import type { ConversationSummary } from "#chat/persistence/persistence.ts";
import type { Settings } from "#chat/settings.ts";

export type ModelState =
  | { readonly phase: "loading"; readonly progress: LoadProgress }
  | { readonly phase: "ready"; readonly model: ReadyModel }
  /** With `ended` nothing went wrong: the user stopped the loading, or another model needed the memory. */
  | { readonly phase: "failed"; readonly failure: Failure; readonly ended?: "stopped" | "made-room" | undefined };

/** What of the shown conversation could not be saved. */
export interface Unsaved {
  /** Whether the browser's storage is full, or can't be used at all. */
  readonly cause: "full" | "blocked";
  /** How many of its last turns; 0 where only pictures are missing. */
  readonly turns: number;
  /** Whether the turns before them are saved. */
  readonly isPart: boolean;
  /** How many pictures. */
  readonly pictures: number;
}

/** Why the page does not show the conversation that it should. */
export type Arrival =
  /** An earlier page ended while it drew this conversation. */
  | { readonly kind: "crashed"; readonly id: string; readonly title: string }
  /** The page's address names a conversation that is not here. */
  | { readonly kind: "missing" };

export interface ChatState {
  readonly conversation: Conversation;
  /** All saved conversations, newest first; the shown one, too, once something was asked in it. */
  readonly conversations: readonly ConversationSummary[];
  readonly model: ModelState;
  readonly settings: Settings;
  /** Ids of the pictures of the question that is put together which the model's vision encoder takes for photographs. */
  readonly photographs: readonly string[];
  /** Undefined when all of the shown conversation is saved; what is not is gone after a reload. */
  readonly unsaved?: Unsaved | undefined;
  /** Another tab has deleted the shown conversation: nothing more of it is saved until the user decides. */
  readonly deletedElsewhere?: boolean;
  /** Whether the saved conversations have been read: before that it is not known what the page shows first. */
  readonly restored: boolean;
  readonly arrival?: Arrival | undefined;
  /** What was just deleted and can be brought back. */
  readonly undo?: "conversation" | "turns" | undefined;
  /** Another tab had gone on with this conversation, and what it added was joined in. */
  readonly joined?: boolean;
}
