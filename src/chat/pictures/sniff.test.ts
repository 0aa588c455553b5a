import { expect, test } from "vitest";
import { sniffFormat } from "./sniff.ts";

const bytes = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0));

test.each([
  ["png", "\x89PNG\r\n\x1a\n"],
  ["jpeg", "\xff\xd8\xff\xe0"],
  ["gif", "GIF89a"],
  ["webp", "RIFF\x10\0\0\0WEBPVP8 "],
  ["bmp", "BM\x46\0\0\0"],
  ["avif", "\0\0\0\x20ftypavif\0\0\0\0avifmif1miaf"],
  ["heic", "\0\0\0\x20ftypheic\0\0\0\0mif1heic"],
  ["unknown", "<svg xmlns="],
  ["unknown", ""],
])("%s is known by its first bytes", (format, head) => {
  expect(sniffFormat(bytes(head))).toBe(format);
});

test("an AVIF whose major brand is the general one is still an AVIF", () => {
  expect(sniffFormat(bytes("\0\0\0\x20ftypmif1\0\0\0\0mif1avifmiaf"))).toBe("avif");
});
