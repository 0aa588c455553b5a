// Views of one picture: cut, mirrored, lighter or darker. What is learned from them holds for pictures that were taken in another way.
import type { Pixels } from "#engine/types.ts";

/** A view by chance, which shows at least three quarters of each side; `sided` pictures are not mirrored. */
export function viewOf(pixels: Pixels, random: () => number, sided: boolean): Pixels {
  const share = 0.75 + 0.25 * random();
  const [width, height] = [pixels.width, pixels.height].map((side) => Math.max(1, Math.round(side * share))) as [
    number,
    number,
  ];
  const left = Math.floor((pixels.width - width + 1) * random());
  const top = Math.floor((pixels.height - height + 1) * random());
  const mirrored = random() < 0.5 && !sided;
  const light = 0.8 + 0.4 * random();
  const data = new Uint8ClampedArray(width * height * 4);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const from = ((top + y) * pixels.width + left + (mirrored ? width - 1 - x : x)) * 4;
      const to = (y * width + x) * 4;
      for (let c = 0; c < 3; c++) data[to + c] = light * (pixels.data[from + c] ?? 0);
      data[to + 3] = pixels.data[from + 3] ?? 255;
    }
  }
  return { width, height, data };
}
