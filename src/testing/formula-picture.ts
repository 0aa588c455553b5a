// For tests: the pictures that golden numbers were made from, which are formulas, so that none is stored.
import type { Pixels } from "#engine/types.ts";

/** Channel c of pixel x, y is (7x + 13y + 29c) mod 256. */
export function formulaPixels(width: number, height: number): Pixels {
  const data = new Uint8Array(width * height * 4);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < 3; c++) data[(y * width + x) * 4 + c] = (7 * x + 13 * y + 29 * c) % 256;
      data[(y * width + x) * 4 + 3] = 255;
    }
  }
  return { width, height, data };
}
