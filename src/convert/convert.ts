// Checkpoint folder → model package: builds the graphs, writes weights in shards, config files, self-test and manifest.
// All checks that need no weights come before the first byte is written; on any error the half-written package is discarded.
import { EngineError } from "#engine/errors.ts";
import { badCheckpoint } from "#convert/checkpoint/bad-checkpoint.ts";
import type { PackageInfo, SelfTest } from "#engine/package.ts";
import type { PackageFiles } from "#engine/types.ts";
import { manifestName, manifestVersion, parseManifest, type Manifest, type ManifestGraph } from "#weights/manifest.ts";
import type { CheckpointFolder, PackageFolder } from "#convert/checkpoint/folders.ts";
import type { RenderChat } from "#convert/text/chat-template.ts";
import { openSource, type MoreFolders } from "#convert/source/checkpoint-source.ts";
import { checkTokens, type TryTokenizer } from "#convert/text/check-tokens.ts";
import { chooseConversation } from "#convert/text/choose-template.ts";
import { parseConfig, type LlavaConfig } from "#convert/checkpoint/config.ts";
import type { TextConfig } from "#convert/checkpoint/text-config.ts";
import { describeExpansion, placeWeights, writeDataFile, type Layout } from "#convert/onnx/external-data.ts";
import { readObject } from "#convert/checkpoint/json-file.ts";
import { LlavaTensors } from "#convert/checkpoint/llava-tensors.ts";
import { decoderFingerprint } from "./adapter-fit.ts";
import { buildDecoder, decoderSites } from "#convert/onnx/decoder.ts";
import { buildEmbedTokens } from "#convert/onnx/embed.ts";
import type { GraphBuilder } from "#convert/onnx/graph.ts";
import { buildMixtureEncoder } from "#convert/onnx/mixture.ts";
import { buildVisionEncoder } from "#convert/onnx/vision.ts";
import type { Bits, GraphOptions, Importances } from "#convert/onnx/weight-ops.ts";
import { imageAspectOf, packageConfigFiles, type GraphNote } from "#convert/package/package-config.ts";
import type { Quantizer, Scheme } from "#convert/quantize/quantize.ts";
import { shardBytes, ShardedWriter } from "#convert/package/shard.ts";

export interface ConvertOptions {
  readonly bits: { readonly vision: Bits; readonly embed: Bits; readonly decoder: Bits };
  /** Of matrices at 4 and 8 bits; defaults to asymmetric at 4, symmetric at 8. */
  readonly scheme?: Scheme | undefined;
  /** Who quantizes, for instance other threads; defaults to this thread. Whoever made it ends it. */
  readonly quantizer?: Quantizer | undefined;
  /** Weights the errors of matrices at 4 and 8 bits by what their input channels carry. */
  readonly importances?: Importances | undefined;
  /** For measuring importances: the graphs also yield `squaresOutput(name)` of every matrix. */
  readonly observed?: boolean | undefined;
  /** LoRA adapters fit the package: the decoder's graph also comes with room for one, over the same weights. */
  readonly adaptable?: boolean | undefined;
  /** Folders with what the checkpoint does not hold itself. */
  readonly more?: MoreFolders | undefined;
  /** Defaults to the checkpoint folder's name. */
  readonly id?: string | undefined;
  readonly name?: string | undefined;
  readonly license?: string | undefined;
  /** Id of the conversation template, or "chat_template" for the checkpoint's own; see template.ts for the default. */
  readonly template?: string | undefined;
  /** Renders chat templates with limits; without it they are judged by their text alone. */
  readonly renderChat?: RenderChat | undefined;
  /** Tries the tokenizer on texts that bad patterns never end on; without it patterns are believed. */
  readonly tryTokenizer?: TryTokenizer | undefined;
  /** What people should know of choices that were made: which template and why, what is left out. */
  readonly onNote?: ((note: string) => void) | undefined;
  readonly onProgress?: ((progress: ConvertProgress) => void) | undefined;
  /** Ends the conversion between two shards; its reason is thrown. */
  readonly signal?: AbortSignal | undefined;
  /** Runs the finished graphs and returns golden numbers for them; without it the package carries no self-test. */
  readonly selfTest?: ((info: PackageInfo, files: PackageFiles) => Promise<SelfTest>) | undefined;
}

/** Bytes of weights written, of all there will be. */
export interface ConvertProgress {
  readonly file: string;
  readonly written: number;
  readonly total: number;
}

const suffixes: Readonly<Record<Bits, { readonly suffix: string; readonly dtype: GraphNote["dtype"] }>> = {
  4: { suffix: "_q4", dtype: "q4" },
  8: { suffix: "_quantized", dtype: "q8" },
  16: { suffix: "_fp16", dtype: "fp16" },
  32: { suffix: "", dtype: "fp32" },
};
const decoderBase = "decoder_model_merged";
const expandedAdaptablePath = `onnx/${decoderBase}_f32_adaptable.onnx`;
const selfTestPath = "onnx/self_test.json";
/** What config files, graphs and the manifest may take beside the weights. */
const smallFilesBytes = 16 * 2 ** 20;

/** A graph ready to be written. */
interface Part {
  readonly base: string;
  readonly path: string;
  readonly bits: Bits;
  readonly graph: GraphBuilder;
  readonly layout: Layout;
  readonly expanded?: {
    readonly path: string;
    readonly recipe: string;
    readonly graph: GraphBuilder;
    readonly layout: Layout;
  };
  /** The same graph for devices that do a recorded step again. */
  readonly replayable?: { readonly path: string; readonly graph: GraphBuilder } | undefined;
  /** The same graphs with room for an adapter. */
  readonly adaptable?:
    { readonly path: string; readonly graph: GraphBuilder; readonly expanded?: GraphBuilder | undefined } | undefined;
}

/** Writes the package of a LLaVA checkpoint and returns its manifest; ends the package folder, whatever happens. */
export async function convert(from: CheckpointFolder, to: PackageFolder, options: ConvertOptions): Promise<Manifest> {
  try {
    const manifest = await writePackage(from, to, options);
    await to.commit();
    return manifest;
  } catch (error) {
    await to.discard();
    throw error;
  }
}

async function writePackage(given: CheckpointFolder, to: PackageFolder, options: ConvertOptions): Promise<Manifest> {
  const { folder: from, checkpoint, original, modelType } = await openSource(given, options.more);
  const config = await readConfig(from);
  const tokens = { imageTokenId: config.imageTokenId, rows: config.text.vocab };
  await checkTokens(from, tokens, options.tryTokenizer, options.onNote);
  const { context, statedContext } = config.text;
  if (context < statedContext) {
    options.onNote?.(
      `context: ${context} tokens of ${statedContext}, because the model's attention sees no more at once (sliding_window)`,
    );
  }
  const tensors = new LlavaTensors(checkpoint);
  const parts = buildParts(config, tensors, options);
  tensors.refuseUnread(config.text.layers);
  const conversation = await chooseConversation({
    folder: from,
    original,
    names: [from.name, options.more?.base?.name ?? [], original ? modelType : []].flat(),
    imageTokenId: config.imageTokenId,
    stated: options.template,
    renderChat: options.renderChat,
    onNote: options.onNote,
  });
  const graphNotes = [parts.vision, parts.embed, parts.decoder].map(graphNote);
  const configFiles = await packageConfigFiles(from, config, graphNotes, conversation);

  const dataFiles = Object.values(parts).flatMap((part) => part.layout.files);
  const total = dataFiles.reduce((sum, file) => sum + file.bytes, 0);
  await to.reserve(total + smallFilesBytes);

  let current: string | undefined;
  let written = 0;
  const writer = new ShardedWriter(
    to,
    (bytes) => {
      options.signal?.throwIfAborted();
      written += bytes;
      if (current !== undefined) options.onProgress?.({ file: current, written, total });
    },
    shardBytes,
  );
  for (const file of dataFiles) {
    current = file.path;
    await writeDataFile(file, await writer.create(file.path));
  }
  current = undefined;
  for (const part of Object.values(parts)) await writeGraph(part, writer);
  for (const [path, text] of configFiles) await writer.writeWhole(path, text);

  const graphs = {
    vision: graphFiles(parts.vision),
    embed: graphFiles(parts.embed),
    decoder: { ...graphFiles(parts.decoder), ...(await adaptableGraph(parts.decoder, config.text, tensors)) },
  };
  const tiles = tilesOf(config);
  const info = {
    model: {
      id: options.id ?? from.name,
      name: options.name ?? from.name,
      template: conversation.template,
      imageAspect: await imageAspectOf(from, config),
      imageTokens: mostImageTokens(config),
      ...(tiles ? { tiles } : {}),
      contextLength: config.text.context,
    },
    graphs,
  } satisfies PackageInfo;
  if (options.selfTest) {
    await writer.writeWhole(selfTestPath, JSON.stringify(await options.selfTest(info, to.files)));
  }
  const manifest = checked({
    version: manifestVersion,
    model: { ...info.model, license: options.license ?? "unknown", architecture: "llava" },
    graphs,
    ...(options.selfTest ? { selfTest: selfTestPath } : {}),
    files: writer.files,
  });
  const file = await to.create(manifestName);
  await file.write(new TextEncoder().encode(`${JSON.stringify(manifest, null, 1)}\n`));
  await file.close();
  return manifest;
}

/** The tiles as a manifest has them. */
function tilesOf({ tiles, imageTokens }: LlavaConfig): Manifest["model"]["tiles"] {
  if (!tiles) return undefined;
  const { pinpoints, most, onlyAlone } = tiles;
  const sizes = pinpoints.map(([height, width]): [number, number] => [height, width]);
  return { pinpoints: sizes, side: Math.sqrt(imageTokens), ...(most === undefined ? {} : { most }), onlyAlone };
}

/** Rows that a picture takes at most: the whole picture's, and those of the largest grid with a newline each. */
function mostImageTokens({ tiles, imageTokens, vision }: LlavaConfig): number {
  if (!tiles) return imageTokens;
  const side = Math.sqrt(imageTokens);
  const grids = tiles.pinpoints.map(([height, width]) => {
    const [rows, columns] = [(height / vision.imageSize) * side, (width / vision.imageSize) * side];
    const shrink = Math.max(1, Math.sqrt((rows * columns) / ((tiles.most ?? Infinity) * imageTokens * 1.21)));
    return Math.ceil(rows / shrink) * (Math.ceil(columns / shrink) + 1);
  });
  return imageTokens + Math.max(...grids);
}

async function readConfig(from: CheckpointFolder): Promise<LlavaConfig> {
  const json = await readObject(from, "config.json");
  if (!json) throw badCheckpoint(`${from.name} has no config.json: is it a checkpoint?`);
  return parseConfig(json);
}

function buildParts(config: LlavaConfig, tensors: LlavaTensors, options: ConvertOptions) {
  const { bits, scheme, importances, observed, quantizer } = options;
  const same = { scheme, importances, observed, quantizer };
  // Only where there is a first and a second graph of the decoder does the vision encoder need to yield more.
  const adaptable = options.adaptable === true;
  const part = (
    base: string,
    partBits: Bits,
    expandable: boolean,
    build: (options: GraphOptions) => GraphBuilder,
  ): Part => {
    const path = `onnx/${base}${suffixes[partBits].suffix}.onnx`;
    const graph = build({ ...same, bits: partBits });
    const layout = placeWeights(path, graph.weights);
    const roomy = adaptable && base === decoderBase;
    const adaptablePath = `onnx/${base}${suffixes[partBits].suffix}_adaptable.onnx`;
    const adaptableGraph = roomy ? build({ ...same, bits: partBits, adaptable }) : undefined;
    const replayable =
      base === decoderBase && observed !== true
        ? {
            path: `onnx/${base}${suffixes[partBits].suffix}_replayable.onnx`,
            graph: build({ ...same, bits: partBits, replayable: true }),
          }
        : undefined;
    if (!expandable || partBits > 8) {
      const more = adaptableGraph && { adaptable: { path: adaptablePath, graph: adaptableGraph } };
      return { base, path, bits: partBits, graph, layout, replayable, ...more };
    }

    const expandedPath = `onnx/${base}_f32.onnx`;
    const expandedGraph = build({ ...same, bits: partBits, expanded: true });
    const expanded = {
      path: expandedPath,
      recipe: `onnx/${base}_f32.json`,
      graph: expandedGraph,
      layout: placeWeights(expandedPath, expandedGraph.weights),
    };
    const more = adaptableGraph && {
      adaptable: {
        path: adaptablePath,
        graph: adaptableGraph,
        expanded: build({ ...same, bits: partBits, adaptable, expanded: true }),
      },
    };
    return { base, path, bits: partBits, graph, layout, expanded, replayable, ...more };
  };
  const { text } = config;
  return {
    vision: part("vision_encoder", bits.vision, true, (options) =>
      config.mixture
        ? buildMixtureEncoder(config, tensors, options)
        : buildVisionEncoder(config, tensors, { ...options, adaptable }),
    ),
    embed: part("embed_tokens", bits.embed, false, (options) => buildEmbedTokens(text, tensors, options)),
    decoder: part(decoderBase, bits.decoder, true, (options) => buildDecoder(text, tensors, options)),
  };
}

async function writeGraph(part: Part, writer: ShardedWriter): Promise<void> {
  const { path, graph, layout, expanded, replayable, adaptable } = part;
  await writer.writeWhole(path, graph.encode(layout.placements));
  if (replayable) await writer.writeWhole(replayable.path, replayable.graph.encode(layout.placements));
  if (adaptable) await writer.writeWhole(adaptable.path, adaptable.graph.encode(layout.placements));
  if (!expanded) return;
  if (adaptable?.expanded) {
    await writer.writeWhole(expandedAdaptablePath, adaptable.expanded.encode(expanded.layout.placements));
  }
  await writer.writeWhole(expanded.path, expanded.graph.encode(expanded.layout.placements));
  await writer.writeWhole(expanded.recipe, JSON.stringify(describeExpansion(expanded.layout, layout)));
}

/** What the manifest says of the graph with room for an adapter. */
async function adaptableGraph(
  { adaptable }: Part,
  text: TextConfig,
  tensors: LlavaTensors,
): Promise<Pick<ManifestGraph, "adaptable">> {
  if (!adaptable) return {};
  const sites = decoderSites(text).map(({ name, inputs, parts }) => ({
    name,
    inputs,
    parts: parts.map((part) => ({ ...part })),
  }));
  const fits = await decoderFingerprint(text, tensors);
  const expanded = adaptable.expanded ? { expanded: expandedAdaptablePath } : {};
  return { adaptable: { path: adaptable.path, ...expanded, fits, sites } };
}

function graphFiles({ path, bits, layout, expanded, replayable }: Part): ManifestGraph {
  const bytesOf = (files: Layout["files"]) => files.reduce((sum, file) => sum + file.bytes, 0);
  return {
    path,
    data: layout.files.map((file) => file.path),
    bits,
    ...(expanded
      ? { expanded: { path: expanded.path, recipe: expanded.recipe, bytes: bytesOf(expanded.layout.files) } }
      : {}),
    ...(replayable ? { replayable: replayable.path } : {}),
  };
}

function graphNote({ base, bits, layout }: Part): GraphNote {
  const { suffix, dtype } = suffixes[bits];
  return { base, file: `${base}${suffix}.onnx`, dtype, dataFiles: layout.files.length };
}

function checked(manifest: Manifest): Manifest {
  const result = parseManifest(manifest);
  if (!result.ok) throw new EngineError("internal", `the package's manifest is wrong: ${result.problem}`);
  return result.manifest;
}
