// Picture files through a real browser's decoders: upright, first frame, downscaled, or refused with the right word.
import { expect, test, type Page } from "@playwright/test";
import sharp, { type Sharp } from "sharp";
import { openBundled } from "../support/bundle.ts";
import type { Decoded } from "./decode-page.ts";
import { decodeImage } from "#engine/picture/decode.node.ts";
import { oddPictures } from "#testing/odd-pictures.node.ts";

type Colour = readonly [red: number, green: number, blue: number, alpha: number];
const red: Colour = [255, 0, 0, 255];
const blue: Colour = [0, 0, 255, 255];

/** A picture whose left half has one colour and whose right half another. */
function halves(width: number, height: number, left: Colour = red, right: Colour = blue): Sharp {
  const row = Buffer.concat(Array.from({ length: width }, (_, x) => Buffer.from(x < width / 2 ? left : right)));
  const pixels = Buffer.concat(Array.from({ length: height }, () => row));
  return sharp(pixels, { raw: { width, height, channels: 4 }, limitInputPixels: false });
}

/** 24-bit BMP, rows from the bottom up, as most programs write it; the left half red, the right half blue. */
function bitmapFile(width: number, height: number): Buffer {
  const head = Buffer.alloc(54);
  const bytes = width * 3 * height; // no padding when the width is a multiple of 4
  head.write("BM", "latin1");
  head.writeUInt32LE(head.length + bytes, 2);
  head.writeUInt32LE(head.length, 10);
  head.writeUInt32LE(40, 14);
  head.writeInt32LE(width, 18);
  head.writeInt32LE(height, 22);
  head.writeUInt16LE(1, 26);
  head.writeUInt16LE(24, 28);
  head.writeUInt32LE(bytes, 34);
  const row = Array.from({ length: width }, (_, x) => (x < width / 2 ? [0, 0, 255] : [255, 0, 0])).flat();
  return Buffer.concat([head, ...Array.from({ length: height }, () => Buffer.from(row))]);
}

const sides = [
  [0.25, 0.5],
  [0.75, 0.5],
] as const;
const ends = [
  [0.5, 0.25],
  [0.5, 0.75],
] as const;

async function decode(page: Page, file: Buffer, places: readonly (readonly [number, number])[]): Promise<Decoded> {
  const given = { base64: file.toString("base64"), places };
  return page.evaluate(({ base64, places }) => window.decodeFile(base64, places), given);
}

/** Size and colours; lossy files and colour conversions may be off by a little. */
function expectPicture(
  decoded: Decoded,
  width: number,
  height: number,
  colours: readonly Colour[],
  tolerance = 8,
): void {
  if ("code" in decoded) throw new Error(`refused: ${decoded.message}`);
  expect([decoded.width, decoded.height]).toEqual([width, height]);
  colours.forEach((colour, place) => {
    colour.forEach((value, channel) => {
      const found = decoded.colours[place]?.[channel] ?? -1;
      expect(Math.abs(found - value), `place ${place}, channel ${channel} is ${found}`).toBeLessThanOrEqual(tolerance);
    });
  });
}

test.beforeEach(async ({ page }) => {
  await openBundled(page, new URL("./decode-page.ts", import.meta.url));
  await expect(page.locator("body")).toHaveText("ready");
});

test("PNG, JPEG, WebP, AVIF and BMP give the same picture", async ({ page }) => {
  const files: Record<string, Buffer> = {
    png: await halves(64, 32).png().toBuffer(),
    jpeg: await halves(64, 32).jpeg({ quality: 95 }).toBuffer(),
    webp: await halves(64, 32).webp({ lossless: true }).toBuffer(),
    "lossy webp": await halves(64, 32).webp({ quality: 95 }).toBuffer(),
    avif: await halves(64, 32).avif({ quality: 90, effort: 0 }).toBuffer(),
    bmp: bitmapFile(64, 32),
  };
  for (const [kind, file] of Object.entries(files)) {
    await test.step(kind, async () => {
      expectPicture(await decode(page, file, sides), 64, 32, [red, blue]);
    });
  }
});

test("a photograph that lies on its side is turned upright by its EXIF orientation", async ({ page }) => {
  const file = await halves(64, 32).withMetadata({ orientation: 6 }).jpeg({ quality: 95 }).toBuffer();
  expectPicture(await decode(page, file, ends), 32, 64, [red, blue]);
  const mirrored = await halves(64, 32).withMetadata({ orientation: 2 }).jpeg({ quality: 95 }).toBuffer();
  expectPicture(await decode(page, mirrored, sides), 64, 32, [blue, red]);
});

test("an animation gives its first frame", async ({ page }) => {
  const frames = [await halves(32, 32, red, red).png().toBuffer(), await halves(32, 32, blue, blue).png().toBuffer()];
  const gif = await sharp(frames, { join: { animated: true } })
    .gif({ delay: [20, 20] })
    .toBuffer();
  expect((await sharp(gif, { animated: true }).metadata()).pages).toBe(2);
  expectPicture(await decode(page, gif, sides), 32, 32, [red, red]);
});

test("a transparent picture keeps its transparency and its colours", async ({ page }) => {
  const file = await halves(32, 32, [0, 200, 0, 0], [200, 100, 40, 128]).png().toBuffer();
  const decoded = await decode(page, file, sides);
  if ("code" in decoded) throw new Error(decoded.message);
  expect(decoded.colours[0]?.[3]).toBe(0);
  const [, half = []] = decoded.colours;
  expectPicture({ ...decoded, colours: [half] }, 32, 32, [[200, 100, 40, 128]], 2);
});

test("more than 16 megapixels are scaled down, in their proportions and upright", async ({ page }) => {
  for (const orientation of [1, 6]) {
    const file = await halves(6000, 3000).withMetadata({ orientation }).jpeg({ quality: 80 }).toBuffer();
    const decoded = await decode(page, file, orientation === 1 ? sides : ends);
    if ("code" in decoded) throw new Error(decoded.message);
    const { width, height } = decoded;
    expect(width * height).toBeLessThanOrEqual(16e6);
    expect(width * height).toBeGreaterThan(3e6);
    const [long, short] = orientation === 1 ? [width, height] : [height, width];
    expect(Math.abs(long - 2 * short)).toBeLessThanOrEqual(2);
    expectPicture(decoded, width, height, [red, blue]);
  }
});

test("16 megapixels and less stay as they are", async ({ page }) => {
  const file = await halves(4000, 4000).jpeg({ quality: 80 }).toBuffer();
  expectPicture(await decode(page, file, sides), 4000, 4000, [red, blue]);
});

test("what is no picture, or a broken one, is refused as one", async ({ page }) => {
  const whole = await halves(64, 32).png().toBuffer();
  const broken = Buffer.concat([whole.subarray(0, 40), Buffer.alloc(200)]);
  for (const file of [broken, Buffer.from("I am a letter, and a rather long one at that: not a picture.")]) {
    const refused = await decode(page, file, []);
    expect(refused).toMatchObject({ code: "bad-image" });
    expect(refused).toHaveProperty("message", expect.stringMatching(/not a picture, or it is damaged/));
  }
  expect(await decode(page, Buffer.alloc(0), [])).toEqual({ code: "bad-image", message: "the file is empty" });
});

test("a HEIC that this browser can't decode is told apart from a broken file", async ({ page }) => {
  const file = Buffer.from("\0\0\0\x20ftypheic\0\0\0\0mif1heic".padEnd(64, "\0"), "latin1");
  expect(await decode(page, file, [])).toMatchObject({ code: "bad-image", message: expect.stringMatching(/^heic: /) });
});

test("odd and damaged files are shown here as the command line reads them", async ({ page }) => {
  const pictures = await oddPictures();
  const files = pictures.map(({ file }) => Buffer.from(file).toString("base64"));
  const opened = await page.evaluate((all) => Promise.all(all.map((base64) => window.openFile(base64))), files);
  for (const [i, { name, file, shown }] of pictures.entries()) {
    await test.step(name, async () => {
      const found = opened[i] ?? { problem: "nothing came" };
      if (shown === "nothing") {
        expect(found).toEqual({ problem: "broken" });
        return;
      }
      if ("problem" in found) throw new Error(found.problem);
      const node = await decodeImage(new Blob([file]));
      expect([found.width, found.height]).toEqual([node.width, node.height]);
      let [apart, seenByOne] = [0, 0];
      for (let at = 0; at < node.data.length; at += 4) {
        if (found.rgba[at + 3] !== node.data[at + 3]) seenByOne++;
        else if (node.data[at + 3] === 255)
          for (let c = at; c < at + 3; c++)
            apart = Math.max(apart, Math.abs((found.rgba[c] ?? NaN) - (node.data[c] ?? NaN)));
      }
      expect(apart).toBeLessThanOrEqual(8);
      // Of the last rows that are drawn in part, each decoder keeps what it likes.
      expect(seenByOne / found.width).toBeLessThanOrEqual(16);
    });
  }
});

test("a picture of 400 megapixels and one of 2,000 passes are refused by their headers", async ({ page }) => {
  const open = (file: Buffer) => page.evaluate((base64) => window.openFile(base64), file.toString("base64"));
  const png = await halves(64, 32).png().toBuffer();
  png.writeUInt32BE(20_000, 16);
  png.writeUInt32BE(20_000, 20);
  expect(await open(png)).toEqual({ problem: "too-large" });
  const jpeg = await halves(64, 32).removeAlpha().jpeg({ progressive: true }).toBuffer();
  const scan = jpeg.subarray(jpeg.lastIndexOf(Buffer.from([0xff, 0xda])), -2);
  const passes = Array.from({ length: 2000 }, () => scan);
  expect(await open(Buffer.concat([jpeg.subarray(0, -2), ...passes, jpeg.subarray(-2)]))).toEqual({
    problem: "too-slow",
  });
});
