import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createSseParser, type SseEvent } from "./sse.ts";

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

/** All events of the bytes, given in pieces that end at the cuts. */
function parse(bytes: Uint8Array, cuts: readonly number[] = []): SseEvent[] {
  const parser = createSseParser();
  const ends = [...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
  let at = 0;
  const events = ends.flatMap((end) => {
    const piece = bytes.subarray(at, end);
    at = end;
    return parser.push(piece);
  });
  return [...events, ...parser.end()];
}
const message = (data: string): SseEvent => ({ name: "message", data });

describe("server-sent events", () => {
  test("one event per empty line; comments, ids and unknown fields are skipped", () => {
    const text = ": hello\nid: 1\ndata: one\n\n: ping\n\nretry: 5\ndata:two\nwhat: ever\n\n";
    expect(parse(encode(text))).toEqual([message("one"), message("two")]);
  });

  test("several data lines are one event with line ends in between, and one space after the colon is none of it", () => {
    expect(parse(encode("data: a\ndata:\ndata:  b\n\n"))).toEqual([message("a\n\n b")]);
  });

  test("an event whose data is empty is none, as the specification says", () => {
    expect(parse(encode("data:\n\ndata: \n\ndata\n\nevent: ping\n\nevent: ping\ndata:\n\ndata: a\n\n"))).toEqual([
      message("a"),
    ]);
    // An empty line of data beside another is part of the data.
    expect(parse(encode("data:\ndata:\n\n"))).toEqual([message("\n")]);
  });

  test("lines that are no field of the specification are handed on, comments are not", () => {
    const others: string[] = [];
    const parser = createSseParser((line) => others.push(line));
    parser.push(encode(": ping\nid: 1\nretry: 2\nInternal Server"));
    parser.push(encode(" Error\nsee: log\n"));
    parser.end();
    expect(others).toEqual(["Internal Server Error", "see: log"]);
  });

  test("events have names, and llama.cpp's error lines are events", () => {
    expect(parse(encode('event: error\ndata: x\n\nerror: {"code":500}\n\ndata: y\n\n'))).toEqual([
      { name: "error", data: "x" },
      { name: "error", data: '{"code":500}' },
      message("y"),
    ]);
  });

  test("a last event without its empty line counts, a stream of nothing has none", () => {
    expect(parse(encode("data: [DONE]"))).toEqual([message("[DONE]")]);
    expect(parse(encode(""))).toEqual([]);
    expect(parse(encode("\n\n\n"))).toEqual([]);
  });

  test("a byte order mark at the beginning is no part of the first field", () => {
    expect(parse(encode("\uFEFFdata: a\n\n"))).toEqual([message("a")]);
  });

  const line = fc.string({ unit: "grapheme", maxLength: 12 }).filter((text) => !/[\r\n\uFEFF]/.test(text));
  const data = fc.array(line, { minLength: 1, maxLength: 3 });

  test("wherever the bytes are cut and however lines end, the events are the same", () => {
    fc.assert(
      fc.property(
        fc.array(data, { maxLength: 5 }),
        fc.constantFrom("\n", "\r\n", "\r"),
        fc.array(fc.nat(), { maxLength: 12 }),
        (events, end, cuts) => {
          const text = events
            .map((lines) => `: c${end}${lines.map((one) => `data: ${one}${end}`).join("")}${end}`)
            .join("");
          const filled = events.map((lines) => lines.join("\n")).filter((one) => one !== "");
          expect(parse(encode(text), cuts)).toEqual(filled.map(message));
        },
      ),
    );
  });

  test("byte by byte gives what one piece gives, whatever the bytes are", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom("\r", "\n", "data: ", "error:", ":", "é", "🦙", " ", "x"), maxLength: 40 }),
        (text) => {
          const bytes = encode(text);
          expect(parse(bytes, [...bytes.keys()])).toEqual(parse(bytes));
        },
      ),
    );
  });
});
