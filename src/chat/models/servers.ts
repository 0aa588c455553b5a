// The servers the user connected: kept beside the preferences, under a key of their own so that no export of preferences or
// conversations ever holds an address's key. Offers their models to the registry. Knows no page.
import * as v from "valibot";
import { RemoteError, type RemoteErrorCode } from "#remote/http/errors.ts";
import { cleanKey } from "#remote/http/key.ts";
import { hasNoList, listModels } from "#remote/models.ts";
import { forgetRefusals } from "#remote/refused-fields.ts";
import type { EncodePicture } from "#remote/request.ts";
import { hostOf, parseServerUrl, type Server, type ServerModel } from "#remote/http/server.ts";
import { idOnSource, type ModelRegistry } from "./models.ts";
import { createRemoteModelClient } from "./remote.ts";
import { createCell, type Observable } from "#chat/observable.ts";
import { readLocal, writeLocal, type GetStorage } from "#chat/local-storage.ts";

/** What the page may know of a server: everything but its key. */
export interface ConnectedServer {
  readonly id: string;
  readonly name: string;
  readonly url: string;
  readonly host: string;
  readonly hasKey: boolean;
  readonly models: readonly { readonly id: string; readonly name: string }[];
  /** Why its models could not be listed the last time they were asked for. */
  readonly problem?: ServerProblem | undefined;
}

/** `said` is what the server or the browser said, without the key; "" when nothing. */
export interface ServerProblem {
  readonly code: RemoteErrorCode;
  readonly said: string;
  /** The server may have models all the same: one can be named. */
  readonly canNameModel?: boolean;
}

export interface Servers extends Observable<readonly ConnectedServer[]> {
  /**
   * Lists the server's models and keeps it if that goes well; resolves with its id, or with what went wrong. A `model` is what the user
   * names where the server has no list. After an abort it rejects, and nothing is kept.
   */
  connect(
    typed: { readonly name: string; readonly url: string; readonly key: string; readonly model?: string },
    signal?: AbortSignal,
  ): Promise<{ readonly ok: true; readonly id: string } | { readonly ok: false; readonly problem: ServerProblem }>;
  /** Asks every server again what it offers; one that does not answer keeps its models and gets a problem. */
  refresh(): Promise<void>;
  /** Forgets the server, its key too. */
  remove(id: string): void;
}

const KeptServer = v.object({
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
type KeptServer = v.InferOutput<typeof KeptServer>;
const Kept = v.object({ version: v.literal(1), servers: v.array(KeptServer) });

const storageKey = "llava-web-servers";

export interface ServersOptions {
  readonly storage: GetStorage;
  readonly registry: ModelRegistry;
  readonly encodePicture: EncodePicture;
  readonly newId: () => string;
}

/** Offers what was kept at once, without asking any server. */
export function createServers({ storage, registry, encodePicture, newId }: ServersOptions): Servers {
  // An address that is no longer allowed is not asked.
  let kept: readonly KeptServer[] = (readLocal(storage, storageKey, Kept)?.servers ?? []).filter(({ url }) =>
    isAllowed(url),
  );
  const problems = new Map<string, ServerProblem>();
  const cell = createCell<readonly ConnectedServer[]>([]);

  const offer = (server: KeptServer): void => {
    const host = hostOf(server);
    registry.offer(
      server.id,
      server.models.map((model) => {
        const id = idOnSource(server.id, model.id);
        return {
          id,
          name: model.id,
          host,
          connect: () => createRemoteModelClient(server, id, model, encodePicture),
        };
      }),
    );
  };
  const show = (): void => cell.set(kept.map((server) => toConnected(server, problems.get(server.id))));
  const change = (servers: readonly KeptServer[]): void => {
    kept = servers;
    writeLocal(storage, storageKey, JSON.stringify({ version: 1, servers }));
    show();
  };
  for (const server of kept) offer(server);
  show();

  return {
    get: () => cell.get(),
    subscribe: (listener) => cell.subscribe(listener),
    async connect({ name, url: typed, key, model = "" }, signal) {
      try {
        const url = parseServerUrl(typed);
        const secret = cleanKey(key);
        const named: readonly ServerModel[] =
          model.trim() === "" ? [] : [{ id: model.trim(), kind: "other", typed: true }];
        const server = { url, ...(secret === "" ? {} : { key: secret }) };
        forgetRefusals(url);
        const models = toKept(await listOrNamed(server, named, signal));
        signal?.throwIfAborted();
        // The same address again is the same server with another name or key.
        const id = kept.find((known) => known.url === url)?.id ?? newId();
        const connected = { id, name: name.trim() === "" ? hostOf(server) : name.trim(), ...server, models };
        problems.delete(id);
        offer(connected);
        change([...kept.filter((known) => known.id !== id), connected]);
        return { ok: true, id };
      } catch (error) {
        return { ok: false, problem: toProblem(error) };
      }
    },
    async refresh() {
      await Promise.all(
        kept.map(async (server) => {
          try {
            const named = server.models.filter(({ typed }) => typed === true);
            const models = toKept(await listOrNamed(server, named));
            problems.delete(server.id);
            // It may have been removed meanwhile.
            if (!kept.includes(server)) return;
            const fresh = { ...server, models };
            if (JSON.stringify(models) !== JSON.stringify(server.models)) offer(fresh);
            change(kept.map((known) => (known === server ? fresh : known)));
          } catch (error) {
            problems.set(server.id, toProblem(error));
            show();
          }
        }),
      );
    },
    remove(id) {
      registry.offer(id, []);
      change(kept.filter((server) => server.id !== id));
    },
  };
}

/** What the server lists, with the models beside it that the user named; these stand alone where it has no list. */
async function listOrNamed(
  server: Server,
  named: readonly ServerModel[],
  signal?: AbortSignal,
): Promise<readonly ServerModel[]> {
  let listed: readonly ServerModel[] = [];
  try {
    listed = await listModels(server, signal);
    if (listed.length === 0) throw new RemoteError("server-empty", "the list of models is empty");
  } catch (error) {
    if (named.length === 0 || !hasNoList(error)) throw error;
  }
  return [...listed, ...named.filter(({ id }) => !listed.some((model) => model.id === id))];
}

/** Anything but a RemoteError is a bug of ours and goes up. */
function toProblem(error: unknown): ServerProblem {
  if (!(error instanceof RemoteError)) throw error;
  return { code: error.code, said: error.serverMessage, ...(hasNoList(error) ? { canNameModel: true } : {}) };
}

/** The optional field is left out where the server does not tell. */
function toKept(models: readonly ServerModel[]): KeptServer["models"] {
  return models.map(({ id, kind, contextLength, typed }) => ({
    id,
    kind,
    ...(contextLength === undefined ? {} : { contextLength }),
    ...(typed === undefined ? {} : { typed }),
  }));
}

function toConnected(server: KeptServer, problem: ServerProblem | undefined): ConnectedServer {
  const { id, name, url, key, models } = server;
  return {
    id,
    name,
    url,
    host: hostOf(server),
    hasKey: key !== undefined,
    models: models.map((model) => ({ id: idOnSource(id, model.id), name: model.id })),
    problem,
  };
}

function isAllowed(url: string): boolean {
  try {
    return parseServerUrl(url) === url;
  } catch {
    return false;
  }
}
