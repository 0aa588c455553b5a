// The models that a server lists, and which program the list reveals. Knows no page and no storage.
import { timeoutError } from "#remote/stream/chunks.ts";
import { fetchFromServer, redactorFor } from "#remote/http/http.ts";
import { RemoteError } from "#remote/http/errors.ts";
import { readMessageText, shorten } from "#remote/http/server-message.ts";
import type { Server, ServerKind, ServerModel } from "#remote/http/server.ts";
import { defaultTimeouts, withTimeout, type Timeouts } from "#remote/http/idle-timeout.ts";

const kinds: Readonly<Record<string, ServerKind>> = {
  vllm: "vllm",
  sglang: "sglang",
  llamacpp: "llama.cpp",
  library: "ollama",
};

/** Bytes; anything longer is no list of models. */
const longestList = 2 ** 24;

/**
 * The models in the server's order, without duplicates. A request that times out is repeated. Rejects with RemoteError, or with the signal's
 * reason once it aborts.
 */
export async function listModels(
  server: Server,
  signal?: AbortSignal,
  { listMs, listTries }: Pick<Timeouts, "listMs" | "listTries"> = defaultTimeouts,
): Promise<ServerModel[]> {
  for (let left = listTries; left > 0; left--) {
    const text = await readList(server, signal, listMs);
    if (text !== undefined) return parseModels(text, server);
  }
  throw timeoutError(listMs * listTries);
}

/** Errors of servers that may have models though they list none. */
const withoutList: ReadonlySet<string> = new Set(["server-not-found", "server-empty", "server-wrong-answer"]);

/** Whether the server may still have a model that the user names. */
export function hasNoList(error: unknown): boolean {
  return error instanceof RemoteError && withoutList.has(error.code);
}

/**
 * The model as the server lists it now. A model that the user typed in is returned as it is where the server does not list it. Rejects with
 * RemoteError, among others "server-model-gone".
 */
export async function findModel(server: Server, wanted: ServerModel, signal?: AbortSignal): Promise<ServerModel> {
  let offered: readonly ServerModel[] = [];
  try {
    offered = await listModels(server, signal);
  } catch (error) {
    if (wanted.typed !== true || !hasNoList(error)) throw error;
  }
  const found = offered.find(({ id }) => id === wanted.id);
  if (found !== undefined) return wanted.typed === true ? { ...found, typed: true } : found;
  if (wanted.typed === true) return wanted;
  throw new RemoteError("server-model-gone", `the server no longer has ${wanted.id}`);
}

/** The body of the list; undefined when no byte arrived for `ms`. */
async function readList(server: Server, signal: AbortSignal | undefined, ms: number): Promise<string | undefined> {
  const left = new AbortController();
  const either = signal === undefined ? left.signal : AbortSignal.any([signal, left.signal]);
  try {
    const response = await withTimeout(fetchFromServer(server, { endpoint: "models", signal: either }), ms);
    if (response === undefined) return undefined;
    const reader = response.body?.getReader();
    const decoder = new TextDecoder();
    const parts: string[] = [];
    for (let length = 0; reader !== undefined;) {
      const piece = await withTimeout(reader.read(), ms);
      if (piece === undefined) return undefined;
      if (piece.done) break;
      length += piece.value.length;
      if (length > longestList) throw new RemoteError("server-wrong-answer", "the list of models does not end");
      parts.push(decoder.decode(piece.value, { stream: true }));
    }
    return parts.join("") + decoder.decode();
  } catch (error) {
    if (error instanceof RemoteError) throw error;
    signal?.throwIfAborted();
    throw new RemoteError("server-unreachable", "the connection broke off");
  } finally {
    left.abort();
  }
}

function parseModels(text: string, server: Server): ServerModel[] {
  const redactor = redactorFor(server);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    const serverMessage = shorten(redactor.text(readMessageText(text).text));
    throw new RemoteError("server-wrong-answer", "the list of models is no JSON", { serverMessage });
  }
  const list = findList(value);
  if (list === undefined) {
    const serverMessage = shorten(redactor.text(readMessageText(text).text));
    throw new RemoteError("server-wrong-answer", "the JSON is no list of models", { serverMessage });
  }
  const models = new Map<string, ServerModel>();
  for (const entry of list) {
    const model = readModel(entry);
    if (model === undefined) continue;
    const id = redactor.text(model.id);
    if (!models.has(id)) models.set(id, { ...model, id });
  }
  return [...models.values()];
}

/** Fields that may hold the list; the first that is not empty is taken. */
const listFields = ["data", "models", "result", "results", "items", "list"];

function findList(value: unknown, depth = 0): readonly unknown[] | undefined {
  if (isList(value)) return value;
  if (!isRecord(value) || depth > 1) return undefined;
  const lists = listFields.flatMap((field) => {
    const list = findList(value[field], depth + 1);
    return list === undefined ? [] : [list];
  });
  const found = lists.find((list) => list.length > 0) ?? lists[0];
  // A server without models may send null.
  return found ?? (depth === 0 && listFields.some((field) => value[field] === null) ? [] : undefined);
}

/** Fields that may hold the model's id, in the order of preference; an entry without any is no model. */
const idFields = ["id", "model", "name", "model_name", "model_id", "slug", "key"];
/** Fields that may hold the context length: of vLLM and SGLang, LM Studio, OpenRouter, Groq, llama.cpp. */
const lengthFields = [
  "max_model_len",
  "loaded_context_length",
  "context_length",
  "max_context_length",
  "context_window",
  "context_size",
  "n_ctx",
  "max_input_tokens",
  "n_ctx_train",
];

function readModel(entry: unknown): ServerModel | undefined {
  if (typeof entry === "string") return entry.trim() === "" ? undefined : { id: entry, kind: "other" };
  if (!isRecord(entry)) return undefined;
  const id = idFields.map((field) => entry[field]).find((found) => typeof found === "string" && found.trim() !== "");
  if (typeof id !== "string") return undefined;
  const { owned_by: owner } = entry;
  const meta = isRecord(entry["meta"]) ? entry["meta"] : {};
  const contextLength = lengthFields
    .flatMap((field) => [entry[field], meta[field]].map(toLength))
    .find((n) => n !== undefined);
  return {
    id,
    kind: (typeof owner === "string" && Object.hasOwn(kinds, owner) ? kinds[owner] : undefined) ?? "other",
    ...(contextLength === undefined ? {} : { contextLength }),
  };
}

/** A length, which may come as a string; undefined for anything else. */
function toLength(value: unknown): number | undefined {
  const length = typeof value === "string" && /^\s*\d+\s*$/.test(value) ? Number(value) : value;
  return typeof length === "number" && Number.isSafeInteger(length) && length > 0 ? length : undefined;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value);
}
