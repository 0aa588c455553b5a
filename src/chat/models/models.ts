// The models that can be chosen, and which one is. A source (this device, a server) offers models and may change its offer at any time.
// Knows no page, no storage and not how a model runs.
import type { ModelClient } from "./model-client.ts";
import { loadOnce } from "./load-once.ts";
import { createCell, type Observable } from "#chat/observable.ts";

/** A model that can be chosen. Where it has a `host`, everything it is asked is sent there. */
export interface ModelChoice {
  readonly id: string;
  readonly name: string;
  readonly host?: string;
}

/** `connect` is called once, when the model is first asked for; it must not load anything yet. */
export interface ModelOffer extends ModelChoice {
  connect(): ModelClient;
}

export interface ModelsState {
  /** In the order of the sources, and of each source's offer. */
  readonly choices: readonly ModelChoice[];
  readonly selected: ModelChoice;
}

export interface ModelRegistry extends Observable<ModelsState> {
  /**
   * Replaces what the source offered before; an offer that is the same object keeps its client. Where the chosen model is no longer
   * among them, it stays chosen.
   */
  offer(source: string, offers: readonly ModelOffer[]): void;
  /** The first model with this id, this name, or this id on a server; undefined when there is none. */
  find(wanted: string): ModelChoice | undefined;
  /** A model's client, the same one every time, whose `load` loads once; undefined when no source offers it. */
  client(id: string): ModelClient | undefined;
  /** Chooses it and gives its client. */
  select(id: string): ModelClient | undefined;
}

/** A registry with one model, which is chosen. `onGone` is called with each model whose client is no longer handed out. */
export function createModelRegistry(
  source: string,
  first: ModelOffer,
  onGone: (id: string) => void = () => undefined,
): ModelRegistry {
  const offers = new Map<string, readonly ModelOffer[]>([[source, [first]]]);
  const clients = new Map<string, ModelClient>();
  const all = (): ModelOffer[] => [...offers.values()].flat();
  const toChoice = ({ id, name, host }: ModelOffer): ModelChoice => ({
    id,
    name,
    ...(host === undefined ? {} : { host }),
  });
  const cell = createCell<ModelsState>({ choices: [toChoice(first)], selected: toChoice(first) });

  const clientOf = (id: string): ModelClient | undefined => {
    const offer = all().find((candidate) => candidate.id === id);
    const client = clients.get(id) ?? (offer === undefined ? undefined : loadOnce(offer.connect()));
    if (client !== undefined) clients.set(id, client);
    return offer === undefined ? undefined : client;
  };

  return {
    client: clientOf,
    get: () => cell.get(),
    subscribe: (listener) => cell.subscribe(listener),
    offer(from, offered) {
      // An offer that is another object may have another address or key, so its client is made anew.
      for (const { id } of (offers.get(from) ?? []).filter((offer) => !offered.includes(offer)))
        if (clients.delete(id)) onGone(id);
      offers.set(from, offered);
      const choices = all().map(toChoice);
      cell.update(({ selected }) => ({ choices, selected }));
    },
    find: (wanted) => {
      const { choices } = cell.get();
      return (
        choices.find(({ id }) => id === wanted) ??
        choices.find(({ name }) => name === wanted) ??
        choices.find(({ id }) => id.slice(id.indexOf(separator) + 1) === wanted)
      );
    },
    select(id) {
      const offer = all().find((candidate) => candidate.id === id);
      if (offer === undefined) return undefined;
      cell.update((state) => ({ ...state, selected: toChoice(offer) }));
      return clientOf(id);
    },
  };
}

const separator = "/";

/** The id of a source's model: no two sources have the same. */
export function idOnSource(source: string, modelId: string): string {
  return `${source}${separator}${modelId}`;
}
