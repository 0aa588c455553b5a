// Servers that refuse what others need.
import { afterEach, describe, expect, test } from "vitest";
import { ask, request, say, start, stopAll, type Answer, type Asking } from "#testing/servers/asking.node.ts";
import type { FakeServerOptions } from "#testing/servers/fake-server.node.ts";

afterEach(stopAll);

describe("a server that refuses a field is asked again without it", () => {
  const refusal = (code: number, body: unknown) => ({ status: code, body: JSON.stringify(body) });
  const unsupported = (field: string, words: string) => (body: Readonly<Record<string, unknown>>) =>
    field in body ? refusal(400, { error: { message: words } }) : undefined;
  let count = 0;
  /** Of every question what was sent, in a session of its own. */
  const sent = async (refuses: NonNullable<FakeServerOptions["refuses"]>, more: Asking = {}, questions = 1) => {
    const server = await start({ refuses, models: [`m${++count}`] });
    const answers: Answer[] = [];
    for (let left = questions; left > 0; left--)
      answers.push(await ask(server, { ...more, model: { id: `m${count}`, kind: "vllm" } }));
    const bodies = server.requests.map(({ body }): Readonly<Record<string, unknown>> => ({ ...(body ?? {}) }));
    return { answers, bodies, last: bodies.at(-1) ?? {} };
  };

  test.each<readonly [field: string, refused: NonNullable<FakeServerOptions["refuses"]>]>([
    [
      "stream_options",
      (body) =>
        "stream_options" in body
          ? refusal(422, {
              object: "error",
              message: {
                detail: [
                  { type: "extra_forbidden", loc: ["body", "stream_options"], msg: "Extra inputs are not permitted" },
                ],
              },
            })
          : undefined,
    ],
    [
      "stream_options",
      unsupported("stream_options", "Additional properties are not allowed ('stream_options' was unexpected)"),
    ],
    [
      "temperature",
      (body) =>
        "temperature" in body
          ? refusal(400, {
              error: {
                message: "Unsupported value: 'temperature' does not support 0.2 with this model.",
                param: "temperature",
                code: "unsupported_value",
              },
            })
          : undefined,
    ],
    ["top_p", unsupported("top_p", "`top_p` must be > 0.0 and < 1.0")],
    ["min_p", unsupported("min_p", "Unrecognized request argument supplied: min_p")],
    ["top_k", unsupported("top_k", 'json: unknown field "top_k"')],
    [
      "top_k",
      (body) =>
        "top_k" in body ? refusal(500, { error: "create() got an unexpected keyword argument 'top_k'" }) : undefined,
    ],
    [
      "repetition_penalty",
      (body) =>
        "repetition_penalty" in body
          ? refusal(422, { detail: [{ loc: ["body", "repetition_penalty"], msg: "extra fields not permitted" }] })
          : undefined,
    ],
    ["seed", unsupported("seed", "Unrecognized request argument supplied: seed")],
    ["seed", unsupported("seed", "unknown field `seed`, expected one of `model`, `messages`")],
    ["stop", unsupported("stop", "Unsupported parameter: 'stop' is not supported with this model.")],
    [
      "stream",
      (body) =>
        body["stream"] === true
          ? refusal(400, {
              error: {
                message: "Your organization must be verified to stream this model.",
                param: "stream",
                code: "unsupported_value",
              },
            })
          : undefined,
    ],
  ])("%s", async (field, refused) => {
    const asked = request([say("x")], {
      stop: ["###"],
      sampling: { temperature: 0.2, topK: 5, topP: 0.7, minP: 0.1, repetitionPenalty: 1.1, seed: 3 },
    });
    const { answers, bodies, last } = await sent(refused, { asked }, 2);
    for (const { text, error } of answers) {
      expect(error?.serverMessage).toBeUndefined();
      expect(text).toContain("You asked “x”");
    }
    // The second question goes without it at once, and with everything else.
    expect(bodies).toHaveLength(3);
    expect(last).not.toHaveProperty(field);
    const others = Object.keys(bodies[0] ?? {}).filter(
      (name) => name !== field && !(field === "stream" && name === "stream_options"),
    );
    expect(Object.keys(last)).toEqual(others);
  });

  test("the limit of the length in its other word, then without it", async () => {
    const one = await sent(
      unsupported(
        "max_tokens",
        "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
      ),
    );
    expect(one.last).toMatchObject({ max_completion_tokens: 64 });
    expect(one.last).not.toHaveProperty("max_tokens");
    const none = await sent((body) =>
      ["max_tokens", "max_completion_tokens"].some((name) => name in body)
        ? refusal(400, { message: "Unknown parameter: max_tokens, max_completion_tokens" })
        : undefined,
    );
    expect(none.answers[0]?.error).toBeUndefined();
    expect(none.last).not.toHaveProperty("max_completion_tokens");
  });

  test("of two that don't go together one stays; several go one after the other", async () => {
    const { last } = await sent((body) =>
      "temperature" in body && "top_p" in body
        ? refusal(400, {
            error: {
              message: "`temperature` and `top_p` cannot both be specified for this model. Please use only one.",
            },
          })
        : "min_p" in body || "top_k" in body
          ? refusal(400, { error: { message: `Unsupported parameter: ${"min_p" in body ? "min_p" : "top_k"}` } })
          : undefined,
    );
    expect(last).toMatchObject({ temperature: 0.2, repetition_penalty: 1 });
    for (const gone of ["top_p", "min_p", "top_k"]) expect(last).not.toHaveProperty(gone);
  });

  test("a system message stands before the first question where the model knows no system", async () => {
    const system = { role: "system", parts: [{ type: "text", text: "Be brief." }] } as const;
    const picture = { type: "image", blob: new Blob(["x"], { type: "image/png" }) } as const;
    const answered = { role: "assistant", parts: [{ type: "text", text: "Two." }] } as const;
    for (const words of [
      "System role not supported",
      "Only user and assistant roles are supported, not system",
      "Conversation roles must alternate user/assistant/user/assistant/...",
    ]) {
      const refuses = (body: Readonly<Record<string, unknown>>) =>
        JSON.stringify(body).includes('"system"') ? refusal(400, { error: { message: words } }) : undefined;
      const { answers, last } = await sent(refuses, {
        asked: request([system, say("How many?"), answered, say("Sure?")]),
      });
      expect(answers[0]?.text).toContain("“Sure?”");
      expect(last["messages"]).toEqual([
        { role: "user", content: "Be brief.\n\nHow many?" },
        { role: "assistant", content: "Two." },
        { role: "user", content: "Sure?" },
      ]);
      const seen = await sent(refuses, { asked: request([system, { role: "user", parts: [picture] }]) });
      expect(seen.last["messages"]).toMatchObject([
        { role: "user", content: [{ text: "Be brief.\n\n" }, { type: "image_url" }] },
      ]);
    }
  });

  test("where the refusal names none, everything goes that the question can do without", async () => {
    const { answers, last, bodies } = await sent((body) => ("min_p" in body ? { status: 422, body: "" } : undefined));
    expect(answers[0]?.error).toBeUndefined();
    expect(Object.keys(last)).toEqual(["model", "messages", "stream", "max_tokens"]);
    expect(bodies).toHaveLength(2);
  });

  test("also where the refusal comes as an answer", async () => {
    const { answers, last } = await sent((body) =>
      "min_p" in body ? refusal(200, { error: { message: "min_p is not supported" } }) : undefined,
    );
    expect(answers[0]?.text).toContain("You asked");
    expect(last).not.toHaveProperty("min_p");
  });

  test("but never for what the user decides, and never for ever", async () => {
    const long = await sent(unsupported("max_tokens", "max_tokens must be less than 10"));
    expect(long.answers[0]?.error).toMatchObject({ code: "server-rejected" });
    expect(long.bodies).toHaveLength(1);
    const never = await sent(() =>
      refusal(400, { error: { message: "temperature and top_p and min_p are not supported" } }),
    );
    expect(never.answers[0]?.error?.serverMessage).toContain("not supported");
    expect(never.bodies.length).toBeLessThan(6);
  });
});
