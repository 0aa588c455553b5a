import { expect, test } from "vitest";
import { contentHash } from "./content-hash.ts";

test("the same bytes have the same hash, SHA-256 in hex", async () => {
  expect(await contentHash(new Blob(["abc"]))).toBe("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  expect(await contentHash(new Blob(["abc"], { type: "text/plain" }))).toBe(await contentHash(new Blob(["abc"])));
});
