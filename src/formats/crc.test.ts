import { expect, test } from "vitest";
import { crc32 } from "./crc.ts";

const bytes = new TextEncoder().encode("123456789");

test("the check value of CRC-32 comes out, and no bytes give 0", () => {
  expect(crc32(bytes)).toBe(0xcbf43926);
  expect(crc32(new Uint8Array())).toBe(0);
});

test("a checksum taken in parts is that of the whole", () => {
  for (let cut = 0; cut <= bytes.length; cut++)
    expect(crc32(bytes.subarray(cut), crc32(bytes.subarray(0, cut)))).toBe(0xcbf43926);
});
