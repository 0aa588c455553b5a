// Runs the answer that waits, one at a time, and turns its events into state.
import { changeTurn } from "#chat/conversation/branches.ts";
import { picturesCarriedOver, toMessages, turnsInMemory, type Failure } from "#chat/conversation/conversation.ts";
import { fatalCodes } from "#chat/models/load-once.ts";
import type { ModelClient } from "#chat/models/model-client.ts";
import { queuedTurn, reduceTurn, runTurn, type TurnEvent } from "#chat/run-turn.ts";
import { mostVariations, toRequest, variedSettings } from "#chat/settings.ts";
import { schedulePreparation } from "./preparing.ts";
import { saveNow, saveSoon } from "./saving.ts";
import { setConversation, type StoreContext, type Variation } from "./store-context.ts";

/** Answers the waiting turn if there is one, the model is ready and nothing else is being answered; then goes on with the next. */
export async function answerNext(store: StoreContext): Promise<void> {
  const { cell, client } = store;
  const { conversation, model, settings } = cell.get();
  const waiting = conversation.turns.at(-1);
  if (
    store.running !== undefined ||
    model.phase !== "ready" ||
    waiting?.role !== "assistant" ||
    waiting.status !== "queued"
  )
    return;
  const turnId = waiting.id;
  const abort = new AbortController();
  store.running = { turnId, client, abort };
  const { device, id, name, host } = model.model;
  applyEvent(store, turnId, {
    type: "started",
    device,
    model: { id, name, ...(host === undefined ? {} : { host }) },
  });
  const turns = turnsInMemory(conversation);
  const variation = store.variations.get(turnId);
  const outcome = { repeated: false };
  await runTurn(
    client,
    toRequest(
      variation === undefined ? settings : variedSettings(settings, variation.tries),
      // An answer that has words already is continued.
      toMessages(waiting.text === "" ? turns.slice(0, -1) : turns, picturesCarriedOver(conversation)),
    ),
    abort.signal,
    (event) => {
      outcome.repeated = event.type === "done" && event.reason !== "abort" && isRepetition(store, turnId, variation);
      if (outcome.repeated) return;
      applyEvent(store, turnId, event);
      if (event.type === "failed" && fatalCodes.has(event.failure.code)) failModel(store, client, event.failure);
    },
  );
  store.running = undefined;
  store.variations.delete(turnId);
  if (outcome.repeated && variation !== undefined) tryAnotherVariation(store, turnId, variation);
  schedulePreparation(store);
  // A question may have been asked in another conversation while the old answer was ending.
  await answerNext(store);
}

/** Changes the answer and saves it; ignored where another conversation is shown by now. */
function applyEvent(store: StoreContext, turnId: string, event: TurnEvent): void {
  const { conversation } = store.cell.get();
  if (!conversation.turns.some((turn) => turn.id === turnId)) return;
  setConversation(
    store,
    changeTurn(conversation, turnId, (turn) => reduceTurn(turn, event)),
  );
  if (event.type === "stage" || event.type === "waiting") return;
  if (event.type === "text") saveSoon(store);
  else saveNow(store);
}

/** Ends the answer under way, or takes a waiting one out of the queue. */
export function stopAnswer(store: StoreContext): void {
  const last = store.cell.get().conversation.turns.at(-1);
  if (store.running !== undefined && last?.id === store.running.turnId) store.running.abort.abort();
  else if (last?.role === "assistant") applyEvent(store, last.id, { type: "stopped" });
}

/** Ends the answer under way before another conversation is shown: its own last event would come too late. */
export function leaveRunningAnswer(store: StoreContext): void {
  if (store.running === undefined) return;
  const { turnId, abort } = store.running;
  applyEvent(store, turnId, { type: "stopped" });
  abort.abort();
}

/** The model can't be used any more; the page shows that only of the chosen one. */
export function failModel(
  { cell, client, loaded }: StoreContext,
  failed: ModelClient,
  failure: Failure,
  ended?: "stopped" | "made-room",
): void {
  loaded.delete(failed);
  if (failed === client) cell.update((state) => ({ ...state, model: { phase: "failed", failure, ended } }));
}

/** Whether the answer repeats an earlier one, and another attempt is left. */
function isRepetition({ cell }: StoreContext, turnId: string, variation: Variation | undefined): boolean {
  if (variation === undefined) return false;
  const { unlike, tries } = variation;
  const last = cell.get().conversation.turns.at(-1);
  return last?.id === turnId && tries + 1 < mostVariations && unlike.has(last.text.trim());
}

/** Replaces the answer with another waiting one, which is sampled with more randomness. */
function tryAnotherVariation(store: StoreContext, turnId: string, { unlike, tries }: Variation): void {
  const { conversation } = store.cell.get();
  if (conversation.turns.at(-1)?.id !== turnId) return;
  const again = queuedTurn(store.newId(), store.now());
  store.variations.set(again.id, { unlike, tries: tries + 1 });
  setConversation(store, { ...conversation, turns: [...conversation.turns.slice(0, -1), again] });
  saveNow(store);
}
