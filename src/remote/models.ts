// Which models a server offers, and what the list tells about the server itself. Knows no page and no storage.
import { silent } from "#remote/stream/chunks.ts";
import { askServer, blotterOf } from "./door.ts";
import { RemoteError } from "./errors.ts";
import { readSaidText, shorten } from "#remote/stream/said.ts";
import type { Server, ServerKind, ServerModel } from "./server.ts";
import { patience as defaultPatience, raced, type Patience } from "#remote/stream/silence.ts";

const kinds: Readonly<Record<string, ServerKind>> = {
  vllm: "vllm",
  sglang: "sglang",
  llamacpp: "llama.cpp",
  library: "ollama",
};

/** More than this is no list. */
const longestList = 2 ** 24;

/**
 * The models in the server's order, each once. A server that says nothing is asked again. Rejects with RemoteError, or an AbortError
 * when the signal says so.
 */
export async function listModels(
  server: Server,
  signal?: AbortSignal,
  { listMs, listTries }: Pick<Patience, "listMs" | "listTries"> = defaultPatience,
): Promise<ServerModel[]> {
  for (let left = listTries; left > 0; left--) {
    const text = await readList(server, signal, listMs);
    if (text !== undefined) return parseModels(text, server);
  }
  throw silent(listMs * listTries);
}

/** What keeps a server from listing its models, though it may have them: no list, an empty one, or one of another kind. */
const listless: ReadonlySet<string> = new Set(["server-not-found", "server-empty", "server-wrong-answer"]);

/** Whether the error leaves room for a model that the user names. */
export function hasNoList(error: unknown): boolean {
  return error instanceof RemoteError && listless.has(error.code);
}

/**
 * The model as the server lists it now. One that the user named is taken as it is where the server has no list or does not list it.
 * Rejects with RemoteError, "server-model-gone" among them.
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

/** The text of the list, or undefined when nothing came for so long. */
async function readList(server: Server, signal: AbortSignal | undefined, ms: number): Promise<string | undefined> {
  const leaving = new AbortController();
  const both = signal === undefined ? leaving.signal : AbortSignal.any([signal, leaving.signal]);
  try {
    const response = await raced(askServer(server, { asked: "models", signal: both }), ms);
    if (response === undefined) return undefined;
    const reader = response.body?.getReader();
    const decoder = new TextDecoder();
    const parts: string[] = [];
    for (let length = 0; reader !== undefined;) {
      const piece = await raced(reader.read(), ms);
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
    leaving.abort();
  }
}

function parseModels(text: string, server: Server): ServerModel[] {
  const blotter = blotterOf(server);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    const said = shorten(blotter.text(readSaidText(text).words));
    throw new RemoteError("server-wrong-answer", "the list of models is no JSON", { said });
  }
  const list = findList(value);
  if (list === undefined) {
    const said = shorten(blotter.text(readSaidText(text).words));
    throw new RemoteError("server-wrong-answer", "the JSON is no list of models", { said });
  }
  const models = new Map<string, ServerModel>();
  for (const entry of list) {
    const model = readModel(entry);
    if (model === undefined) continue;
    const id = blotter.text(model.id);
    if (!models.has(id)) models.set(id, { ...model, id });
  }
  return [...models.values()];
}

/** Where the list may stand; of several the first that is not empty. */
const places = ["data", "models", "result", "results", "items", "list"];

function findList(value: unknown, depth = 0): readonly unknown[] | undefined {
  if (isList(value)) return value;
  if (!isRecord(value) || depth > 1) return undefined;
  const lists = places.flatMap((place) => {
    const list = findList(value[place], depth + 1);
    return list === undefined ? [] : [list];
  });
  const found = lists.find((list) => list.length > 0) ?? lists[0];
  // A server without models may say so by null.
  return found ?? (depth === 0 && places.some((place) => value[place] === null) ? [] : undefined);
}

/** What the name is called, the one to ask for first; an entry without any is no model. */
const names = ["id", "model", "name", "model_name", "model_id", "slug", "key"];
/** How long a context is called: vLLM and SGLang, LM Studio, OpenRouter, Groq, llama.cpp. */
const lengths = [
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
  const id = names.map((name) => entry[name]).find((name) => typeof name === "string" && name.trim() !== "");
  if (typeof id !== "string") return undefined;
  const { owned_by: owner } = entry;
  const meta = isRecord(entry["meta"]) ? entry["meta"] : {};
  const contextLength = lengths.flatMap((name) => [entry[name], meta[name]].map(toLength)).find((n) => n !== undefined);
  return {
    id,
    kind: (typeof owner === "string" && Object.hasOwn(kinds, owner) ? kinds[owner] : undefined) ?? "other",
    ...(contextLength === undefined ? {} : { contextLength }),
  };
}

/** Numbers come as texts, too; what is neither is not told. */
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
