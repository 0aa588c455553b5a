// The servers the user has connected, and the models that they offer. Knows no page.
import { RemoteError, type RemoteErrorCode } from "#remote/http/errors.ts";
import { cleanKey } from "#remote/http/key.ts";
import { hostOf, parseServerUrl, type Server, type ServerModel } from "#remote/http/server.ts";
import { hasNoList, listModels } from "#remote/models.ts";
import { forgetRefusals } from "#remote/refused-fields.ts";
import type { EncodePicture } from "#remote/request.ts";
import type { GetStorage } from "#chat/local-storage.ts";
import { idOnSource, type ModelRegistry } from "#chat/models/models.ts";
import { createCell, type Cell, type Observable } from "#chat/observable.ts";
import { createServerModelClient } from "./server-model.ts";
import { readServers, storeServers, toStoredModels, type StoredServer } from "./stored-servers.ts";

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
   * Lists the server's models and stores it if that goes well; resolves with its id, or with what went wrong. A `model` is what the user
   * names where the server has no list. After an abort it rejects, and nothing is stored.
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

interface ServersOptions {
  readonly storage: GetStorage;
  readonly registry: ModelRegistry;
  readonly encodePicture: EncodePicture;
  readonly newId: () => string;
}

/** What the functions below work on. */
interface Context extends ServersOptions {
  servers: readonly StoredServer[];
  /** By the ids of the servers. */
  readonly problems: Map<string, ServerProblem>;
  readonly cell: Cell<readonly ConnectedServer[]>;
}

/** Offers the models of the stored servers at once, without asking any server. */
export function createServers(options: ServersOptions): Servers {
  const { storage, registry } = options;
  const cell = createCell<readonly ConnectedServer[]>([]);
  const context: Context = { ...options, servers: readServers(storage), problems: new Map(), cell };
  for (const server of context.servers) offerModels(context, server);
  show(context);
  return {
    get: () => cell.get(),
    subscribe: (listener) => cell.subscribe(listener),
    connect: (typed, signal) => connect(context, typed, signal),
    async refresh() {
      await Promise.all(context.servers.map((server) => refresh(context, server)));
    },
    remove(id) {
      registry.offer(id, []);
      setServers(
        context,
        context.servers.filter((server) => server.id !== id),
      );
    },
  };
}

async function connect(
  context: Context,
  { name, url: typed, key, model = "" }: Parameters<Servers["connect"]>[0],
  signal: AbortSignal | undefined,
): ReturnType<Servers["connect"]> {
  try {
    const url = parseServerUrl(typed);
    const secret = cleanKey(key);
    const named: readonly ServerModel[] = model.trim() === "" ? [] : [{ id: model.trim(), kind: "other", typed: true }];
    const server = { url, ...(secret === "" ? {} : { key: secret }) };
    forgetRefusals(url);
    const models = toStoredModels(await listOrNamed(server, named, signal));
    signal?.throwIfAborted();
    // The same address again is the same server with another name or key.
    const id = context.servers.find((known) => known.url === url)?.id ?? context.newId();
    const connected = { id, name: name.trim() === "" ? hostOf(server) : name.trim(), ...server, models };
    context.problems.delete(id);
    offerModels(context, connected);
    setServers(context, [...context.servers.filter((known) => known.id !== id), connected]);
    return { ok: true, id };
  } catch (error) {
    return { ok: false, problem: toProblem(error) };
  }
}

/** Lists the server's models anew. */
async function refresh(context: Context, server: StoredServer): Promise<void> {
  const { problems } = context;
  try {
    const named = server.models.filter(({ typed }) => typed === true);
    const models = toStoredModels(await listOrNamed(server, named));
    problems.delete(server.id);
    // The server may have been removed meanwhile.
    if (!context.servers.includes(server)) return;
    const fresh = { ...server, models };
    if (JSON.stringify(models) !== JSON.stringify(server.models)) offerModels(context, fresh);
    setServers(
      context,
      context.servers.map((known) => (known === server ? fresh : known)),
    );
  } catch (error) {
    problems.set(server.id, toProblem(error));
    show(context);
  }
}

function setServers(context: Context, servers: readonly StoredServer[]): void {
  context.servers = servers;
  storeServers(context.storage, servers);
  show(context);
}

function show({ cell, servers, problems }: Context): void {
  cell.set(servers.map((server) => toConnected(server, problems.get(server.id))));
}

function offerModels({ registry, encodePicture }: Context, server: StoredServer): void {
  const host = hostOf(server);
  registry.offer(
    server.id,
    server.models.map((model) => {
      const id = idOnSource(server.id, model.id);
      return { id, name: model.id, host, connect: () => createServerModelClient(server, id, model, encodePicture) };
    }),
  );
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

/** Rethrows anything but a RemoteError, because that is a bug of ours. */
function toProblem(error: unknown): ServerProblem {
  if (!(error instanceof RemoteError)) throw error;
  return { code: error.code, said: error.serverMessage, ...(hasNoList(error) ? { canNameModel: true } : {}) };
}

function toConnected(server: StoredServer, problem: ServerProblem | undefined): ConnectedServer {
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
