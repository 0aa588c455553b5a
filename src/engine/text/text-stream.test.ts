import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createTextStream } from "./text-stream.ts";

/** Tokens are runs of bytes, as in a byte-level vocabulary. */
function byteTokens(pieces: readonly Uint8Array[]): { decode: (ids: readonly number[]) => string } {
  return {
    decode: (ids) => new TextDecoder().decode(Uint8Array.from(ids.flatMap((id) => [...(pieces[id] ?? [])]))),
  };
}

function stream(pieces: readonly (string | Uint8Array)[], stop: readonly string[] = [], trimStart = true) {
  const bytes = pieces.map((piece) => (typeof piece === "string" ? new TextEncoder().encode(piece) : piece));
  const text = createTextStream(byteTokens(bytes), stop, trimStart);
  const out: string[] = [];
  for (const [id] of bytes.entries()) {
    const { text: piece, stopped } = text.push(id);
    out.push(piece);
    if (stopped) return { out, stopped: true };
  }
  out.push(text.end());
  return { out, stopped: false };
}

const split = (text: string, ...cuts: number[]): Uint8Array[] => {
  const bytes = new TextEncoder().encode(text);
  const ends = [0, ...cuts, bytes.length];
  return ends.slice(1).map((end, i) => bytes.slice(ends[i], end));
};

describe("characters", () => {
  test("a character cut over several tokens comes out whole, in one piece", () => {
    const { out } = stream(["a ", ...split("🌋", 1, 2, 3), "!"]);
    expect(out).toEqual(["a ", "", "", "", "🌋", "!", ""]);
  });

  test("whatever the cuts, the pieces add up to the text and none holds a broken character", () => {
    const words = fc.string({ unit: "grapheme", minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(words, fc.array(fc.nat(200), { maxLength: 20 }), (text, places) => {
        fc.pre(!text.includes("\uFFFD") && !text.startsWith("\uFEFF"));
        const length = new TextEncoder().encode(text).length;
        const cuts = [...new Set(places.filter((place) => place > 0 && place < length))].sort((a, b) => a - b);
        const { out } = stream(split(text, ...cuts), [], false);
        expect(out.join("")).toBe(text);
        for (const piece of out) expect(piece).not.toContain("\uFFFD");
      }),
    );
  });

  test("bytes that never become a character do not hold back what follows for ever", () => {
    const broken = Uint8Array.of(0xff);
    const { out } = stream(["a", broken, broken, broken, broken, "b"]);
    expect(out.join("")).toMatch(/^a\uFFFD+b$/);
  });

  test("an answer that ends inside a character ends before it", () => {
    const { out } = stream(["ok", new TextEncoder().encode("é").slice(0, 1)]);
    expect(out.join("")).toBe("ok");
  });
});

describe("white space in front", () => {
  test("is left out, also when it is a token of its own", () => {
    expect(stream([" ", "\n", " Two", " cats"]).out.join("")).toBe("Two cats");
  });

  test("stays when an answer is continued", () => {
    expect(stream([" cats"], [], false).out.join("")).toBe(" cats");
  });
});

describe("stop strings", () => {
  test("end the answer before them, also across token borders", () => {
    const { out, stopped } = stream(["one #", "##", " two"], ["###"]);
    expect(out.join("")).toBe("one ");
    expect(stopped).toBe(true);
  });

  test("a beginning that comes to nothing is given out", () => {
    const { out, stopped } = stream(["one ##", " two"], ["###"]);
    expect(out).toEqual(["one ", "## two", ""]);
    expect(stopped).toBe(false);
  });

  test("a beginning at the end of the answer is given out", () => {
    expect(stream(["one ##"], ["###"]).out.join("")).toBe("one ##");
  });

  test("the earliest of several wins", () => {
    expect(stream(["a b c"], ["c", "b"]).out.join("")).toBe("a ");
  });

  test("an empty one stops nothing", () => {
    expect(stream(["a"], [""]).out.join("")).toBe("a");
  });
});
