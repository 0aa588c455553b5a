// Which models a server offers, and what the list tells about the server itself. Knows no page and no storage.
import * as v from "valibot";
import { askServer } from "./door.ts";
import { RemoteError } from "./errors.ts";
import type { Server, ServerKind, ServerModel } from "./server.ts";

const Listed = v.object({
  data: v.nullish(
    v.array(
      v.looseObject({
        id: v.string(),
        owned_by: v.nullish(v.string()),
        max_model_len: v.nullish(v.number()), // vLLM, SGLang
        meta: v.nullish(v.looseObject({ n_ctx: v.nullish(v.number()), n_ctx_train: v.nullish(v.number()) })), // llama.cpp
      }),
    ),
  ),
});

const kinds: Readonly<Record<string, ServerKind>> = {
  vllm: "vllm",
  sglang: "sglang",
  llamacpp: "llama.cpp",
  library: "ollama",
};

/** How long a list may take; an address that swallows everything must not hold the page for minutes. */
const patienceMs = 15_000;

/** The models in the server's order. Rejects with RemoteError, or an AbortError when the signal says so. */
export async function listModels(server: Server, signal?: AbortSignal): Promise<ServerModel[]> {
  const timeout = AbortSignal.timeout(patienceMs);
  const both = signal === undefined ? timeout : AbortSignal.any([signal, timeout]);
  try {
    const response = await askServer(server, { asked: "models", signal: both });
    return parseModels(await response.text());
  } catch (error) {
    if (error instanceof RemoteError) throw error;
    signal?.throwIfAborted();
    const why = timeout.aborted ? `no answer within ${patienceMs / 1000} s` : String(error);
    throw new RemoteError("server-unreachable", why, { cause: error });
  }
}

function parseModels(text: string): ServerModel[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new RemoteError("server-wrong-answer", "the list of models is no JSON", { cause: error });
  }
  const parsed = v.safeParse(Listed, value);
  if (!parsed.success) throw new RemoteError("server-wrong-answer", "the JSON is no list of models");
  return (parsed.output.data ?? []).map(({ id, owned_by: owner, max_model_len: longest, meta }) => {
    const contextLength = longest ?? meta?.n_ctx ?? meta?.n_ctx_train ?? undefined;
    return { id, kind: kinds[owner ?? ""] ?? "other", ...(contextLength === undefined ? {} : { contextLength }) };
  });
}
