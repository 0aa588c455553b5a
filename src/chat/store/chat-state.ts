// The state that the page shows. Types only.
import type { Conversation, Failure } from "#chat/conversation/conversation.ts";
import type { LoadProgress } from "#chat/models/load-progress.ts";
import type { ReadyModel } from "#chat/models/model-client.ts";
import type { ConversationSummary } from "#chat/persistence/persistence.ts";
import type { Settings } from "#chat/settings.ts";

export type ModelState =
  | { readonly phase: "loading"; readonly progress: LoadProgress }
  | { readonly phase: "ready"; readonly model: ReadyModel }
  /** `ended`: nothing went wrong; somebody stopped the loading, or another model needed the memory. */
  | { readonly phase: "failed"; readonly failure: Failure; readonly ended?: "stopped" | "made-room" | undefined };

export interface Unsaved {
  /** Whether the browser's storage is full, or gives nothing at all. */
  readonly cause: "full" | "blocked";
  /** How many of the last turns; 0 where only pictures are missing. */
  readonly turns: number;
  /** Whether what came before them is kept. */
  readonly isPart: boolean;
  readonly pictures: number;
}

export type Arrival =
  /** An earlier page ended while it drew this conversation. */
  | { readonly kind: "crashed"; readonly id: string; readonly title: string }
  /** The page's address names a conversation that is not here. */
  | { readonly kind: "missing" };

export interface ChatState {
  readonly conversation: Conversation;
  /** All that are kept, newest first; the shown one too once something was asked in it. */
  readonly conversations: readonly ConversationSummary[];
  readonly model: ModelState;
  readonly settings: Settings;
  /** What of the shown conversation is not kept, and gone after a reload; undefined when all of it is. */
  readonly unsaved?: Unsaved | undefined;
  /** Another tab has deleted the shown conversation: nothing more is kept of it until the user decides. */
  readonly deletedElsewhere?: boolean;
  /** Whether what was kept has been looked at: then it is known what the page shows first. */
  readonly restored: boolean;
  /** Why the page does not show what it was to show. */
  readonly arrival?: Arrival | undefined;
  /** What was just deleted and can be brought back. */
  readonly undo?: "conversation" | "turns" | undefined;
  /** Another tab had gone on with this conversation, and what it added was joined in. */
  readonly joined?: boolean;
}
