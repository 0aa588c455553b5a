import { existsSync } from "node:fs";
import { expect, test } from "vitest";
import { offlinePage } from "./offline-pages.ts";

const scope = "https://host.example/some/where/";
const page = (path: string, ...languages: string[]): string | undefined =>
  offlinePage(new URL(path, scope), scope, languages)?.slice(scope.length);

test("without a network the benchmark says what it needs, in the visitor's language", () => {
  expect(page("bench/", "en-US")).toBe("offline/bench.en.html");
  expect(page("bench/?device=wasm", "fr", "zh-TW")).toBe("offline/bench.zh.html");
  expect(page("bench/index.html", "fr")).toBe("offline/bench.en.html");
  for (const language of ["en", "zh"])
    expect(existsSync(new URL(`../../public/offline/bench.${language}.html`, import.meta.url))).toBe(true);
});

test("any other page leads to the app", () => {
  expect(page("elsewhere/", "en")).toBeUndefined();
  expect(page("./", "en")).toBeUndefined();
  expect(page("https://host.example/bench/", "en")).toBeUndefined();
});
