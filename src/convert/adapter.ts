// LoRA adapter → adapter package, which runs beside the package of its base: its matrices laid out as the decoder's graph takes them, and
// its own projector as a small graph. Knows peft's files through lora.ts; merges nothing and reads none of the base's weights.
import * as v from "valibot";
import { EngineError } from "#engine/errors.ts";
import { badCheckpoint } from "#convert/checkpoint/bad-checkpoint.ts";
import type { AdapterIndex, AdaptableGraph } from "#engine/package.ts";
import {
  manifestName,
  manifestVersion,
  parseAdapterManifest,
  parsePackageManifest,
  type AdapterManifest,
  type Manifest,
} from "#weights/manifest.ts";
import { readText, type CheckpointFolder, type PackageFolder } from "#convert/checkpoint/folders.ts";
import {
  Checkpoint,
  elementsOf,
  requireFloat,
  sameShape,
  shapeText,
  type Tensor,
} from "#convert/checkpoint/checkpoint.ts";
import { projectorActivation } from "#convert/checkpoint/vision-config.ts";
import type { ConvertProgress } from "./convert.ts";
import { placeWeights, writeDataFile } from "#convert/onnx/external-data.ts";
import { encodeFloats } from "#formats/float.ts";
import { readObject } from "#convert/checkpoint/json-file.ts";
import { LlavaTensors } from "#convert/checkpoint/llava-tensors.ts";
import { readAdapter, type Adapter, type LoraUpdate } from "#convert/source/adapter-file.ts";
import { buildProjector } from "#convert/onnx/vision.ts";
import type { GraphBuilder } from "#convert/onnx/graph.ts";
import type { Bits } from "#convert/onnx/weight-ops.ts";
import { isOriginalConfig } from "#convert/source/original-config.ts";
import type { Scheme } from "#convert/quantize/quantize.ts";
import { ShardedWriter } from "#convert/package/shard.ts";
import { namedTemplate, ownTemplate, templateForName } from "#convert/text/template.ts";

export interface AdapterOptions {
  /** Of the adapter's matrices; default 16. */
  readonly bits?: 16 | 32 | undefined;
  /** Of its projector; defaults to those of the base's vision encoder. */
  readonly projectorBits?: Bits | undefined;
  readonly scheme?: Scheme | undefined;
  readonly id?: string | undefined;
  readonly name?: string | undefined;
  readonly license?: string | undefined;
  /** Id of the conversation template; defaults to the base's chat template, to what the adapter's name says, or to the base's template. */
  readonly template?: string | undefined;
  /** What people should know of choices that were made. */
  readonly onNote?: ((note: string) => void) | undefined;
  readonly onProgress?: ((progress: ConvertProgress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

const indexPath = "adapter.json";
const dataPath = "adapter.data";
const projectorPath = "projector.onnx";

/** Writes the package of the adapter in `from` for the adaptable package in `base`; ends the package folder, whatever happens. */
export async function convertAdapter(
  from: CheckpointFolder,
  base: CheckpointFolder,
  to: PackageFolder,
  options: AdapterOptions = {},
): Promise<AdapterManifest> {
  try {
    const manifest = await writeAdapter(from, base, to, options);
    await to.commit();
    return manifest;
  } catch (error) {
    await to.discard();
    throw error;
  }
}

/** A changed weight with its place in the base. */
interface Change {
  readonly layer: number;
  readonly of: string;
  readonly rank: number;
  readonly update: LoraUpdate;
}

async function writeAdapter(
  from: CheckpointFolder,
  base: CheckpointFolder,
  to: PackageFolder,
  options: AdapterOptions,
): Promise<AdapterManifest> {
  const { manifest: baseManifest, adaptable } = await readBase(base);
  const adapter = await readAdapter(from);
  if (!adapter) throw badCheckpoint(`${from.name} has no adapter_config.json: is it a LoRA adapter?`);
  const changes = findChanges(adapter, adaptable, baseManifest.model.name);
  const baseConfig = (await readObject(base, "config.json")) ?? {};
  const tiled = baseManifest.model.tiles !== undefined;
  const ownConfig = (await readObject(from, "config.json")) ?? {};
  const imageAspect = imageAspectOf(ownConfig, baseConfig, baseManifest);
  const projector = projectorOf(adapter, adaptable, baseConfig, tiled, {
    bits: options.projectorBits ?? baseManifest.graphs.vision.bits,
    scheme: options.scheme,
  });

  const bits = options.bits ?? 16;
  const layout = projector && placeWeights(projectorPath, projector.graph.weights);
  const matrixBytes = changes.map(({ update }) => ((elements(update.down) + elements(update.up)) * bits) / 8);
  const projectorBytes = (layout?.files ?? []).reduce((sum, file) => sum + file.bytes, 0);
  const total = matrixBytes.reduce((sum, bytes) => sum + bytes, projectorBytes);
  await to.reserve(total + 2 ** 20);

  let file = dataPath;
  let written = 0;
  const writer = new ShardedWriter(to, (bytes) => {
    options.signal?.throwIfAborted();
    written += bytes;
    options.onProgress?.({ file, written: Math.min(written, total), total });
  });
  const data = await writer.create(dataPath);
  let offset = 0;
  const weights: AdapterIndex["weights"][number][] = [];
  for (const [i, { layer, of, rank, update }] of changes.entries()) {
    weights.push({ layer, of, rank, offset });
    for (const [tensor, scale] of [
      [update.down, 1],
      [update.up, update.scale],
    ] as const) {
      await data.write(encodeFloats(await onItsSide(tensor, scale, bits), bits === 16 ? "F16" : "F32"));
    }
    offset += matrixBytes[i] ?? 0;
  }
  await data.close();
  await writer.writeWhole(indexPath, JSON.stringify({ version: 1, weights } satisfies AdapterIndex));
  if (projector && layout) {
    for (const part of layout.files) {
      file = part.path;
      await writeDataFile(part, await writer.create(part.path));
    }
    await writer.writeWhole(projectorPath, projector.graph.encode(layout.placements));
  }
  const card = await readText(from, "README.md");
  if (card !== undefined) await writer.writeWhole("README.md", card);

  const manifest = checked({
    version: manifestVersion,
    model: {
      id: options.id ?? from.name,
      name: options.name ?? from.name,
      license: options.license ?? "unknown",
      architecture: "llava-adapter",
      template: adapterTemplate(from.name, isOriginalConfig(ownConfig), baseManifest, options),
      imageAspect,
    },
    adapter: {
      fits: adaptable.fits,
      baseId: baseManifest.model.id,
      baseName: baseManifest.model.name,
      rank: changes.reduce((most, { rank }) => Math.max(most, rank), 0),
      bits,
      index: indexPath,
      data: dataPath,
      ...(projector && layout
        ? { projector: { path: projectorPath, data: layout.files.map(({ path }) => path), bits: projector.bits } }
        : {}),
    },
    files: writer.files,
  });
  const out = await to.create(manifestName);
  await out.write(new TextEncoder().encode(`${JSON.stringify(manifest, null, 1)}\n`));
  await out.close();
  return manifest;
}

/** LLaVA's own adapters go by their names; an adapter of a model with a chat template was trained with that. */
function adapterTemplate(
  name: string,
  original: boolean,
  base: Manifest,
  { template, onNote }: AdapterOptions,
): string {
  const named = original || base.model.template !== ownTemplate ? namedTemplate(name) : undefined;
  const other = original ? templateForName(name) : base.model.template;
  const why = named !== undefined ? `which the name ${name} stands for` : original ? "LLaVA's default" : "the base's";
  const chosen = template ?? named ?? other;
  onNote?.(`template: ${chosen}, ${template === undefined ? why : "as --template says"}`);
  return chosen;
}

async function readBase(
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

/** Checks that the base has every matrix that the adapter changes, in its size. */
function findChanges(adapter: Adapter, { sites }: AdaptableGraph, baseName: string): Change[] {
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

/** How the adapter's training saw pictures, where its config says so; what its base was built for can't change. */
function imageAspectOf(own: Json, base: Json, { model }: Manifest): Manifest["model"]["imageAspect"] {
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

/** What has no place beside a base, with the way that it has. */
function onlyMerged(what: string): EngineError {
  return badCheckpoint(
    `the adapter ${what}, which only a merged conversion takes: leave out --unmerged, with the checkpoint of its base as --base, ` +
      "or merge it first with `llava merge-lora`",
  );
}

type Json = Readonly<Record<string, unknown>>;

/** The graph of the adapter's own projector; undefined when it has none. */
function projectorOf(
  { whole }: Adapter,
  { sites }: AdaptableGraph,
  baseConfig: Json,
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
  const tower = v.safeParse(v.object({ vision_config: v.object({ hidden_size: v.number() }) }), baseConfig);
  const wanted = tower.success ? tower.output.vision_config.hidden_size : inputs;
  if (outputs !== hidden || inputs !== wanted) {
    throw badCheckpoint(
      `the adapter's projector has shape ${shapeText(first.shape)}, and its base asks for ${shapeText([hidden, wanted])}`,
    );
  }
  const shape = {
    inputs,
    outputs,
    kind: whole.has("multi_modal_projector.linear_2.weight") ? "mlp2x_gelu" : "linear",
    activation: projectorActivation(baseConfig["projector_hidden_act"]),
    bias: whole.has("multi_modal_projector.linear_1.bias"),
  } as const;
  const tensors = new LlavaTensors(new Checkpoint(whole), ["projector"]);
  return { graph: buildProjector(shape, tensors, tensors.hasNewline, storage), bits: storage.bits };
}

/** A matrix [rows, cols] as [cols, rows], scaled. */
async function onItsSide(tensor: Tensor, scale: number, bits: 16 | 32): Promise<Float32Array<ArrayBuffer>> {
  const [rows = 0, cols = 0] = tensor.shape;
  const values = await tensor.read(0, rows * cols);
  const out = new Float32Array(rows * cols);
  for (let row = 0; row < rows; row++) {
    for (let col = 0; col < cols; col++) out[col * rows + row] = scale * (values[row * cols + col] ?? NaN);
  }
  const largest = out.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  if (bits === 16 && largest > 65504)
    throw badCheckpoint(`${tensor.name} holds ${largest}, too large for 16 bits; use --bits 32`);
  return out;
}

function elements({ shape }: Tensor): number {
  return elementsOf(shape);
}

function checked(manifest: AdapterManifest): AdapterManifest {
  const result = parseAdapterManifest(manifest);
  if (!result.ok) throw new EngineError("internal", `the adapter's manifest is wrong: ${result.problem}`);
  return result.manifest;
}
