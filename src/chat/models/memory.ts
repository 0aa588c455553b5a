// Which models of this device are loaded, and which of them makes room for another. Knows no page and no worker.
import { EngineError } from "#engine/errors.ts";
import type { ModelClient } from "./model-client.ts";
import { createCell, type Observable } from "#chat/observable.ts";

/** A client that can be ended: what it has loaded is gone then, and its next load brings it again. */
export type EndableClient = ModelClient & { dispose(): void };

/** The model was ended because another one needed its memory. */
export class MadeRoomError extends EngineError {
  constructor(id: string) {
    super("worker-dead", `${id} made room for another model`);
  }
}

/** The ids of what is loaded, the one that was used last at the end. */
export interface ModelMemory extends Observable<readonly string[]> {
  /** The same client, known here: the least recently used others are ended before a load that they leave no room for. */
  watch(id: string, client: EndableClient): ModelClient;
  /** Ends the model, after the answer that it may be giving. */
  release(id: string): void;
}

/** Activations and caches beside the weights. */
const besideWeights = 1.25;
/** The browser and the system need the rest. */
const usableMemory = 0.75;
/** Where a browser does not tell. */
const usualMemoryBytes = 4 * 2 ** 30;

/** What may be loaded at a time, of a machine with so much memory; weights count with what they need beside them. */
export function memoryForModels(machineBytes: number | undefined): number {
  return (machineBytes ?? usualMemoryBytes) * usableMemory;
}

interface Held {
  readonly id: string;
  readonly client: EndableClient;
  readonly listeners: Set<(error: Error) => void>;
  /** Of its package; 0 until it is known. */
  bytes: number;
  loaded: boolean;
  /** Loads and answers under way. */
  busy: number;
  released: boolean;
}

/** Nothing is loaded yet. */
export function createModelMemory(availableBytes: number): ModelMemory {
  const cell = createCell<readonly string[]>([]);
  /** The one that was used last at the end. */
  let held: Held[] = [];

  const tell = (): void => cell.set(held.filter(({ loaded }) => loaded).map(({ id }) => id));
  const touch = (one: Held): void => {
    held = [...held.filter((other) => other !== one), one];
    tell();
  };
  const needed = (): number =>
    held.filter(({ loaded, busy }) => loaded || busy > 0).reduce((sum, { bytes }) => sum + bytes * besideWeights, 0);
  const end = (one: Held, error: Error): void => {
    one.loaded = false;
    one.client.dispose();
    for (const listener of one.listeners) listener(error);
  };
  const makeRoom = (): void => {
    for (const one of held.slice(0, -1)) {
      if (needed() <= availableBytes) break;
      if (one.loaded && one.busy === 0) end(one, new MadeRoomError(one.id));
    }
    tell();
  };
  const settle = (one: Held): void => {
    one.busy--;
    if (one.released && one.busy === 0) end(one, new EngineError("worker-dead", `${one.id} was let go`));
    if (one.released) held = held.filter((other) => other !== one);
    makeRoom();
  };

  return {
    get: () => cell.get(),
    subscribe: (listener) => cell.subscribe(listener),
    watch(id, client) {
      const one: Held = { id, client, listeners: new Set(), bytes: 0, loaded: false, busy: 0, released: false };
      held = [one, ...held];
      client.onDied((error) => {
        one.loaded = false;
        tell();
        for (const listener of one.listeners) listener(error);
      });
      return {
        async load(onEvent, signal) {
          one.busy++;
          one.released = false;
          touch(one);
          try {
            const ready = await client.load((event) => {
              if (event.type === "download" && event.total > 0 && event.total !== one.bytes) {
                one.bytes = event.total;
                makeRoom();
              }
              onEvent(event);
            }, signal);
            one.loaded = true;
            return ready;
          } catch (error) {
            one.loaded = false;
            throw error;
          } finally {
            settle(one);
          }
        },
        async *generate(request, signal, adapter) {
          one.busy++;
          touch(one);
          try {
            yield* client.generate(request, signal, adapter);
          } finally {
            settle(one);
          }
        },
        ...(client.prepare && { prepare: client.prepare.bind(client) }),
        onDied(listener) {
          one.listeners.add(listener);
          return () => one.listeners.delete(listener);
        },
      };
    },
    release(id) {
      for (const one of held.filter((other) => other.id === id)) {
        if (one.busy > 0) {
          one.released = true;
          continue;
        }
        held = held.filter((other) => other !== one);
        if (one.loaded) end(one, new EngineError("worker-dead", `${id} was let go`));
      }
      tell();
    },
  };
}
