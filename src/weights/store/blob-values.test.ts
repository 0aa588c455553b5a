import { expect, test } from "vitest";
import { fromStoredBlob, isBlobRefused, toBlobBytes } from "./blob-values.ts";

test("a Blob that was stored as bytes is the same Blob again", async () => {
  const blob = new Blob([Uint8Array.of(1, 2, 255)], { type: "image/png" });
  const again = fromStoredBlob(structuredClone(await toBlobBytes(blob)));
  expect(again?.type).toBe("image/png");
  expect(new Uint8Array((await again?.arrayBuffer()) ?? new ArrayBuffer())).toEqual(Uint8Array.of(1, 2, 255));
  expect(fromStoredBlob(blob)).toBe(blob);
});

test("what holds no Blob gives none", () => {
  for (const value of [
    undefined,
    null,
    3,
    "text",
    {},
    { bytes: "no", type: "x" },
    { bytes: new ArrayBuffer(1), type: 1 },
  ])
    expect(fromStoredBlob(value)).toBeUndefined();
});

test("a full disk is no refused Blob", () => {
  expect(isBlobRefused(new DOMException("Error preparing Blob/File data", "UnknownError"))).toBe(true);
  expect(isBlobRefused(new DOMException("BlobURLs are not yet supported", "DataCloneError"))).toBe(true);
  expect(isBlobRefused(null)).toBe(true);
  expect(isBlobRefused(new DOMException("no room", "QuotaExceededError"))).toBe(false);
  expect(isBlobRefused(new Error("UnknownError"))).toBe(false);
});
