// Pictures in tiles (LLaVA-1.6, LLaVA-OneVision) in a checkpoint's config.json: the grids that a picture may be cut into.
import { badCheckpoint } from "#convert/checkpoint/bad-checkpoint.ts";
import { only } from "./config-fields.ts";
import type { VisionConfig } from "./vision-config.ts";

/** A picture is encoded whole, and then again in the tiles of the grid that fits it best. */
export interface TilesConfig {
  /** Sizes that a picture may be fitted into, in pixels, height first; multiples of the tower's side. */
  readonly pinpoints: readonly (readonly [number, number])[];
  /** The features of more tiles than this are scaled down to as many (OneVision's `anyres_max_N`). */
  readonly most?: number | undefined;
  /** Whether tiles are used for a single picture only; several in a prompt are then one square each (OneVision). */
  readonly onlyAlone: boolean;
}

type Grid = readonly [rows: number, columns: number];

/** What a class of models does where its config says nothing. */
export interface Tiles {
  /** Of a tile, in pixels. */
  readonly side: number;
  readonly grid: readonly Grid[];
  /** `vision_aspect_ratio`, in classes that have one: "anyres_max_N". */
  readonly most: string | undefined;
}

/** The default grids of the two classes, in their order. */
export const grids = {
  /** LLaVA-1.6: single rows and columns, and one square. */
  lines: (longest: number, square: number): readonly Grid[] =>
    [[1, square], [square, 1], [square, square], [longest, 1], [1, longest]], // prettier-ignore
  /** LLaVA-OneVision: every grid of up to `most` rows and columns. */
  upTo(most: number): readonly Grid[] {
    const counts = Array.from({ length: most }, (_, i) => i + 1);
    return counts.flatMap((rows) => counts.map((columns): Grid => [rows, columns]));
  },
};

/** The fields of config.json that describe tiles. */
interface TilesFields {
  readonly image_grid_pinpoints?: string | readonly (readonly [number, number])[] | null | undefined;
  readonly vision_aspect_ratio?: string | undefined;
  readonly image_aspect_ratio?: string | undefined;
  readonly mm_patch_merge_type?: string | undefined;
}

/** The grids and limits of a class of models that cuts pictures into tiles of the tower's size. */
export function tilesConfig(raw: TilesFields, kind: Tiles, vision: VisionConfig): TilesConfig {
  if (vision.keepClass) throw badCheckpoint("pictures in tiles with the class token kept can't be converted");
  only("mm_patch_merge_type", raw.mm_patch_merge_type ?? "spatial_unpad", ["spatial_unpad"]);
  const grid = kind.grid.map(([rows, columns]): readonly [number, number] => [rows * kind.side, columns * kind.side]);
  const given = raw.image_grid_pinpoints;
  const pinpoints = typeof given === "string" ? pinpointsIn(given, vision.imageSize) : (given ?? grid);
  if (pinpoints.length === 0) throw badCheckpoint("image_grid_pinpoints is empty");
  for (const size of pinpoints) {
    if (size.some((pixels) => pixels % vision.imageSize !== 0)) {
      throw badCheckpoint(
        `image_grid_pinpoints has ${size.join(" × ")}, which tiles of ${vision.imageSize} pixels don't fill`,
      );
    }
  }
  const stated = kind.most === undefined ? raw.image_aspect_ratio : (raw.vision_aspect_ratio ?? raw.image_aspect_ratio);
  const most = /^anyres_max_(\d+)$/.exec(stated ?? kind.most ?? "")?.[1];
  return { pinpoints, most: most === undefined ? undefined : Number(most), onlyAlone: kind.most !== undefined };
}

/**
 * Sizes in pixels, height first, from either way in which LLaVA writes them as text: "(1x1),...,(6x6)" means every grid of tiles
 * between the first and the last; anything else is Python's list of sizes in pixels.
 */
export function pinpointsIn(text: string, side: number): readonly (readonly [number, number])[] {
  const corners = [...text.matchAll(/\((\d{1,2})x(\d{1,2})\)/g)].map(([, a, b]) => [Number(a), Number(b)] as const);
  const [first, last] = [corners[0], corners.at(-1)];
  if (first && last) {
    const between = (from: number, to: number) =>
      Array.from({ length: Math.max(0, to - from + 1) }, (_, i) => from + i);
    return between(first[0], last[0]).flatMap((a) =>
      between(first[1], last[1]).map((b) => [a * side, b * side] as const),
    );
  }
  if (!/^[\s\d()[\],]*$/.test(text))
    throw badCheckpoint(`image_grid_pinpoints is "${text.slice(0, 60)}", which is no list of grids`);
  return [...text.matchAll(/[([]\s*(\d{1,5})\s*,\s*(\d{1,5})\s*[)\]]/g)].map(
    ([, a, b]) => [Number(a), Number(b)] as const,
  );
}
