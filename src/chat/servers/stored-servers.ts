// The connected servers in the browser's localStorage: under a key of their own, so that no export of preferences or conversations ever
// holds a server's key.
import * as v from "valibot";
import { readLocal, writeLocal, type GetStorage } from "#chat/local-storage.ts";
import { parseServerUrl, type ServerModel } from "#remote/http/server.ts";

const StoredServer = v.object({
  id: v.string(),
  name: v.string(),
  url: v.string(),
  key: v.exactOptional(v.string()),
  models: v.array(
    v.object({
      id: v.string(),
      kind: v.picklist(["vllm", "sglang", "llama.cpp", "ollama", "other"]),
      contextLength: v.exactOptional(v.number()),
      typed: v.exactOptional(v.literal(true)),
    }),
  ),
});
export type StoredServer = v.InferOutput<typeof StoredServer>;

const StoredServers = v.object({ version: v.literal(1), servers: v.array(StoredServer) });
const storageKey = "llava-web-servers";

/** The stored servers, without those whose address is no longer allowed. */
export function readServers(storage: GetStorage): readonly StoredServer[] {
  return (readLocal(storage, storageKey, StoredServers)?.servers ?? []).filter(({ url }) => isAllowed(url));
}

export function storeServers(storage: GetStorage, servers: readonly StoredServer[]): void {
  writeLocal(storage, storageKey, JSON.stringify({ version: 1, servers }));
}

/** The stored form; the length of the context is left out where the server does not tell it. */
export function toStoredModels(models: readonly ServerModel[]): StoredServer["models"] {
  return models.map(({ id, kind, contextLength, typed }) => ({
    id,
    kind,
    ...(contextLength === undefined ? {} : { contextLength }),
    ...(typed === undefined ? {} : { typed }),
  }));
}

function isAllowed(url: string): boolean {
  try {
    return parseServerUrl(url) === url;
  } catch {
    return false;
  }
}
