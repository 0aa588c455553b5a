// How many rows of features pictures take, as a package's manifest states it.
import type { LlavaConfig } from "#convert/config/config.ts";
import type { Manifest } from "#weights/manifest.ts";

/** The manifest's description of tiles; undefined for models that see pictures whole only. */
export function manifestTiles({ tiles, imageTokens }: LlavaConfig): Manifest["model"]["tiles"] {
  if (!tiles) return undefined;
  const { pinpoints, most, onlyAlone } = tiles;
  const sizes = pinpoints.map(([height, width]): [number, number] => [height, width]);
  return { pinpoints: sizes, side: Math.sqrt(imageTokens), ...(most === undefined ? {} : { most }), onlyAlone };
}

/** The most rows that one picture takes: those of the whole picture, and of the largest grid with a newline per line. */
export function mostImageTokens({ tiles, imageTokens, vision }: LlavaConfig): number {
  if (!tiles) return imageTokens;
  const side = Math.sqrt(imageTokens);
  const grids = tiles.pinpoints.map(([height, width]) => {
    const [rows, columns] = [(height / vision.imageSize) * side, (width / vision.imageSize) * side];
    const shrink = Math.max(1, Math.sqrt((rows * columns) / ((tiles.most ?? Infinity) * imageTokens * 1.21)));
    return Math.ceil(rows / shrink) * (Math.ceil(columns / shrink) + 1);
  });
  return imageTokens + Math.max(...grids);
}
