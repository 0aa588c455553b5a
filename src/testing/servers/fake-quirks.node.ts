// What servers of the protocol really send, one peculiarity each, as bodies for the fake server. All of these streams say the same:
// "Three cats."
import type { RawAnswer } from "./fake-server.node.ts";

/** One piece of a stream as JSON; the fields lie over those that every server sends. */
export function chunkJson(delta: unknown, finish: string | null = null, more: object = {}): string {
  return JSON.stringify({
    id: "c1",
    object: "chat.completion.chunk",
    model: "m",
    choices: [{ index: 0, delta, finish_reason: finish }],
    ...more,
  });
}
/** One event of a stream. */
export const event = (data: string): string => `data: ${data}\n\n`;
/** A whole stream of these events, in one piece. */
export const stream = (...data: readonly string[]): RawAnswer => ({ type: "raw", pieces: [data.map(event).join("")] });
const first = event(chunkJson({ role: "assistant", content: "" }));
const three = event(chunkJson({ content: "Three " }));
const cats = event(chunkJson({ content: "cats." }));
const stop = event(chunkJson({}, "stop"));
const usage = event(JSON.stringify({ choices: [], usage: { prompt_tokens: 7, completion_tokens: 3 } }));
const done = event("[DONE]");
const plain = first + three + cats + stop + done;
const whole = JSON.stringify({
  object: "chat.completion",
  choices: [{ index: 0, message: { role: "assistant", content: "Three cats." }, finish_reason: "stop" }],
  usage: { prompt_tokens: 7, completion_tokens: 3 },
});

const raw = (body: string, more: Partial<RawAnswer> = {}): RawAnswer => ({ type: "raw", pieces: [body], ...more });
const typed = (contentType: string | null, body = plain): RawAnswer => raw(body, { contentType });

/** By what is peculiar. */
export const quirks: Readonly<Record<string, RawAnswer>> = {
  "nothing peculiar": raw(plain),
  "empty data to keep the connection": raw(`${first}data:\n\n${three}data: \n\ndata\n\n${cats}${stop}${done}`),
  "comments to keep the connection": raw(
    `: OPENROUTER PROCESSING\n\n${first}:\n\n${three}: ping - 12:00\n\n${cats}${stop}${done}`,
  ),
  "named events, ids and times": raw(
    `retry: 3000\n\nevent: ping\ndata: {"type": "ping"}\n\nid: 1\nevent: chunk\n${three}id:2\n${cats}event: end\n${stop}${done}`,
  ),
  "fields that nobody knows": raw(`x-request: 7\n\nfoo\n\n${three}bar: 1\n${cats}${stop}${done}`),
  "no space after the colon": raw(plain.replaceAll("data: ", "data:")),
  "lines that end with CR and LF": raw(plain.replaceAll("\n", "\r\n")),
  "lines that end with CR": raw(plain.replaceAll("\n", "\r")),
  "a byte order mark": raw(`\ufeff${plain}`),
  "empty lines at the beginning": raw(`\n\r\n \n${plain}`),
  "JSON over several lines of data": raw(
    `data: {"choices":\ndata: [{"delta":\ndata: {"content":"Three "}}]}\n\n${cats}${stop}${done}`,
  ),
  "no [DONE]": raw(first + three + cats + stop),
  "no finish_reason": raw(first + three + cats + done),
  "an empty finish_reason in every piece": raw(plain.replaceAll('"finish_reason":null', '"finish_reason":""')),
  "a finish_reason that says null in words": raw(plain.replaceAll('"finish_reason":null', '"finish_reason":"null"')),
  "a reason to end in every piece": raw(plain.replaceAll('"finish_reason":null', '"finish_reason":"stop"')),
  "an error that is empty": raw(plain.replaceAll('"model":"m"', '"error":{},"model":"m"')),
  "[DONE] without its empty line": raw(plain.trimEnd()),
  "[DONE] in quotes": raw(first + three + cats + stop + event('"[DONE]"')),
  "words after [DONE]": raw(`${plain}${event(chunkJson({ content: "No." }))}`),
  "figures in a piece of their own": raw(first + three + cats + stop + usage + done),
  "figures of another kind": raw(
    first +
      three +
      event(chunkJson({ content: "cats." }, null, { usage: { prompt_tokens: "7", completion_tokens: null } })) +
      stop +
      done,
  ),
  "figures that are null": raw(plain.replaceAll('"model":"m"', '"usage":null,"model":"m"')),
  "an error that is null": raw(plain.replaceAll('"model":"m"', '"error":null,"model":"m"')),
  "a connection that stays open after the end": raw(first + three + cats + stop, { staysOpen: true }),
  "no content type": typed(null),
  "the type of text": typed("text/plain; charset=utf-8"),
  "the type of JSON": typed("application/json"),
  "the type of bytes": typed("application/octet-stream"),
  "the type of a page": typed("text/html"),
  "one text of JSON in place of a stream": typed("application/json", whole),
  "one text of JSON under the type of a stream": raw(`\n${whole}\n`),
  "one text of JSON with a byte order mark": typed("text/plain", `\ufeff ${whole}`),
  "a list with one answer": typed("application/json", `[${whole}]`),
  "JSON in lines": typed(
    "application/x-ndjson",
    plain.replaceAll("data: ", "").replace("[DONE]", "").replaceAll("\n\n", "\n"),
  ),
  "one event with a whole answer": raw(event(whole) + done),
  "words in parts, thoughts among them": raw(
    event(
      chunkJson({
        content: [
          { type: "thinking", thinking: [{ type: "text", text: "Hm." }] },
          { type: "text", text: "Three " },
        ],
      }),
    ) +
      event(chunkJson({ content: ["cats."] })) +
      stop +
      done,
  ),
  "thoughts beside the words": raw(
    event(chunkJson({ reasoning_content: "Hm.", content: null })) + three + cats + stop + done,
  ),
  "the whole message once more at the end": raw(
    first +
      three +
      cats +
      event(chunkJson({}, "stop").replace('"delta"', '"message":{"content":"Three cats."},"delta"')) +
      done,
  ),
  "text as older servers have it": raw(
    event('{"choices":[{"text":"Three "}]}') + event('{"choices":[{"text":"cats.","finish_reason":"stop"}]}') + done,
  ),
  "another choice beside the first": raw(
    event('{"choices":[{"index":1,"delta":{"content":"Four"}},{"index":0,"delta":{"content":"Three "}}]}') +
      cats +
      stop +
      done,
  ),
  "results of a filter first": raw(event('{"choices":[],"prompt_filter_results":[{"prompt_index":0}]}') + plain),
  "a sign of life that is JSON": raw(
    `${first}${event('{"type":"ping"}')}${event("{}")}${event("null")}${three}${cats}${stop}${done}`,
  ),
  "words that are no JSON to keep the connection": raw(`${event("ping")}${plain}`),
  "a refusal in the model's words": raw(
    event(chunkJson({ refusal: "Three " })) + event(chunkJson({ refusal: "cats." })) + stop + done,
  ),
  "byte by byte at the beginning": raw("", {
    pieces: [
      ...Array.from(Buffer.from(`\ufeff${plain}`).subarray(0, 40), (byte) => Uint8Array.of(byte)),
      Buffer.from(`\ufeff${plain}`).subarray(40),
    ],
    paceMs: 1,
  }),
};
