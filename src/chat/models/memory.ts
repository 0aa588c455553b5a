// Which models of this device are loaded, and which of them are ended when another one needs their memory. Knows no page and no worker.
import { EngineError } from "#engine/errors.ts";
import type { ModelClient } from "./model-client.ts";
import { createCell, type Cell, type Observable } from "#chat/observable.ts";

/** A client that can be ended: what it has loaded is gone then, until its next load. */
export type EndableClient = ModelClient & { dispose(): void };

/** The model has been ended because another one needed its memory. */
export class MadeRoomError extends EngineError {
  constructor(id: string) {
    super("worker-dead", `${id} made room for another model`);
  }
}

/** The ids of what is loaded, the one that was used last at the end. */
export interface ModelMemory extends Observable<readonly string[]> {
  /** Wraps the client: before a load, the least recently used other models are ended until it has room. */
  watch(id: string, client: EndableClient): ModelClient;
  /** Ends the model, after the answer that it may be giving. */
  release(id: string): void;
}

/** A model takes this many times its weights, with activations and caches. */
const memoryPerWeight = 1.25;
/** The share of the machine's memory that models may take; the browser and the system need the rest. */
const usableMemory = 0.75;
/** What a machine is taken to have where the browser does not tell. */
const usualMemoryBytes = 4 * 2 ** 30;

/** How many bytes loaded models may take at a time on a machine with so much memory. */
export function memoryForModels(machineBytes: number | undefined): number {
  return (machineBytes ?? usualMemoryBytes) * usableMemory;
}

interface Held {
  readonly id: string;
  readonly client: EndableClient;
  readonly listeners: Set<(error: Error) => void>;
  /** Bytes of the model's package; 0 until they are known. */
  bytes: number;
  loaded: boolean;
  /** How many loads and answers are under way. */
  busy: number;
  /** Whether the model ends as soon as it is no longer busy. */
  released: boolean;
}

/** What the functions below work on. */
interface Context {
  readonly availableBytes: number;
  readonly cell: Cell<readonly string[]>;
  /** The one that was used last at the end. */
  held: readonly Held[];
}

/** Nothing is loaded yet. */
export function createModelMemory(availableBytes: number): ModelMemory {
  const context: Context = { availableBytes, cell: createCell<readonly string[]>([]), held: [] };
  return {
    get: () => context.cell.get(),
    subscribe: (listener) => context.cell.subscribe(listener),
    watch(id, client) {
      const one: Held = { id, client, listeners: new Set(), bytes: 0, loaded: false, busy: 0, released: false };
      context.held = [one, ...context.held];
      client.onDied((error) => {
        one.loaded = false;
        publish(context);
        for (const listener of one.listeners) listener(error);
      });
      return createWatchedClient(context, one);
    },
    release(id) {
      for (const one of context.held.filter((other) => other.id === id)) {
        if (one.busy > 0) {
          one.released = true;
          continue;
        }
        context.held = context.held.filter((other) => other !== one);
        if (one.loaded) end(one, new EngineError("worker-dead", `${id} was let go`));
      }
      publish(context);
    },
  };
}

/** The client, but its loads and answers are counted as uses of the memory. */
function createWatchedClient(context: Context, one: Held): ModelClient {
  const { client, listeners } = one;
  return {
    async load(onEvent, signal) {
      one.busy++;
      one.released = false;
      markUsed(context, one);
      try {
        const ready = await client.load((event) => {
          if (event.type === "download" && event.total > 0 && event.total !== one.bytes) {
            one.bytes = event.total;
            makeRoom(context);
          }
          onEvent(event);
        }, signal);
        one.loaded = true;
        return ready;
      } catch (error) {
        one.loaded = false;
        throw error;
      } finally {
        settle(context, one);
      }
    },
    async *generate(request, signal, adapter) {
      one.busy++;
      markUsed(context, one);
      try {
        yield* client.generate(request, signal, adapter);
      } finally {
        settle(context, one);
      }
    },
    ...(client.prepare && { prepare: client.prepare.bind(client) }),
    onDied(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

function publish({ cell, held }: Context): void {
  cell.set(held.filter(({ loaded }) => loaded).map(({ id }) => id));
}

function markUsed(context: Context, one: Held): void {
  context.held = [...context.held.filter((other) => other !== one), one];
  publish(context);
}

/** Ends the least recently used models that are not busy, until the others have room. */
function makeRoom(context: Context): void {
  for (const one of context.held.slice(0, -1)) {
    if (neededBytes(context) <= context.availableBytes) break;
    if (one.loaded && one.busy === 0) end(one, new MadeRoomError(one.id));
  }
  publish(context);
}

const neededBytes = ({ held }: Context): number =>
  held.filter(({ loaded, busy }) => loaded || busy > 0).reduce((sum, { bytes }) => sum + bytes * memoryPerWeight, 0);

/** A load or an answer has ended. */
function settle(context: Context, one: Held): void {
  one.busy--;
  if (one.released && one.busy === 0) end(one, new EngineError("worker-dead", `${one.id} was let go`));
  if (one.released) context.held = context.held.filter((other) => other !== one);
  makeRoom(context);
}

function end(one: Held, error: Error): void {
  one.loaded = false;
  one.client.dispose();
  for (const listener of one.listeners) listener(error);
}
