// How Idefics3 and SmolVLM want their pictures, from a checkpoint's preprocessor_config.json: the sizes that a picture is scaled to, and the
// files that say so in the package.
import * as v from "valibot";
import { badCheckpoint } from "#convert/checkpoint/bad-checkpoint.ts";
import type { LlavaConfig } from "#convert/config/config.ts";
import type { Manifest } from "#weights/manifest.ts";

type Json = Readonly<Record<string, unknown>>;
type Squares = NonNullable<Manifest["model"]["squares"]>;

const pixels = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(2 ** 14));
const LongestEdge = v.looseObject({ longest_edge: pixels });
const Settings = v.looseObject({ size: LongestEdge, max_image_size: LongestEdge, resample: v.number() });

/** Pillow's numbers of the filters that can be computed. */
const filters: Readonly<Record<number, Squares["filter"]>> = { 1: "lanczos", 3: "bicubic" };

/** The manifest's description; undefined for models of another kind. `given` is the checkpoint's preprocessor_config.json. */
export function manifestSquares(config: LlavaConfig, given: Json | undefined): Squares | undefined {
  if (config.squares !== true) return undefined;
  const parsed = v.safeParse(Settings, { ...squaresPreprocessing(config), ...given });
  if (!parsed.success) {
    const [issue] = parsed.issues;
    throw badCheckpoint(`preprocessor_config.json: ${v.getDotPath(issue) ?? "the whole"}: ${issue.message}`);
  }
  const { size, max_image_size: square, resample } = parsed.output;
  const side = config.vision.imageSize;
  if (square.longest_edge !== side) {
    throw badCheckpoint(
      `preprocessor_config.json: max_image_size is ${square.longest_edge}, and the tower sees pictures of ${side} pixels`,
    );
  }
  const filter = filters[resample];
  if (filter === undefined) {
    throw badCheckpoint(`preprocessor_config.json: resample is ${resample}; known are 1 (Lanczos) and 3 (bicubic)`);
  }
  return { longestEdge: size.longest_edge, filter, rows: config.imageTokens };
}

/** The most rows that one picture takes: those of the largest grid of squares and of the whole. */
export function mostSquareRows({ imageTokens, vision }: LlavaConfig, { longestEdge }: Squares): number {
  return imageTokens * (Math.ceil(longestEdge / vision.imageSize) ** 2 + 1);
}

/** What preprocessor_config.json says where a checkpoint leaves it out, as SmolVLM has it. */
export function squaresPreprocessing({ vision: { imageSize } }: LlavaConfig): Json {
  return {
    image_processor_type: "Idefics3ImageProcessor",
    processor_class: "Idefics3Processor",
    do_convert_rgb: true,
    do_resize: true,
    size: { longest_edge: 4 * imageSize },
    resample: 1,
    do_image_splitting: true,
    max_image_size: { longest_edge: imageSize },
    do_rescale: true,
    rescale_factor: 1 / 255,
    do_normalize: true,
    image_mean: [0.5, 0.5, 0.5],
    image_std: [0.5, 0.5, 0.5],
    do_pad: true,
  };
}
