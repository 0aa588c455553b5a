import { expect, test } from "vitest";
import type { StoredPackageInfo } from "#worker/api.ts";
import { wantedAgain } from "./unfinished.ts";

const place = { kind: "hub", hub: "https://hub.example/", repository: "HuggingFaceTB/SmolVLM-256M-Instruct", revision: "abc" } as const; // prettier-ignore
const counts = { fetchedBytes: 1, fetchBytes: 2, keptBytes: 3, keepBytes: 4 };
const info = (unfinished: StoredPackageInfo["unfinished"]): StoredPackageInfo => ({
  id: "a/b",
  name: "A",
  license: "mit",
  baseUrl: "",
  architecture: "llava",
  complete: false,
  storedBytes: 3,
  totalBytes: undefined,
  usedAt: undefined,
  unfinished,
});

test("what was being converted can be gone on with as it was asked for", () => {
  const asked = { weights: ["m.gguf", "mmproj.gguf"], bits: { vision: 8, embed: 8, decoder: 8 } } as const;
  const unfinished = {
    ...counts,
    place,
    asked: { ...asked, weights: [...asked.weights] },
    name: "SmolVLM 256M",
    license: "apache-2.0",
  };
  expect(wantedAgain(info(unfinished))).toEqual({
    id: "a/b",
    name: "SmolVLM 256M",
    baseUrl: "",
    architecture: "llava",
    bytes: 4,
    checkpoint: { place, license: "apache-2.0", ...asked },
  });
});

test("dropped files have to be dropped again, and a download is none", () => {
  expect(wantedAgain(info({ ...counts, place: undefined, asked: {}, name: "A", license: "mit" }))).toBeUndefined();
  expect(wantedAgain(info(undefined))).toBeUndefined();
});
