// Lists of models as servers send them.
import { afterEach, describe, expect, test } from "vitest";
import { start, stopAll } from "#testing/servers/asking.node.ts";
import { RemoteError } from "#remote/http/errors.ts";
import { listModels } from "./models.ts";

afterEach(stopAll);

describe("a list of models", () => {
  const list = async (body: unknown, status = 200) =>
    listModels(await start({ list: { status, body: typeof body === "string" ? body : JSON.stringify(body) } }));

  test.each<readonly [what: string, body: unknown, models: readonly unknown[]]>([
    ["an array", [{ id: "a", object: "model", type: "chat" }], [{ id: "a" }]],
    [
      "under “models”",
      {
        models: [
          { id: "a", name: "A" },
          { name: "b:latest", model: "b:latest" },
        ],
      },
      [{ id: "a" }, { id: "b:latest" }],
    ],
    ["names alone", { object: "list", data: ["a", "b"] }, [{ id: "a" }, { id: "b" }]],
    [
      "with odd entries",
      { data: [{ id: "a" }, { name: "b" }, null, 5, {}, { id: "" }, { id: 7 }, "", ["c"], { id: "a" }] },
      [{ id: "a" }, { id: "b" }],
    ],
    [
      "lengths as texts",
      {
        data: [
          { id: "a", max_model_len: "4096" },
          { id: "b", max_model_len: "long" },
          { id: "c", context_length: 8192 },
          { id: "d", max_model_len: -1, meta: { n_ctx: "2048" } },
        ],
      },
      [
        { id: "a", contextLength: 4096 },
        { id: "b" },
        { id: "c", contextLength: 8192 },
        { id: "d", contextLength: 2048 },
      ],
    ],
    [
      "in two places, as llama.cpp has it",
      {
        models: [{ name: "a.gguf", model: "a.gguf" }],
        data: [{ id: "a.gguf", owned_by: "llamacpp", meta: { n_ctx_train: 512 } }],
      },
      [{ id: "a.gguf", kind: "llama.cpp", contextLength: 512 }],
    ],
    ["one level deeper", { success: true, result: { data: [{ id: "a" }] } }, [{ id: "a" }]],
    [
      "owned by something odd",
      {
        data: [
          { id: "a", owned_by: 5 },
          { id: "b", owned_by: "constructor" },
        ],
      },
      [
        { id: "a", kind: "other" },
        { id: "b", kind: "other" },
      ],
    ],
    ["empty", { data: [] }, []],
    ["null", { object: "list", data: null }, []],
  ])("%s", async (_, body, models) => {
    const found = await list(body);
    expect(found).toHaveLength(models.length);
    expect(found).toMatchObject(models);
  });

  test.each<readonly [code: string, words: string, status: number, body: string]>([
    ["server-not-found", "Not Found", 404, '{"detail":"Not Found"}'],
    ["server-not-found", "405", 405, ""],
    ["server-wrong-answer", "Welcome", 200, "<h1>Welcome</h1>"],
    ["server-wrong-answer", "", 200, '{"hello":"world"}'],
    ["server-wrong-answer", "log in first", 200, '{"message":"log in first"}'],
    ["server-wrong-answer", "", 200, '"text"'],
    ["server-failed", "no database", 500, '{"error":"no database"}'],
  ])("that is %s says %j", async (code, words, status, body) => {
    const error: unknown = await list(body, status).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code });
    expect(error instanceof RemoteError ? error.serverMessage : "").toContain(words);
  });
});
