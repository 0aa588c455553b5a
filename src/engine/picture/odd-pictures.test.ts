// Files that are not as they should be, decoded in Node as a browser shows them; e2e/engine/decode.spec.ts has the same files on the page.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { expect, test } from "vitest";
import { oddPictures, original } from "#testing/odd-pictures.node.ts";
import { decodeImage } from "./decode.node.ts";
import { jpegScans, sniffPicture } from "#formats/picture-file.ts";

const pictures = await oddPictures();
const { width, height, rgb } = original;

test.each(pictures)("$name: $shown of it", async ({ file, shown, tolerance }) => {
  const decoding = decodeImage(new Blob([file]));
  if (shown === "nothing") {
    await expect(decoding).rejects.toMatchObject({ code: "bad-image" });
    return;
  }
  const pixels = await decoding;
  expect([pixels.width, pixels.height]).toEqual([width, height]);
  const rows = shown === "whole" ? height : 4;
  for (let i = 0; i < rows * width; i++) {
    for (let c = 0; c < 3; c++) {
      const apart = Math.abs((pixels.data[4 * i + c] ?? NaN) - (rgb[3 * i + c] ?? NaN));
      if (apart > tolerance) throw new Error(`pixel ${i}, channel ${c} is ${apart} off`);
    }
    expect(pixels.data[4 * i + 3]).toBe(255);
  }
  expect(pixels.data.at(-1)).toBe(shown === "whole" ? 255 : 0);
});

test("a cut photograph that lies on its side is turned upright, and what is missing is at its side", async () => {
  const whole = await sharp(rgb, { raw: { width, height, channels: 3 } })
    .jpeg({ quality: 100 })
    .withMetadata({ orientation: 6 })
    .toBuffer();
  const pixels = await decodeImage(new Blob([new Uint8Array(whole.subarray(0, Math.floor(whole.length * 0.7)))]));
  expect([pixels.width, pixels.height]).toEqual([height, width]);
  expect(pixels.data[4 * (height - 1) + 3]).toBe(255);
  expect(pixels.data[3]).toBe(0);
});

test("bytes of a video behind a JPEG do not count as its scans", () => {
  const file = pictures.find(({ name }) => name.includes("video"))?.file ?? new Uint8Array();
  expect(jpegScans(file)).toEqual({ scans: 1, cut: false });
  expect(sniffPicture(file)).toEqual({ kind: "jpeg", width, height });
});

test("a JPEG of 2,000 scans is refused at once", async () => {
  const file = await sharp(rgb, { raw: { width, height, channels: 3 } })
    .jpeg({ progressive: true })
    .toBuffer();
  const last = file.lastIndexOf(Buffer.from([0xff, 0xda]));
  const scan = file.subarray(last, -2);
  const many = Buffer.concat([file.subarray(0, -2), ...Array<Buffer>(2000).fill(scan), file.subarray(-2)]);
  await expect(decodeImage(new Blob([new Uint8Array(many)]))).rejects.toThrow(/drawn in 20\d\d passes/);
});

test(
  "20,000 × 20,000 pixels are decoded in under 600 MB; what can't be read row by row is refused",
  { timeout: 120_000 },
  async () => {
    const folder = mkdtempSync(join(tmpdir(), "llava-large-"));
    try {
      const large = sharp({
        create: { width: 20_000, height: 20_000, channels: 3, background: "#369" },
        limitInputPixels: false,
      });
      writeFileSync(join(folder, "large.png"), await large.clone().greyscale().png({ compressionLevel: 1 }).toBuffer());
      const script = `import { openAsBlob } from "node:fs";
      import { decodeImage } from ${JSON.stringify(new URL("./decode.node.ts", import.meta.url).href)};
      const { width, height } = await decodeImage(await openAsBlob(${JSON.stringify(join(folder, "large.png"))}));
      console.log(JSON.stringify({ width, height, megabytes: process.resourceUsage().maxRSS / 1024 }));`;
      const { stdout } = spawnSync(process.execPath, ["--import", "tsx", "--input-type=module", "-e", script], {
        encoding: "utf8",
      });
      const found = JSON.parse(stdout) as { width: number; height: number; megabytes: number };
      expect(found).toMatchObject({ width: 4000, height: 4000 });
      expect(found.megabytes).toBeLessThan(600);
    } finally {
      rmSync(folder, { recursive: true });
    }
    const interlaced = Buffer.from(
      await sharp(rgb, { raw: { width, height, channels: 3 } })
        .png({ progressive: true })
        .toBuffer(),
    );
    interlaced.writeUInt32BE(20_000, 16);
    interlaced.writeUInt32BE(20_000, 20);
    await expect(decodeImage(new Blob([new Uint8Array(interlaced)]))).rejects.toThrow(
      /400 million pixels, and at most 64/,
    );
  },
);
