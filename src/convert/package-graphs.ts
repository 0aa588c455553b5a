// The ONNX graphs of a package: which variants each part has, under which names, over which weights, and what the manifest says of
// them. All variants of a part share one file of weights; only the f32 variant describes its own, which are filled from the others.
import type { LlavaConfig } from "#convert/config/config.ts";
import type { LlavaTensors } from "#convert/checkpoint/llava-tensors.ts";
import type { TextConfig } from "#convert/config/text-config.ts";
import { buildDecoder, decoderSites, growsCache } from "#convert/onnx/decoder.ts";
import { buildEmbedTokens } from "#convert/onnx/embed.ts";
import { describeExpansion, placeWeights, type DataFile, type Layout } from "#convert/onnx/external-data.ts";
import type { GraphBuilder } from "#convert/onnx/graph.ts";
import { buildMixtureEncoder } from "#convert/onnx/mixture.ts";
import { buildVisionEncoder } from "#convert/onnx/vision.ts";
import type { Bits, GraphOptions } from "#convert/onnx/weight-ops.ts";
import type { GraphNote } from "#convert/package/package-config.ts";
import type { WholeFileWriter } from "#convert/package/shard.ts";
import type { Manifest, ManifestGraph } from "#weights/manifest.ts";
import { decoderFingerprint } from "./adapter-fit.ts";

/** How the weights of all graphs are stored. */
export interface GraphStorage extends Pick<GraphOptions, "scheme" | "importances" | "observed" | "quantizer"> {
  /** The parts whose matrices stay as a checkpoint has quantized them; all by default. */
  readonly keep?: Readonly<Record<keyof PartBits, boolean>> | undefined;
  /** The bits of most matrices of such a part, by which its files are named; undefined for other parts. */
  readonly kept?: Readonly<Record<keyof PartBits, 4 | 8 | undefined>> | undefined;
}

/** Bits per weight of each part. */
export interface PartBits {
  readonly vision: Bits;
  readonly embed: Bits;
  readonly decoder: Bits;
}

/** A part of the model, ready to be written. */
interface PartGraphs {
  /** transformers.js's name for the part. */
  readonly base: string;
  readonly path: string;
  readonly bits: Bits;
  readonly graph: GraphBuilder;
  readonly layout: Layout;
  /** With f32 weights, for hosts without a kernel for quantized ones; `recipe` says how to fill them. */
  readonly expanded:
    | { readonly path: string; readonly recipe: string; readonly graph: GraphBuilder; readonly layout: Layout }
    | undefined;
  /** With lengths as values on the device, for hosts that record a decode step and replay it. */
  readonly replayable: { readonly path: string; readonly graph: GraphBuilder } | undefined;
  /** With inputs for a LoRA adapter. */
  readonly adaptable:
    { readonly path: string; readonly graph: GraphBuilder; readonly expanded: GraphBuilder | undefined } | undefined;
}

export interface PackageGraphs {
  readonly vision: PartGraphs;
  readonly embed: PartGraphs;
  readonly decoder: PartGraphs;
}

const suffixes: Readonly<Record<Bits, { readonly suffix: string; readonly dtype: GraphNote["dtype"] }>> = {
  4: { suffix: "_q4", dtype: "q4" },
  8: { suffix: "_quantized", dtype: "q8" },
  16: { suffix: "_fp16", dtype: "fp16" },
  32: { suffix: "", dtype: "fp32" },
};
const decoderBase = "decoder_model_merged";
const expandedAdaptablePath = `onnx/${decoderBase}_f32_adaptable.onnx`;

/** Builds every graph, without reading weights. `adaptable` adds a decoder that takes a LoRA adapter. */
export function buildGraphs(
  config: LlavaConfig,
  tensors: LlavaTensors,
  bits: PartBits,
  adaptable: boolean,
  { scheme, importances, observed, quantizer, keep, kept }: GraphStorage,
): PackageGraphs {
  const { text } = config;
  const storage = { scheme, importances, observed, quantizer };
  const named: PartBits = {
    vision: kept?.vision ?? bits.vision,
    embed: kept?.embed ?? bits.embed,
    decoder: kept?.decoder ?? bits.decoder,
  };
  // What is not kept in a part of kept matrices. An expanded graph can be filled from anything but 16 bits.
  const rest = (part: keyof PartBits): Bits => (kept?.[part] !== undefined && bits[part] === 16 ? 8 : bits[part]);
  const vision = { ...storage, bits: rest("vision"), keep: keep?.vision };
  const embed = { ...storage, bits: rest("embed"), keep: keep?.embed };
  const decoder = { ...storage, bits: rest("decoder"), keep: keep?.decoder };
  // Only quantized weights are expanded.
  const isQuantized = (part: Bits): boolean => part <= 8;
  return {
    vision: buildPart("vision_encoder", named.vision, { expanded: isQuantized(named.vision) }, (variant) =>
      config.mixture
        ? buildMixtureEncoder(config, tensors, { ...vision, ...variant })
        : // An adapter's projector goes on from an output that the vision graph has only in adaptable packages.
          buildVisionEncoder(config, tensors, { ...vision, ...variant, adaptable }),
    ),
    embed: buildPart("embed_tokens", named.embed, {}, (variant) =>
      buildEmbedTokens(text, tensors, { ...embed, ...variant }),
    ),
    decoder: buildPart(
      decoderBase,
      named.decoder,
      // A cache that grows can't be replayed.
      {
        expanded: isQuantized(named.decoder),
        replayable: observed !== true && !growsCache(text),
        adaptable,
      },
      (variant) => buildDecoder(text, tensors, { ...decoder, ...variant }),
    ),
  };
}

type Variant = Pick<GraphOptions, "expanded" | "replayable" | "adaptable">;

function buildPart(base: string, bits: Bits, has: Variant, build: (variant: Variant) => GraphBuilder): PartGraphs {
  const stem = `onnx/${base}${suffixes[bits].suffix}`;
  const path = `${stem}.onnx`;
  const graph = build({});
  const adaptable = has.adaptable === true ? build({ adaptable: true }) : undefined;
  const replayable = has.replayable === true ? build({ replayable: true }) : undefined;
  const expanded = has.expanded === true ? build({ expanded: true }) : undefined;
  const both = adaptable && expanded ? build({ adaptable: true, expanded: true }) : undefined;
  const expandedPath = `onnx/${base}_f32.onnx`;
  return {
    base,
    path,
    bits,
    graph,
    layout: placeWeights(path, graph.weights),
    expanded: expanded && {
      path: expandedPath,
      recipe: `onnx/${base}_f32.json`,
      graph: expanded,
      layout: placeWeights(expandedPath, expanded.weights),
    },
    replayable: replayable && { path: `${stem}_replayable.onnx`, graph: replayable },
    adaptable: adaptable && { path: `${stem}_adaptable.onnx`, graph: adaptable, expanded: both },
  };
}

/** The files of weights of each graph, in the order in which they are written. */
export function dataFilesOf(graphs: PackageGraphs): readonly (readonly DataFile[])[] {
  return partsOf(graphs).map((part) => part.layout.files);
}

/** What the package's config files say of each part. */
export function graphNotes(graphs: PackageGraphs): GraphNote[] {
  return partsOf(graphs).map(({ base, bits, layout }) => {
    const { suffix, dtype } = suffixes[bits];
    return { base, file: `${base}${suffix}.onnx`, dtype, dataFiles: layout.files.length };
  });
}

/** Writes the graphs, without the files of weights. */
export async function writeGraphs(graphs: PackageGraphs, writer: WholeFileWriter): Promise<void> {
  for (const part of partsOf(graphs)) await writePart(part, writer);
}

const partsOf = ({ vision, embed, decoder }: PackageGraphs): readonly PartGraphs[] => [vision, embed, decoder];

async function writePart(part: PartGraphs, writer: WholeFileWriter): Promise<void> {
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

/** The graphs as the manifest lists them. Reads a row of every matrix of an adaptable decoder, for its fingerprint. */
export async function manifestGraphs(
  { vision, embed, decoder }: PackageGraphs,
  text: TextConfig,
  tensors: LlavaTensors,
): Promise<Manifest["graphs"]> {
  return {
    vision: graphFiles(vision),
    embed: graphFiles(embed),
    decoder: { ...graphFiles(decoder), ...(await adaptableGraph(decoder, text, tensors)) },
  };
}

function graphFiles({ path, bits, layout, expanded, replayable }: PartGraphs): ManifestGraph {
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

async function adaptableGraph(
  { adaptable }: PartGraphs,
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
