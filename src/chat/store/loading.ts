// Loads the chosen model, switches to another one, and notices when one dies.
import { advanceLoad, startOfLoad } from "#chat/models/load-progress.ts";
import { MadeRoomError } from "#chat/models/memory.ts";
import type { ModelClient } from "#chat/models/model-client.ts";
import { toFailure } from "#chat/run-turn.ts";
import { answerNext, failModel } from "./answering.ts";
import type { ModelState } from "./chat-state.ts";
import type { LoadUnderWay, StoreContext } from "./store-context.ts";

function setModel({ cell }: StoreContext, model: ModelState): void {
  cell.update((state) => ({ ...state, model }));
}

/** Loads the chosen model, or starts it again after a failure; then answers what waits. Ignored while it loads or is ready. */
export async function startModel(store: StoreContext): Promise<void> {
  if (store.cell.get().model.phase === "ready") return;
  const { client, loads } = store;
  if (loads.has(client)) return;
  const load: LoadUnderWay = { abort: new AbortController(), again: false };
  loads.set(client, load);
  setModel(store, { phase: "loading", progress: startOfLoad });
  try {
    const model = await client.load((event) => {
      const { model: state } = store.cell.get();
      if (store.client !== client || state.phase !== "loading") return;
      setModel(store, { phase: "loading", progress: advanceLoad(state.progress, event) });
    }, load.abort.signal);
    store.loaded.set(client, model);
    if (store.client === client) setModel(store, { phase: "ready", model });
  } catch (error) {
    if (!load.again) failModel(store, client, toFailure(error), load.abort.signal.aborted ? "stopped" : undefined);
  } finally {
    loads.delete(client);
  }
  if (load.again) return startModel(store);
  void answerNext(store);
}

/** Ends the loading; what has been fetched stays stored. `again`: starts over at once, with a new connection. */
export function stopLoading({ client, loads }: StoreContext, again: boolean): void {
  const load = loads.get(client);
  if (load === undefined || load.abort.signal.aborted) return;
  load.again = again;
  load.abort.abort();
}

/** Lets another model go on with the conversation; an answer under way is finished by the one that began it. */
export async function switchModel(store: StoreContext, client: ModelClient): Promise<void> {
  if (client === store.client) return startModel(store);
  store.client = client;
  watchForDeath(store, client);
  const model = store.loaded.get(client);
  if (model === undefined) {
    setModel(store, { phase: "loading", progress: startOfLoad });
    return startModel(store);
  }
  setModel(store, { phase: "ready", model });
  await answerNext(store);
}

/** Notices a death while nothing runs or loads; otherwise the pending call fails and tells of it. */
export function watchForDeath(store: StoreContext, client: ModelClient): void {
  if (store.watched.has(client)) return;
  store.watched.add(client);
  client.onDied((error) => {
    if (store.running?.client === client || store.loads.has(client)) return;
    failModel(store, client, toFailure(error), error instanceof MadeRoomError ? "made-room" : undefined);
  });
}
