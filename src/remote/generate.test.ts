import { afterEach, describe, expect, test } from "vitest";
import fc from "fast-check";
import type { GenerateEvent, GenerateRequest, Message } from "#engine/types.ts";
import { RemoteError } from "#remote/http/errors.ts";
import type { Server, ServerModel } from "#remote/http/server.ts";
import {
  ask as askModel,
  request,
  say,
  start,
  stopAll,
  type Answer,
  type Asking,
} from "#testing/servers/asking.node.ts";
import { fingerprint } from "#testing/servers/fake-request.node.ts";
import { startFakeServer } from "#testing/servers/fake-server.node.ts";
import { generateRemote } from "./generate.ts";
import { listModels } from "./models.ts";

afterEach(stopAll);

const png = (byte: number): Blob => new Blob([new Uint8Array([0x89, 0x50, byte])], { type: "image/png" });
const asIs = (blob: Blob): Promise<Blob> => Promise.resolve(blob);

/** Asks the first model that the server lists; rejects with what the answer failed with. */
async function ask(server: Server, asked: GenerateRequest, more: Asking = {}): Promise<Ended> {
  return ended(await askModel(server, { model: await firstModel(server), asked, ...more }));
}

async function firstModel(server: Server): Promise<ServerModel> {
  const [model] = await listModels(server);
  if (model === undefined) throw new Error("no model");
  return model;
}

type Ended = Answer & { readonly done: NonNullable<Answer["done"]> };

/** An answer that ended well. */
function ended({ error, done, ...answer }: Answer): Ended {
  if (error) throw error;
  if (!done) throw new Error("the last event is not done");
  return { ...answer, done, error };
}

const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => "no error",
    (error: unknown) => (error instanceof RemoteError ? error.code : String(error)),
  );

describe("an answer from a server", () => {
  test("streams in pieces, with stages before, and ends with figures", async () => {
    const server = await start({ paceMs: 2 });
    const { text, done, events } = await ask(server, request([say("Is it red?")]));
    expect(text).toBe("You asked “Is it red?” with 0 pictures. 🦙 好");
    expect(events.filter((event) => event.type === "text").length).toBeGreaterThan(5);
    expect(events.filter((event) => event.type === "stage").map((event) => event.stage)).toEqual(["prefill", "decode"]);
    expect(done).toMatchObject({ reason: "eos", usage: { promptTokens: 10, newTokens: 11 } });
    expect(done.timings.firstTokenMs).toBeGreaterThan(0);
    expect(done.timings.decodeMs).toBeGreaterThan(0);
    expect(done.timings.totalMs).toBeCloseTo(done.timings.firstTokenMs + done.timings.decodeMs, 3);
  });

  test("pictures of every turn arrive, in their order and unchanged, and each is made ready once", async () => {
    const server = await start();
    const [first, second, third] = [png(1), png(2), png(3)];
    const messages: Message[] = [
      {
        role: "user",
        parts: [
          { type: "image", blob: first },
          { type: "image", blob: second },
          { type: "text", text: "Compare." },
        ],
      },
      { role: "assistant", parts: [{ type: "text", text: "Alike." }] },
      {
        role: "user",
        parts: [
          { type: "image", blob: third },
          { type: "text", text: "And this?" },
        ],
      },
    ];
    let made = 0;
    const encode = (blob: Blob): Promise<Blob> => {
      made += 1;
      return Promise.resolve(blob);
    };
    const { text } = await ask(server, request(messages), { encodePicture: encode });
    await ask(server, request(messages), { encodePicture: encode });
    const prints = await Promise.all(
      [first, second, third].map(async (blob) => fingerprint(new Uint8Array(await blob.arrayBuffer()))),
    );
    expect(text).toContain(`“And this?” with 3 pictures ${prints.join(" ")}`);
    expect(made).toBe(3);
    expect(server.requests.at(-1)?.body).toMatchObject({
      messages: [
        { role: "user", content: [{ type: "image_url" }, { type: "image_url" }, { type: "text", text: "Compare." }] },
        { role: "assistant", content: "Alike." },
        { role: "user", content: [{ type: "image_url" }, { type: "text", text: "And this?" }] },
      ],
    });
  });

  test("is the same wherever the network cuts it and however lines end", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1, maxLength: 5 }),
        fc.constantFrom("\n", "\r\n", "\r"),
        async (cuts, lineEnd) => {
          const server = await startFakeServer({ cuts, lineEnd });
          try {
            expect((await ask(server, request([say("é🦙")]))).text).toBe("You asked “é🦙” with 0 pictures. 🦙 好");
          } finally {
            await server.stop();
          }
        },
      ),
      { numRuns: 8 },
    );
  });

  test("that reached its longest length says so", async () => {
    const server = await start();
    expect((await ask(server, request([say("x")], { maxNewTokens: 2 }))).done.reason).toBe("length");
  });

  test("of a server that does not stream is one piece", async () => {
    const server = await start();
    server.fail({ type: "not-streamed" });
    expect(await ask(server, request([say("x")]))).toMatchObject({
      text: "You asked “x” with 0 pictures. 🦙 好",
      done: { reason: "eos" },
    });
  });

  test("ends at Stop with what has come, and the server hears of it", async () => {
    const server = await start({ paceMs: 20 });
    const model = await firstModel(server);
    const abort = new AbortController();
    let text = "";
    let last: GenerateEvent | undefined;
    for await (const event of generateRemote(server, model, request([say("x")]), abort.signal, asIs)) {
      if (event.type === "text") text += event.text;
      if (text.length > 8) abort.abort();
      last = event;
    }
    expect(last).toMatchObject({ type: "done", reason: "abort" });
    expect(text).toBe("You asked ");
    await expect.poll(() => server.hungUp()).toBe(1);
  });

  test("that was stopped before it began asks the server nothing", async () => {
    const server = await start();
    const model = await firstModel(server);
    const before = server.requests.length;
    const { done } = ended(await askModel(server, { model, asked: request([say("x")]), signal: AbortSignal.abort() }));
    expect(done.reason).toBe("abort");
    expect(server.requests).toHaveLength(before);
  });

  test("nobody reads to the end is hung up on", async () => {
    const server = await start({ paceMs: 20 });
    const model = await firstModel(server);
    for await (const event of generateRemote(server, model, request([say("x")]), new AbortController().signal, asIs))
      if (event.type === "text") break;
    await expect.poll(() => server.hungUp()).toBe(1);
  });
});

describe("sampling", () => {
  const sampling = { temperature: 0.5, topK: 40, topP: 0.9, minP: 0.05, repetitionPenalty: 1.1, seed: 7 };
  const sent = async (kind: ServerModel["kind"], more: Partial<GenerateRequest> = {}): Promise<unknown> => {
    const server = await start({ kind });
    await ask(server, request([say("x")], { sampling, ...more }));
    return server.requests.at(-1)?.body;
  };

  test("reaches every server in the words it knows", async () => {
    const common = { temperature: 0.5, top_p: 0.9, seed: 7, max_tokens: 64, stream: true };
    expect(await sent("vllm")).toMatchObject({ ...common, top_k: 40, min_p: 0.05, repetition_penalty: 1.1 });
    expect(await sent("sglang")).toMatchObject({ ...common, top_k: 40, min_p: 0.05, repetition_penalty: 1.1 });
    expect(await sent("llama.cpp")).toMatchObject({ ...common, top_k: 40, min_p: 0.05, repeat_penalty: 1.1 });
    for (const kind of ["ollama", "other"] as const) {
      const body = await sent(kind);
      expect(body).toMatchObject(common);
      expect(body).not.toHaveProperty("top_k");
      expect(body).not.toHaveProperty("min_p");
    }
  });

  test("that is off is off on the server too, and greedy is temperature 0", async () => {
    const off = { temperature: 0, topK: 0, topP: 0.7, minP: 0, repetitionPenalty: 1 };
    const vllm = await sent("vllm", { sampling: off });
    expect(vllm).toMatchObject({ temperature: 0, top_k: -1, min_p: 0, repetition_penalty: 1 });
    expect(vllm).not.toHaveProperty("top_p");
    expect(vllm).not.toHaveProperty("seed");
    expect(await sent("llama.cpp", { sampling: off })).toMatchObject({ temperature: 0, top_k: 0, min_p: 0 });
  });

  test("an answer that is to go on is sent as the last message", async () => {
    const messages: Message[] = [say("Tell me."), { role: "assistant", parts: [{ type: "text", text: "Once" }] }];
    expect(await sent("vllm", { messages })).toMatchObject({
      continue_final_message: true,
      add_generation_prompt: false,
    });
    expect(await sent("other", { messages })).not.toHaveProperty("continue_final_message");
  });
});

describe("what goes wrong", () => {
  const status = (code: number, message: string) =>
    ({ type: "status", status: code, body: JSON.stringify({ error: { message } }) }) as const;

  test.each([
    ["server-busy", status(429, "Rate limit reached")],
    ["server-failed", status(500, "CUDA error")],
    ["server-failed", { type: "status", status: 503, body: "<html>Bad gateway</html>" }],
    ["server-context", status(400, "This model's maximum context length is 4096 tokens. However, you requested 5000")],
    ["server-context", status(500, "the request exceeds the available context size. try increasing the context size")],
    ["server-no-pictures", status(400, "vicuna-7b is not a multimodal model")],
    [
      "server-no-pictures",
      status(500, "image input is not supported - hint: if this is unexpected, you may need to provide the mmproj"),
    ],
    ["server-model-gone", status(404, 'model "llava" not found, try pulling it first')],
    ["server-rejected", status(422, "max_tokens must be less than 10")],
    ["server-key", status(403, "Forbidden")],
    ["server-wrong-answer", { type: "html" }],
    ["server-wrong-answer", { type: "garbage" }],
    ["server-broken-stream", { type: "cut", afterBytes: 300 }],
    ["server-failed", { type: "stream-error", data: 'data: {"error":{"message":"out of memory","code":500}}' }],
    ["server-failed", { type: "stream-error", data: 'error: {"code":500,"message":"slot failed"}' }],
    ["server-context", { type: "stream-error", data: 'data: {"error":{"message":"exceeds the context size"}}' }],
    // A redirect could lead picture and key anywhere.
    ["server-redirect", { type: "redirect", to: "https://example.com/" }],
  ] as const)("is %s, for %j", async (code, fault) => {
    const server = await start();
    server.fail(fault);
    expect(await codeOf(ask(server, request([say("x")])))).toBe(code);
    expect((await ask(server, request([say("x")]))).done.reason).toBe("eos");
  });

  test("a server that is not there, a wrong address and a wrong key each have their code", async () => {
    const gone = await startFakeServer();
    await gone.stop();
    expect(await codeOf(listModels(gone))).toBe("server-unreachable");
    const server = await start({ key: "sk-secret" });
    expect(await codeOf(listModels({ url: server.url }))).toBe("server-key");
    expect(await codeOf(listModels({ url: server.url.replace("/v1", "/other"), key: "sk-secret" }))).toBe(
      "server-not-found",
    );
    expect(await codeOf(listModels({ url: server.url, key: "sk-secret" }))).toBe("no error");
  });

  test("a model that was taken away since is gone", async () => {
    const server = await start({ models: ["a"] });
    server.setModels(["b"]);
    const { error } = await askModel(server, { model: { id: "a", kind: "vllm" }, asked: request([say("x")]) });
    expect(error?.code).toBe("server-model-gone");
  });

  test("an error that repeats the key comes without it", async () => {
    const server = await start({ key: "sk-right" });
    const error = await listModels({ url: server.url, key: "sk-wrong-and-secret" }).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(RemoteError);
    expect(String(error)).toContain("Incorrect API key");
    expect(String(error)).not.toContain("sk-wrong-and-secret");
  });

  test("a picture that can't be made ready is tried anew the next time", async () => {
    const server = await start();
    const messages: Message[] = [{ role: "user", parts: [{ type: "image", blob: png(9) }] }];
    const broken = (): Promise<Blob> => Promise.reject(new Error("not decodable"));
    expect(await codeOf(ask(server, request(messages), { encodePicture: broken }))).toContain("not decodable");
    expect((await ask(server, request(messages))).text).toContain("1 pictures");
  });
});

test("the list of models tells the program and the context", async () => {
  const vllm = await start({ kind: "vllm", models: ["a", "b"] });
  expect(await listModels(vllm)).toEqual([
    { id: "a", kind: "vllm", contextLength: 4096 },
    { id: "b", kind: "vllm", contextLength: 4096 },
  ]);
  const ollama = await start({ kind: "ollama", models: ["llava:13b"] });
  expect(await listModels(ollama)).toEqual([{ id: "llava:13b", kind: "ollama" }]);
});
