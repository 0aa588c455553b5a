import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createRedactor } from "./redact.ts";

const key = 'sk-Ab1/"x+9_Zq.7';
const base64 = (text: string): string => Buffer.from(text).toString("base64");

/** In pieces of so many characters. */
function streamed(words: string, size: number, secret = key): string {
  const stream = createRedactor(secret).stream();
  let shown = "";
  for (let at = 0; at < words.length; at += size) shown += stream.push(words.slice(at, at + size));
  return shown + stream.end();
}

describe("a key is blotted out", () => {
  const percent = (text: string): string =>
    Array.from(text, (character) => `%${character.charCodeAt(0).toString(16)}`).join("");
  const unicode = (text: string): string =>
    Array.from(text, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`).join("");
  test.each([
    ["as it is", key],
    ["in upper case", key.toUpperCase()],
    ["in lower case", key.toLowerCase()],
    ["percent-encoded", encodeURIComponent(key)],
    ["percent-encoded in every character", percent(key)],
    ["percent-encoded twice", encodeURIComponent(encodeURIComponent(key))],
    ["escaped in JSON", JSON.stringify(key).slice(1, -1)],
    ["escaped in JSON within JSON", JSON.stringify(JSON.stringify(key)).slice(3, -3)],
    ["escaped in JSON, slashes too", JSON.stringify(key).slice(1, -1).replaceAll("/", "\\/")],
    ["escaped in JSON in every character", unicode(key)],
    ["in a script", Array.from(key, (character) => `\\u{${character.charCodeAt(0).toString(16)}}`).join("")],
    ["in mail", Array.from(key, (character) => `=${character.charCodeAt(0).toString(16).toUpperCase()}`).join("")],
    ["in HTML", key.replaceAll('"', "&quot;")],
    ["in hexadecimal", Buffer.from(key).toString("hex")],
    ["over two lines", `${key.slice(0, 7)}\n${key.slice(7)}`],
  ])("%s", (_, spelled) => {
    expect(createRedactor(key).text(`before ${spelled} after`)).toBe("before … after");
    expect(createRedactor(key).text(`Bearer ${spelled}`)).toBe("Bearer …");
  });

  test("in base64 and base64url, whatever stands before and after it", () => {
    for (const before of ["", "a", "ab", "Bearer ", "user:", "{"])
      for (const after of ["", "x", "}}"])
        for (const form of ["base64", "base64url"] as const) {
          const spelled = Buffer.from(before + key + after).toString(form);
          const [head, tail, ...more] = createRedactor(key).text(spelled).split("…");
          expect(more).toEqual([]);
          // At each side one character is left that holds some bits of the key.
          expect(head?.length).toBe(Math.ceil((before.length * 8) / 6));
          expect(tail?.replace(/=+$/, "").length).toBeLessThanOrEqual(Math.ceil((after.length * 8) / 6) + 1);
        }
  });

  test("wherever a stream cuts it, and the words around it stay", () => {
    for (const spelled of [key, encodeURIComponent(key), unicode(key), base64(`x${key}`)])
      for (let size = 1; size < 12; size++) {
        const words = `It is ${spelled}, and again: ${spelled}!`;
        expect(streamed(words, size), `${size}: ${spelled}`).toBe(createRedactor(key).text(words));
        expect(streamed(words, size)).not.toContain(spelled);
      }
  });

  test("a good part of it at the end is blotted out too, its first letters are not", () => {
    expect(streamed(`It is ${key.slice(0, -1)}`, 3)).toBe("It is …");
    expect(streamed("Nothing to ask", 1)).toBe("Nothing to ask");
    expect(streamed("as in sk-", 2)).toBe("as in sk-");
  });

  test("that an earlier answer began is not completed by the one that goes on from it", () => {
    for (let at = 1; at < key.length; at++) {
      const first = `It is ${key.slice(0, at)}`;
      const shown = createRedactor(key).text(first);
      const stream = createRedactor(key).stream(shown);
      const rest = stream.push(`${key.slice(at)}, and sky`) + stream.end();
      expect(shown + rest).not.toContain(key);
      if (shown === first) expect(rest).toBe("…, and sky");
    }
    // What was shown is not shown twice.
    const stream = createRedactor(key).stream("The s");
    expect(stream.push("ky") + stream.push(" is s") + stream.end()).toBe("ky is s");
  });

  test("what can't be its beginning is shown at once", () => {
    const stream = createRedactor(key).stream();
    expect(stream.push("Three ")).toBe("Three ");
    expect(stream.push("cats. sk")).toBe("cats. ");
    expect(stream.push("y")).toBe("sky");
    expect(stream.end()).toBe("");
  });
});

test("whatever is said with whatever key, nothing but the key is lost, and however it is cut the result is the same", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom("a", "b", "A", "-", "1", "\\", "%", "\n"), maxLength: 40 }),
      fc.string({ unit: fc.constantFrom("a", "b", "-", "1"), minLength: 4, maxLength: 8 }),
      fc.integer({ min: 1, max: 9 }),
      (words, secret, size) => {
        const whole = createRedactor(secret).text(words);
        expect(whole.toLowerCase()).not.toContain(secret);
        expect(streamed(words, size, secret)).toBe(whole);
        if (!whole.includes("…")) expect(whole).toBe(words);
      },
    ),
  );
});

test("no key, one of three characters and one that is no secret leave everything as it is", () => {
  for (const none of [undefined, "", "abc", "ollama", "EMPTY"])
    expect(createRedactor(none).text("Empty? abc, says Ollama.")).toBe("Empty? abc, says Ollama.");
});
