// What choosing, deleting and downloading a model means for the chat: which model answers next, and what is remembered.
import type { ModelClient } from "#chat/models/model-client.ts";
import type { ModelMemory } from "#chat/models/memory.ts";
import type { ModelRegistry } from "#chat/models/models.ts";
import type { Servers } from "#chat/servers/servers.ts";
import type { StoredModels } from "#chat/models/storage.ts";

interface ModelActionsOptions {
  readonly registry: Pick<ModelRegistry, "get" | "select" | "client" | "find">;
  readonly memory: Pick<ModelMemory, "release">;
  readonly stored: Pick<StoredModels, "forget" | "refresh">;
  readonly servers: Pick<Servers, "remove">;
  /** Always offered: it takes the place of a model that is gone. */
  readonly builtInId: string;
  readonly switchModel: (client: ModelClient) => Promise<void>;
  /** Remembers the choice for the next visit. */
  readonly remember: (id: string) => void;
}

interface ModelActions {
  /** Chooses the model, for the next visit, too. */
  select(id: string): void;
  /** Deletes a stored model, from memory, too. */
  forget(id: string): Promise<"done" | "in-use">;
  removeServer(id: string): void;
  /** Goes on with a downloaded model, unless another one is chosen while it loads; false where it does not. */
  useDownloaded(id: string): Promise<boolean>;
  /**
   * Looks for the model that the visit should begin with among the stored ones, and goes on with it; false where it is not among them. It does
   * not change what is remembered.
   */
  findStored(wanted: string): Promise<boolean>;
}

export function createModelActions(options: ModelActionsOptions): ModelActions {
  const { registry, memory, stored, servers, builtInId, switchModel, remember } = options;

  const select = (id: string): void => {
    const client = registry.select(id);
    if (client === undefined) return;
    remember(id);
    void switchModel(client);
  };
  /** Goes on with the built-in model where the chosen one is no longer offered. */
  const replaceIfGone = (): void => {
    const { choices, selected } = registry.get();
    if (!choices.some(({ id }) => id === selected.id)) select(builtInId);
  };

  return {
    select,
    async forget(id) {
      const outcome = await stored.forget(id);
      // The chosen model stays loaded until another one takes its place.
      if (outcome === "done" && registry.get().selected.id !== id) memory.release(id);
      replaceIfGone();
      return outcome;
    },
    removeServer(id) {
      servers.remove(id);
      replaceIfGone();
    },
    async useDownloaded(id) {
      const before = registry.get().selected.id;
      const client = registry.client(id);
      // An adapter whose base is not here.
      if (client === undefined) return false;
      // Loaded first, so that the chat goes on meanwhile.
      await client.load(() => undefined);
      if (registry.get().selected.id !== before) return false;
      select(id);
      return true;
    },
    async findStored(wanted) {
      await stored.refresh().catch((error: unknown) => console.warn("What is stored could not be listed:", error));
      const found = registry.find(wanted);
      const client = found && registry.select(found.id);
      if (client) void switchModel(client);
      return found !== undefined;
    },
  };
}
