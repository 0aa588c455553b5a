// Lets a model of this device compute ahead what the answer to a question will begin with, while the question is still being put
// together. Nothing is sent to a server before it is asked.
import {
  isBusy,
  picturesCarriedOver,
  toMessages,
  turnsInMemory,
  type UserTurn,
} from "#chat/conversation/conversation.ts";
import { toRequest } from "#chat/settings.ts";
import type { PictureKinds } from "#engine/types.ts";
import type { QuestionDraft, StoreContext } from "./store-context.ts";

/** Takes the draft as it is now; undefined, or one that says nothing, ends the preparation. */
export function prepare(store: StoreContext, draft: QuestionDraft | undefined): void {
  const saysSomething = draft !== undefined && (draft.text.trim() !== "" || draft.pictures.length > 0);
  store.draft = saysSomething ? draft : undefined;
  schedulePreparation(store);
}

/** Schedules the preparation anew whenever something changes that the request is made of. */
export function prepareOnChanges(store: StoreContext): void {
  let before: readonly unknown[] = [];
  store.cell.subscribe(({ conversation: { turns, memoryStart }, settings, model }) => {
    const now = [turns, memoryStart, settings, model.phase === "ready" ? model.model : undefined];
    if (now.every((part, i) => part === before[i])) return;
    before = now;
    schedulePreparation(store);
  });
}

/** Stops what is being prepared. Where there is a draft, prepares it if nothing changes for `prepareAfterMs`. */
export function schedulePreparation(store: StoreContext): void {
  const { draft, preparation } = store;
  clearTimeout(preparation?.timer);
  preparation?.abort.abort();
  store.preparation = undefined;
  if (draft === undefined) return;
  const abort = new AbortController();
  const timer = setTimeout(() => {
    // Preparing is optional: what fails here fails again, and is told, when the question is asked.
    prepareDraft(store, draft, abort.signal).catch(() => undefined);
  }, store.prepareAfterMs);
  store.preparation = { timer, abort };
}

async function prepareDraft(store: StoreContext, draft: QuestionDraft, signal: AbortSignal): Promise<void> {
  const { conversation, model, settings } = store.cell.get();
  const isHere = model.phase === "ready" && model.model.host === undefined && model.model.device !== "remote";
  if (!isHere || store.running !== undefined || isBusy(conversation)) return;
  const question: UserTurn = { role: "user", id: "", text: draft.text.trim(), pictures: draft.pictures };
  const messages = toMessages([...turnsInMemory(conversation), question], picturesCarriedOver(conversation));
  const kinds = await store.client.prepare?.(toRequest(settings, messages), signal);
  if (kinds !== undefined && !signal.aborted) notePhotographs(store, draft, kinds);
}

/** The draft's own pictures are the last ones of the request. */
function notePhotographs({ cell }: StoreContext, { pictures }: QuestionDraft, kinds: PictureKinds): void {
  const own = kinds.slice(Math.max(0, kinds.length - pictures.length));
  const photographs = pictures.flatMap(({ id }, i) => (own[i] === "photograph" ? [id] : []));
  const before = cell.get().photographs;
  if (photographs.length === before.length && photographs.every((id, i) => id === before[i])) return;
  cell.update((state) => ({ ...state, photographs }));
}
