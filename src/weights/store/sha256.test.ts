import { afterEach, expect, test, vi } from "vitest";
import { sha256Hex } from "./sha256.ts";

afterEach(() => vi.unstubAllGlobals());

test("a digest is lower-case hex", async () => {
  expect(await sha256Hex(new TextEncoder().encode("abc"))).toBe(
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
  );
});

test("a page over plain HTTP, which has no WebCrypto, is told apart from storage that fails", async () => {
  vi.stubGlobal("crypto", {});
  await expect(sha256Hex(new Uint8Array(1))).rejects.toMatchObject({ code: "insecure" });
});
