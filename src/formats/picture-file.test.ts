import sharp, { type Sharp } from "sharp";
import { describe, expect, test } from "vitest";
import { decodeImage } from "#engine/picture/decode.node.ts";
import { browserPictureKind, pictureKind, sniffPicture } from "./picture-file.ts";

const picture = sharp({ create: { width: 300, height: 200, channels: 4, background: "#c0ffee80" } });
const bytesOf = async (pipeline: Sharp): Promise<Uint8Array<ArrayBuffer>> => new Uint8Array(await pipeline.toBuffer());
const text = (value: string): number[] => [...new TextEncoder().encode(value)];

const latin = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0));

describe("the format by the first bytes", () => {
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
    expect(pictureKind(latin(head))).toBe(format);
  });

  test("an AVIF whose major brand is the general one is still an AVIF", () => {
    expect(pictureKind(latin("\0\0\0\x20ftypmif1\0\0\0\0mif1avifmiaf"))).toBe("avif");
  });

  test("a TIFF is a picture, but not to a browser", () => {
    expect(pictureKind(latin("II*\0"))).toBe("tiff");
    expect(browserPictureKind(latin("II*\0"))).toBe("unknown");
    expect(browserPictureKind(latin("GIF89a"))).toBe("gif");
  });
});

describe("the head of a file", () => {
  test.each([
    ["png", () => picture.clone().png()],
    ["jpeg", () => picture.clone().jpeg()],
    ["webp", () => picture.clone().webp()],
    ["webp", () => picture.clone().removeAlpha().webp()],
    ["webp", () => picture.clone().webp({ lossless: true })],
    ["gif", () => picture.clone().gif()],
    ["avif", () => picture.clone().avif()],
  ])("tells kind and size of %s", async (kind, make) => {
    expect(sniffPicture(await bytesOf(make()))).toEqual({ kind, width: 300, height: 200 });
  });

  test("tells HEIC from AVIF by its brands", () => {
    const file = (...brands: string[]) => {
      const body = text(`ftyp${brands[0] ?? ""}\0\0\0\0${brands.join("")}`);
      return Uint8Array.of(0, 0, 0, body.length + 4, ...body, ...new Uint8Array(32));
    };
    expect(sniffPicture(file("heic", "mif1")).kind).toBe("heic");
    expect(sniffPicture(file("mif1", "heic")).kind).toBe("heic");
    expect(sniffPicture(file("mif1", "avif")).kind).toBe("avif");
    expect(sniffPicture(file("isom", "mp42")).kind).toBe("unknown");
  });

  test("bytes of no picture, and too few of them, are unknown", () => {
    expect(sniffPicture(Uint8Array.from(text("just a text that is long enough to look at"))).kind).toBe("unknown");
    expect(sniffPicture(new Uint8Array(3)).kind).toBe("unknown");
  });
});

describe("decoding in Node", () => {
  test("turns a picture upright as its EXIF says", async () => {
    const lying = await bytesOf(picture.clone().jpeg().withMetadata({ orientation: 6 }));
    const pixels = await decodeImage(new Blob([lying]));
    expect([pixels.width, pixels.height]).toEqual([200, 300]);
  });

  test("keeps transparency and straight colours", async () => {
    const { data } = await decodeImage(new Blob([await bytesOf(picture.clone().png())]));
    expect([...data.subarray(0, 4)]).toEqual([0xc0, 0xff, 0xee, 0x80]);
  });

  test("takes grey pictures as colour ones", async () => {
    const grey = await bytesOf(picture.clone().removeAlpha().greyscale().png());
    const { data } = await decodeImage(new Blob([grey]));
    expect(data).toHaveLength(300 * 200 * 4);
  });

  test("takes the first frame of an animation", async () => {
    const frames = Buffer.concat([Buffer.alloc(16 * 16 * 3, 255), Buffer.alloc(16 * 16 * 3, 0)]);
    const animation = sharp(frames, { raw: { width: 16, height: 32, channels: 3, pageHeight: 16 } }).gif();
    const { width, height, data } = await decodeImage(new Blob([await bytesOf(animation)]));
    expect([width, height, data[0]]).toEqual([16, 16, 255]);
  });

  test("says so when the file is broken, empty or no picture", async () => {
    const whole = await bytesOf(picture.clone().png());
    for (const bytes of [whole.subarray(0, 60), new Uint8Array(0), Uint8Array.from(text("hello"))]) {
      await expect(decodeImage(new Blob([bytes]))).rejects.toMatchObject({ code: "bad-image" });
    }
  });
});
