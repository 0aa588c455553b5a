import { describe, expect, test } from "vitest";
import { formatDuration, formatProgress, formatRate } from "#ui/parts/format.ts";
import { pickLanguage } from "./language.ts";
import { languages } from "./all.ts";

describe("the language of the page", () => {
  test("is the first wanted one that it speaks", () => {
    expect(pickLanguage(["fr-FR", "zh-TW", "en"])).toBe("zh");
    expect(pickLanguage(["en-GB", "zh"])).toBe("en");
  });

  test("is English when it speaks none of them", () => {
    expect(pickLanguage(["fr", "ja"])).toBe("en");
    expect(pickLanguage([])).toBe("en");
  });
});

/** Every sentence of a language by its path, functions called with stand-ins. */
function sentences(value: unknown, path = ""): [string, string][] {
  if (typeof value === "string") return [[path, value]];
  if (typeof value === "function") return [[path, String(Reflect.apply(value, undefined, ["7", "8", "9"]))]];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => sentences(inner, `${path}.${key}`));
}

test.each(Object.entries(languages))("no sentence of %s is empty or holds a stray value", (_, texts) => {
  for (const [path, sentence] of sentences(texts)) {
    expect(sentence.trim(), path).not.toBe("");
    expect(sentence, path).not.toMatch(/undefined|\[object|NaN/);
  }
});

test("every error has a sentence that says the next step, and no two are alike", () => {
  for (const texts of Object.values(languages)) {
    const all = Object.values(texts.errors);
    expect(new Set(all).size).toBe(all.length);
  }
  for (const sentence of Object.values(languages.en.errors)) expect(sentence).toMatch(/[.!] .+\.$|\. [A-Z]/);
});

test("of a program on this device it is not said that questions leave it, but that a tunnel may lead on", () => {
  const { en, zh } = languages;
  for (const host of ["localhost:8000", "127.0.0.1:11434", "[::1]:8080", "ai.localhost"]) {
    for (const words of [en.remote.leaves(host), en.remote.sentTo(host)]) {
      expect(words).toMatch(/stays on (your|this) device/i);
      expect(words).toContain(host);
      expect(words).toContain("tunnel");
    }
    for (const words of [zh.remote.leaves(host), zh.remote.sentTo(host)]) {
      expect(words).toContain("留在本机");
      expect(words).toContain("隧道");
    }
  }
  for (const host of ["gpu.example", "192.168.0.7:8443", "localhost.example:8000"]) {
    for (const words of [en.remote.leaves(host), en.remote.sentTo(host)])
      expect(words).toMatch(/leaves (your|this) device.*sent to/i);
    for (const words of [zh.remote.leaves(host), zh.remote.sentTo(host)]) expect(words).toContain("离开本机");
  }
});

test("one thread is not two threads", () => {
  expect(languages.en.threads(1)).toBe("1 thread");
  expect(languages.en.threads(4)).toBe("4 threads");
});

describe("numbers", () => {
  const t = languages.en;
  test("durations change to seconds where milliseconds get long", () => {
    expect(formatDuration(t, 12.4)).toBe("12 ms");
    expect(formatDuration(t, 999.7)).toBe("1.0 s");
    expect(formatDuration(t, 61_234)).toBe("61 s");
  });

  test("bytes are megabytes of a million", () => {
    expect(formatProgress(t, 4_100_000, 9_800_000)).toBe("4.1 of 9.8 MB");
  });

  test("a slow pace shows a digit after the point", () => {
    expect(formatRate(t, 3.14)).toBe("3.1 tokens/s");
    expect(formatRate(t, 312.4)).toBe("312 tokens/s");
  });
});
