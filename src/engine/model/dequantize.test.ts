import { describe, expect, test } from "vitest";
import { dequantize, expand, parseExpansion } from "./dequantize.ts";
import { EngineError } from "#engine/errors.ts";
import type { Expansion } from "#engine/package.ts";
import type { PackageFiles } from "#engine/types.ts";

describe("dequantize", () => {
  // Two rows of three values in blocks of 2: the second block is half filled.
  const data = Uint8Array.of(0x10, 0x0f, 0x98, 0x07);
  const scales = Float32Array.of(1, 0.5, 2, 10);
  const rowMajor = [-8, -7, 3.5, 0, 2, -10];

  test("unpacks low nibbles first and takes 8 as zero", () => {
    const out = new Float32Array(6);
    dequantize({ bits: 4, block: 2, rows: 2, cols: 3, transpose: false, data, scales }, out);
    expect([...out]).toEqual(rowMajor);
  });

  test("transposes", () => {
    const out = new Float32Array(6);
    dequantize({ bits: 4, block: 2, rows: 2, cols: 3, transpose: true, data, scales }, out);
    expect([...out]).toEqual([-8, 0, -7, 2, 3.5, -10]);
  });

  test("reads zero points packed per row of blocks", () => {
    const out = new Float32Array(6);
    const zeroPoints = Uint8Array.of(0x10, 0x32);
    dequantize({ bits: 4, block: 2, rows: 2, cols: 3, transpose: false, data, scales, zeroPoints }, out);
    expect([...out]).toEqual([0, 1, 7, 12, 14, 40]);
  });

  test.each([4, 8] as const)(
    "%i bits in more rows than a strip, odd widths and half-filled blocks, either way round",
    (bits) => {
      const [rows, cols, block] = [37, 45, 32];
      const blocks = 2;
      const zeroRow = Math.ceil((blocks * bits) / 8);
      const noise = (length: number): Uint8Array =>
        Uint8Array.from({ length }, (_, i) => Math.imul(i + 1, 2654435761) >>> 24);
      const data = noise((rows * blocks * block * bits) / 8);
      const zeroPoints = noise(rows * zeroRow);
      const scales = Float32Array.from({ length: rows * blocks }, (_, i) => (i + 1) / 64);
      const at = (packed: Uint8Array, start: number, i: number): number => {
        const byte = packed[start + (bits === 4 ? Math.floor(i / 2) : i)] ?? NaN;
        return bits === 8 ? byte : i % 2 === 0 ? byte % 16 : Math.floor(byte / 16);
      };
      const expected = (row: number, col: number): number => {
        const b = Math.floor(col / block);
        const value = at(data, ((row * blocks + b) * block * bits) / 8, col % block);
        return Math.fround((value - at(zeroPoints, row * zeroRow, b)) * (scales[row * blocks + b] ?? NaN));
      };
      for (const transpose of [false, true]) {
        const out = new Float32Array(rows * cols);
        dequantize({ bits, block, rows, cols, transpose, data, scales, zeroPoints }, out);
        const wrong = [...out].findIndex((value, i) =>
          transpose
            ? value !== expected(i % rows, Math.floor(i / rows))
            : value !== expected(Math.floor(i / cols), i % cols),
        );
        expect(wrong, transpose ? "transposed" : "as it is").toBe(-1);
      }
    },
  );

  test("8 bits are bytes around 128", () => {
    const out = new Float32Array(2);
    const bytes = Uint8Array.of(0, 255);
    dequantize(
      { bits: 8, block: 2, rows: 1, cols: 2, transpose: false, data: bytes, scales: Float32Array.of(0.5) },
      out,
    );
    expect([...out]).toEqual([-64, 63.5]);
  });
});

describe("expand", () => {
  const bytes = new Uint8Array(64);
  bytes.set([0x10, 0x0f, 0x98, 0x07], 8);
  new Float32Array(bytes.buffer, 16, 4).set([1, 0.5, 2, 10]);
  new Float32Array(bytes.buffer, 32, 2).set([3, 4]);
  const files: PackageFiles = { blob: () => Promise.resolve(new Blob([bytes])) };
  const range = (offset: number, size: number) => ({ path: "data", offset, bytes: size });
  const recipe: Expansion = {
    version: 1,
    files: [
      {
        path: "weights_f32",
        bytes: 32,
        tensors: [
          { kind: "copy", offset: 24, from: range(32, 8) },
          {
            kind: "quantized",
            offset: 0,
            bits: 4,
            block: 2,
            rows: 2,
            cols: 3,
            transpose: true,
            data: range(8, 4),
            scales: range(16, 16),
          },
        ],
      },
    ],
  };

  test("fills the file the recipe describes", async () => {
    const [file] = await expand(recipe, files);
    expect(file?.path).toBe("weights_f32");
    const data = file?.data;
    if (!(data instanceof Uint8Array)) throw new Error("expected bytes");
    expect([...new Float32Array(data.buffer)]).toEqual([-8, 0, -7, 2, 3.5, -10, 3, 4]);
  });

  test("a file that is too short is a bad package", async () => {
    const short: PackageFiles = { blob: () => Promise.resolve(new Blob([bytes.subarray(0, 33)])) };
    await expect(expand(recipe, short)).rejects.toThrow(/data is too short/);
  });

  test("a recipe of another version is refused by name", () => {
    expect(() => parseExpansion({ version: 2, files: [] }, "onnx/recipe.json")).toThrow(EngineError);
    expect(() => parseExpansion({ version: 2, files: [] }, "onnx/recipe.json")).toThrow(/onnx\/recipe.json: version/);
  });
});
