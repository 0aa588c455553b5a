// An adapter beside the package of its base: whether they fit, and what of the adapter has a place there. Reads no weights of the base.
import * as v from "valibot";
import type { EngineError } from "#engine/errors.ts";
import type { AdaptableGraph } from "#engine/package.ts";
import { badCheckpoint } from "#convert/checkpoint/bad-checkpoint.ts";
import { Checkpoint, requireFloat, sameShape, shapeText } from "#convert/checkpoint/checkpoint.ts";
import type { CheckpointFolder } from "#convert/checkpoint/folders.ts";
import { readObject, type JsonObject } from "#convert/checkpoint/json-file.ts";
import { LlavaTensors } from "#convert/checkpoint/llava-tensors.ts";
import { parseConfig } from "#convert/config/config.ts";
import type { GraphBuilder } from "#convert/onnx/graph.ts";
import { buildProjector, towerChannels } from "#convert/onnx/vision.ts";
import type { Bits } from "#convert/onnx/weight-ops.ts";
import type { Scheme } from "#convert/quantize/quantize.ts";
import type { Adapter, LoraUpdate } from "#convert/source/adapter-file.ts";
import { isOriginalConfig } from "#convert/source/original-config.ts";
import { manifestName, parsePackageManifest, type Manifest } from "#weights/manifest.ts";

/** A matrix that the adapter changes: `of` is its name within the layer, as in the base's adapter sites. */
export interface Change {
  readonly layer: number;
  readonly of: string;
  readonly rank: number;
  readonly update: LoraUpdate;
}

/** The base's manifest and its decoder with room for an adapter. Throws EngineError("bad-checkpoint") for packages without one. */
export async function readBase(
  base: CheckpointFolder,
): Promise<{ readonly manifest: Manifest; readonly adaptable: AdaptableGraph }> {
  const how = "convert the base with --adaptable, and name that package with --base";
  const json = await readObject(base, manifestName);
  if (!json) throw badCheckpoint(`${base.name} is no package (it has no ${manifestName}); ${how}`);
  const result = parsePackageManifest(json);
  if (!result.ok) throw badCheckpoint(`${base.name}/${manifestName}: ${result.problem}`);
  const { manifest } = result;
  const adaptable = "graphs" in manifest ? manifest.graphs.decoder.adaptable : undefined;
  if (!("graphs" in manifest) || !adaptable)
    throw badCheckpoint(`the package ${base.name} has no room for an adapter; ${how}`);
  return { manifest, adaptable };
}

/**
 * The matrices that the adapter changes, by layer. Throws EngineError("bad-checkpoint") where the base lacks one of that size, or the
 * adapter changes anything else.
 */
export function findChanges(adapter: Adapter, { sites }: AdaptableGraph, baseName: string): Change[] {
  const hint = adapter.baseName === undefined ? "" : ` (it was trained on ${adapter.baseName})`;
  const shapes = new Map(
    sites.flatMap(({ inputs, parts }) => parts.map(({ of, outputs }) => [of, [outputs, inputs]] as const)),
  );
  const [row] = adapter.rows.keys();
  const [bias] = adapter.biases.keys();
  if (row !== undefined) throw onlyMerged(`changes rows of ${row}`);
  if (bias !== undefined) throw onlyMerged(`adds to ${bias}`);
  const changes = [...adapter.updates].map(([weight, update]): Change => {
    if (update.magnitude) throw onlyMerged(`is a DoRA: it brings ${weight} to lengths that it learned`);
    const [, number, of] = /^language_model\.model\.layers\.(\d+)\.(.*)\.weight$/.exec(weight) ?? [];
    const expected = of === undefined ? undefined : shapes.get(of);
    if (number === undefined || of === undefined || !expected) {
      throw onlyMerged(`changes ${weight}`);
    }
    const shape = [update.up.shape[0] ?? 0, update.down.shape[1] ?? 0];
    if (!sameShape(shape, expected)) {
      throw badCheckpoint(
        `the adapter changes ${weight} as a matrix of ${shapeText(shape)}, and the one of ${baseName} has ` +
          `${shapeText(expected)}: it belongs to another base${hint}`,
      );
    }
    for (const tensor of [update.down, update.up]) requireFloat(tensor);
    return { layer: Number(number), of, rank: update.down.shape[0] ?? 0, update };
  });
  if (changes.length === 0) throw badCheckpoint("the adapter changes no matrix of the language model");
  return changes.sort((a, b) => a.layer - b.layer);
}

/**
 * How the adapter's training made pictures square, where its config says so. Throws EngineError("bad-checkpoint") where training saw
 * pictures in a way that the base's graphs can't.
 */
export function imageAspectOf(
  own: JsonObject,
  base: JsonObject,
  { model }: Manifest,
): Manifest["model"]["imageAspect"] {
  if (!isOriginalConfig(own)) return model.imageAspect;
  const Fields = v.looseObject({
    image_aspect_ratio: v.nullish(v.string()),
    mm_vision_select_layer: v.nullish(v.number()),
    mm_use_im_start_end: v.nullish(v.boolean()),
  });
  const parsed = v.safeParse(Fields, own);
  if (!parsed.success) throw badCheckpoint(`config.json of the adapter: ${parsed.issues[0].message}`);
  const { image_aspect_ratio: aspect, mm_vision_select_layer: layer, mm_use_im_start_end: marks } = parsed.output;
  const anyres = aspect?.startsWith("anyres") === true;
  const differences: readonly (readonly [boolean, string])[] = [
    [anyres !== (model.tiles !== undefined), anyres ? "sees pictures in tiles" : "sees pictures whole, not in tiles"],
    [
      typeof layer === "number" && "vision_feature_layer" in base && base["vision_feature_layer"] !== layer,
      `takes layer ${layer} of the vision tower`,
    ],
    [(marks ?? false) !== (base["mm_use_im_start_end"] ?? false), "marks pictures with other tokens"],
  ];
  for (const [differs, what] of differences) {
    if (differs)
      throw badCheckpoint(`the adapter ${what}, unlike the package ${model.name}: convert the base the same way first`);
  }
  return anyres ? model.imageAspect : aspect === "pad" ? "pad" : "crop";
}

/** The graph of the adapter's own projector; undefined when it has none. `tiled` models may bring the row that ends lines, too. */
export function projectorOf(
  { whole }: Adapter,
  { sites }: AdaptableGraph,
  baseConfig: JsonObject,
  tiled: boolean,
  storage: { readonly bits: Bits; readonly scheme: Scheme | undefined },
): { readonly graph: GraphBuilder; readonly bits: Bits } | undefined {
  for (const name of whole.keys()) {
    if (name.startsWith("multi_modal_projector.") || (name === "image_newline" && tiled)) continue;
    throw onlyMerged(`brings ${name}, trained whole`);
  }
  if (whole.size === 0) return undefined;
  const first = whole.get("multi_modal_projector.linear_1.weight");
  if (!first) throw badCheckpoint("the adapter brings a part of a projector only");
  const [outputs = 0, inputs = 0] = first.shape;
  const hidden = sites.find(({ name }) => name === "out")?.parts[0]?.outputs ?? 0;
  const base = parseConfig(baseConfig);
  const wanted = towerChannels(base.vision);
  if (outputs !== hidden || inputs !== wanted) {
    throw badCheckpoint(
      `the adapter's projector has shape ${shapeText(first.shape)}, and its base asks for ${shapeText([hidden, wanted])}`,
    );
  }
  const shape = {
    inputs,
    outputs,
    kind: whole.has("multi_modal_projector.linear_2.weight") ? "mlp2x_gelu" : "linear",
    activation: base.projectorActivation,
    bias: whole.has("multi_modal_projector.linear_1.bias"),
    norm: base.projectorNorm,
    scale: base.text.pictureScale,
  } as const;
  const tensors = new LlavaTensors(new Checkpoint(whole), ["projector"]);
  return { graph: buildProjector(shape, tensors, tensors.hasNewline, storage), bits: storage.bits };
}

/** The error for a change that only a merged conversion can make. */
function onlyMerged(what: string): EngineError {
  return badCheckpoint(
    `the adapter ${what}, which only a merged conversion takes: leave out --unmerged, with the checkpoint of its base as --base, ` +
      "or merge it first with `llava merge-lora`",
  );
}
