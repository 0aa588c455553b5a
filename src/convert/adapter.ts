// LoRA adapter → adapter package, which runs beside the package of its base: the adapter's matrices, laid out as inputs of the decoder's
// graph, and its own projector as a small graph. Merges nothing and reads no weights of the base.
import { EngineError } from "#engine/errors.ts";
import { badCheckpoint } from "#convert/checkpoint/bad-checkpoint.ts";
import type { AdapterIndex } from "#engine/package.ts";
import { manifestVersion, parseAdapterManifest, type AdapterManifest, type Manifest } from "#weights/manifest.ts";
import { readText, type CheckpointFolder, type PackageFolder } from "#convert/checkpoint/folders.ts";
import { elementsOf, type Tensor } from "#convert/checkpoint/checkpoint.ts";
import { findChanges, imageAspectOf, projectorOf, readBase, type Change } from "./adapter-base.ts";
import type { ConvertProgress } from "./convert.ts";
import { dataFileWriter, placeWeights } from "#convert/onnx/external-data.ts";
import { encodeFloats } from "#formats/float.ts";
import { readObject } from "#convert/checkpoint/json-file.ts";
import { adapterConfigName } from "#convert/source/adapter-config.ts";
import { readAdapter } from "#convert/source/adapter-file.ts";
import type { Bits } from "#convert/onnx/weight-ops.ts";
import { isOriginalConfig } from "#convert/source/original-config.ts";
import type { Scheme } from "#convert/quantize/quantize.ts";
import { ShardedWriter } from "#convert/package/shard.ts";
import { writeManifest } from "#convert/package/write-manifest.ts";
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
  /** Keeps peft's own files in the package, which is then also a folder that peft reads. */
  readonly keepPeft?: boolean | undefined;
  /** Receives sentences for people about choices that were made. */
  readonly onNote?: ((note: string) => void) | undefined;
  readonly onProgress?: ((progress: ConvertProgress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

const indexPath = "adapter.json";
const dataPath = "adapter.data";
const projectorPath = "projector.onnx";

/** Writes the package of the adapter in `from` for the adaptable package in `base`. Commits the package folder, or discards it on an error. */
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
  const projectorBytes = (layout?.files ?? []).reduce((sum, part) => sum + part.bytes, 0);
  const total = changes.reduce((sum, change) => sum + matrixBytes(change, bits), projectorBytes);
  await to.reserve(total + 2 ** 20);

  let file = dataPath;
  let written = 0;
  const writer = new ShardedWriter(to, (bytes) => {
    options.signal?.throwIfAborted();
    written += bytes;
    options.onProgress?.({ file, written: Math.min(written, total), total });
  });
  await writeMatrices(changes, bits, writer);
  if (projector && layout) {
    const writeDataFile = dataFileWriter();
    for (const part of layout.files) {
      file = part.path;
      await writeDataFile(part, await writer.create(part.path));
    }
    await writer.writeWhole(projectorPath, projector.graph.encode(layout.placements));
  }
  if (options.keepPeft === true) {
    for (const path of [adapterConfigName, "adapter_model.safetensors"]) {
      const source = await from.open(path);
      if (source) await writer.writeWhole(path, await source.read(0, source.bytes));
    }
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
  await writeManifest(to, manifest);
  return manifest;
}

/** Writes the matrices as the decoder's inputs take them, and the index that says where each lies. */
async function writeMatrices(changes: readonly Change[], bits: 16 | 32, writer: ShardedWriter): Promise<void> {
  const data = await writer.create(dataPath);
  let offset = 0;
  const weights: AdapterIndex["weights"][number][] = [];
  for (const change of changes) {
    const { layer, of, rank, update } = change;
    weights.push({ layer, of, rank, offset });
    for (const [tensor, scale] of [
      [update.down, 1],
      [update.up, update.scale],
    ] as const) {
      await data.write(encodeFloats(await transposed(tensor, scale, bits), bits === 16 ? "F16" : "F32"));
    }
    offset += matrixBytes(change, bits);
  }
  await data.close();
  await writer.writeWhole(indexPath, JSON.stringify({ version: 1, weights } satisfies AdapterIndex));
}

function matrixBytes({ update }: Change, bits: 16 | 32): number {
  return ((elementsOf(update.down.shape) + elementsOf(update.up.shape)) * bits) / 8;
}

/** The template's id. LLaVA's own adapters are named after it; an adapter of a model with a chat template was trained with that one. */
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

/** A matrix [rows, cols] as [cols, rows], scaled; throws where 16 bits can't hold a value. */
async function transposed(tensor: Tensor, scale: number, bits: 16 | 32): Promise<Float32Array<ArrayBuffer>> {
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

function checked(manifest: AdapterManifest): AdapterManifest {
  const result = parseAdapterManifest(manifest);
  if (!result.ok) throw new EngineError("internal", `the adapter's manifest is wrong: ${result.problem}`);
  return result.manifest;
}
