// What servers say when something goes wrong, in the forms in which they really say it.
import { afterEach, describe, expect, test } from "vitest";
import { ask, start, stopAll } from "#testing/servers/asking.node.ts";
import { chunkJson, stream } from "#testing/servers/fake-quirks.node.ts";
import type { RawAnswer } from "#testing/servers/fake-server.node.ts";

afterEach(stopAll);

const three = chunkJson({ content: "Three" });

describe("the server's own words are told", () => {
  const status = (code: number, body: unknown, contentType = "application/json"): RawAnswer => ({
    type: "raw",
    status: code,
    contentType,
    pieces: [typeof body === "string" ? body : JSON.stringify(body)],
  });

  test.each<readonly [code: string, words: string, answer: RawAnswer]>([
    // In a stream.
    ["server-rejected", "The image is too large", stream('{"detail":"The image is too large"}', "[DONE]")],
    [
      "server-failed",
      "CUDA out of memory",
      stream(chunkJson({ content: "" }), '{"object":"error","message":"CUDA out of memory","code":500}'),
    ],
    [
      "server-failed",
      "CUDA out of memory",
      stream(three, '{"object":"error","message":"CUDA out of memory","code":500}', "[DONE]"),
    ],
    ["server-failed", "slot failed", stream(three, '{"error":{"message":"slot failed"}}')],
    ["server-failed", "slot failed", stream(three, '{"error":"slot failed"}')],
    ["server-failed", "slot failed", stream(three, '{"message":"slot failed"}')],
    ["server-failed", "slot failed", stream('[{"error":{"code":500,"message":"slot failed"}}]')],
    ["server-failed", "slot failed", stream('{"errors":[{"message":"slot failed"}]}')],
    ["server-failed", "slot failed", { type: "raw", pieces: ["event: error\ndata: slot failed\n\n"] }],
    ["server-failed", "slot failed", { type: "raw", pieces: ['event: error\ndata: {"msg":"slot failed"}\n\n'] }],
    ["server-failed", "slot failed", { type: "raw", pieces: ['error: {"message":"slot failed"}\n\n'] }],
    [
      "server-failed",
      "slot failed",
      stream('{"choices":[{"index":0,"delta":{},"finish_reason":"error","error":{"message":"slot failed"}}]}'),
    ],
    [
      "server-failed",
      "slot failed",
      { type: "raw", contentType: "application/json", pieces: ['{"error":{"message":"slot failed"}}'] },
    ],
    ["server-failed", "server_overload", stream('{"error":{"message":"","code":"server_overload"}}')],
    [
      "server-wrong-answer",
      "Backend is down",
      { type: "raw", contentType: "text/plain", pieces: ["Backend is down\n"] },
    ],
    [
      "server-wrong-answer",
      "Please log in",
      { type: "raw", contentType: "text/html", pieces: ["<html><script>x()</script><p>Please&nbsp;log in</p>"] },
    ],
    // By status.
    [
      "server-no-pictures",
      "No endpoints found that support image input",
      status(404, { error: { message: "No endpoints found that support image input", code: 404 } }),
    ],
    [
      "server-no-pictures",
      "image_url is only supported by certain models",
      status(400, { error: { message: "Invalid content type. image_url is only supported by certain models." } }),
    ],
    [
      "server-no-pictures",
      "unknown variant `image_url`",
      status(422, "Failed to deserialize: messages[0]: unknown variant `image_url`, expected `text` at line 1"),
    ],
    ["server-no-pictures", "does not support images", status(400, { message: "This model does not support images." })],
    [
      "server-rejected",
      "Your plan has no access to this region",
      status(404, { message: "Your plan has no access to this region" }),
    ],
    ["server-rejected", "Only one image is allowed", status(400, { error: "Only one image is allowed per request" })],
    [
      "server-rejected",
      "Image is too large",
      status(413, { error: { message: "Image is too large, only 5 MB are allowed" } }),
    ],
    [
      "server-rejected",
      "messages.0.content: Field required",
      status(422, { detail: [{ type: "missing", loc: ["body", "messages", 0, "content"], msg: "Field required" }] }),
    ],
    [
      "server-rejected",
      "Bad Request: the picture is broken",
      status(400, { statusCode: 400, error: "Bad Request", message: "the picture is broken" }),
    ],
    ["server-rejected", "messages: is too long", status(400, { errors: { messages: ["is too long"] } })],
    [
      "server-rejected",
      "image is corrupt",
      status(400, {
        error: { message: "Provider returned error", metadata: { raw: '{"error":{"message":"image is corrupt"}}' } },
      }),
    ],
    [
      "server-rejected",
      "413 Request Entity Too Large",
      status(
        413,
        "<html><head><title>413 Request Entity Too Large</title></head><body><hr></body></html>",
        "text/html",
      ),
    ],
    ["server-rejected", "Blocked for your country", status(403, { error: { message: "Blocked for your country" } })],
    [
      "server-filtered",
      "content management policy",
      status(400, {
        error: {
          message: "The response was filtered due to Azure's content management policy",
          code: "content_filter",
        },
      }),
    ],
    [
      "server-busy",
      "Loading model",
      status(503, { error: { code: 503, message: "Loading model", type: "unavailable_error" } }),
    ],
    ["server-busy", "Insufficient credits", status(402, { error: { message: "Insufficient credits" } })],
    [
      "server-context",
      "prompt is too long",
      status(400, { error: { message: "prompt is too long: 5000 tokens > 4096 maximum" } }),
    ],
    [
      "server-model-gone",
      "The model `x` does not exist",
      status(404, { error: { message: "The model `x` does not exist." } }),
    ],
    ["server-not-found", "Not Found", status(404, { detail: "Not Found" })],
    ["server-not-found", "Cannot POST /chat", status(404, "<pre>Cannot POST /chat</pre>", "text/html")],
    ["server-failed", "upstream timed out", status(504, "upstream timed out", "text/plain")],
    ["server-failed", "HTTP 500", status(500, "")],
    ["server-key", "Incorrect API key", status(401, [{ error: { message: "Incorrect API key" } }])],
    [
      "server-rejected",
      "HTTP 400: too many images",
      status(
        400,
        'event: error\ndata: {"error":{"message":"too many images"}}\n\ndata: [DONE]\n\n',
        "text/event-stream",
      ),
    ],
    // By the reason of the ending.
    ["server-filtered", "content_filter", stream(three, chunkJson({}, "content_filter"), "[DONE]")],
    ["server-filtered", "SAFETY", stream(chunkJson({}, "SAFETY"))],
    [
      "server-tools",
      "tool_calls",
      stream(chunkJson({ tool_calls: [{ function: { name: "f" } }] }), chunkJson({}, "tool_calls"), "[DONE]"),
    ],
    ["server-broken-stream", "abort", stream(three, chunkJson({}, "abort"), "[DONE]")],
  ])("%s: %s", async (code, words, answer) => {
    const server = await start();
    server.fail(answer);
    const { error, text } = await ask(server);
    expect(error?.code).toBe(code);
    expect(error?.serverMessage).toContain(words);
    // What came before stays.
    expect(text).toBe(answer.pieces.join("").includes("Three") ? "Three" : "");
  });

  test("shortened, but only where they are long", async () => {
    const server = await start();
    server.fail(status(400, { message: "no ".repeat(5000) }));
    expect((await ask(server)).error?.serverMessage).toMatch(/^HTTP 400: (no ){100,}no…$/);
    // An error that never ends its body is told with what came.
    server.fail({ ...status(400, '{"message":"cut'), staysOpen: false });
    expect((await ask(server)).error?.serverMessage).toContain("cut");
  });
});
