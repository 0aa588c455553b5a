// Loads a package: reads its config and tokenizer, and chooses for each of its three graphs what runs it – this project's own kernel or a session
// of the runtime, on stored weights or on weights expanded to f32.
import type { DecoderShape } from "#engine/decoder/session-decoder.ts";
import { EngineError } from "#engine/errors.ts";
import type { Llama } from "#engine/kernel/llama.ts";
import type { LlamaLora } from "#engine/kernel/lora-room.ts";
import type { GraphFiles, PackageInfo } from "#engine/package.ts";
import type { Runtime, Session, SessionSource } from "#engine/runtime/runtime.ts";
import { createTokenizer } from "#engine/text/tokenizer.ts";
import type { PackageFiles } from "#engine/types.ts";
import { readJson, readModelConfig, type ModelConfig } from "./config.ts";
import { sessionEmbedder, tableEmbedder } from "./embedder.ts";
import { expandedGraph, storedGraph } from "./graph-source.ts";
import { openEmbed, openLlama, openTower } from "./kernel-load.ts";
import { loadDecoder } from "./load-decoder.ts";
import { createModel, type Model } from "./model.ts";
import { kernelEncoder, sessionEncoder } from "./vision-encoder.ts";

export type ModelPart = "vision" | "embed" | "decoder";

export interface LoadOptions {
  readonly runtime: Runtime;
  readonly files: PackageFiles;
  readonly info: PackageInfo;
  /** Bytes that weights expanded to f32 may take; graphs that need more run on their quantized weights. */
  readonly memoryBudget: number;
  /** Loads the decoder's session with room for an adapter, where the package has such a graph: `adapt` then loads no session again. */
  readonly adaptable?: boolean | undefined;
  /** Called as each part starts to load. */
  readonly onPart?: ((part: ModelPart) => void) | undefined;
}

/** Loads the package; rejects with an EngineError and releases what was made when a part of it can't be loaded. */
export async function loadModel(options: LoadOptions): Promise<Model> {
  const { runtime, files, info, onPart } = options;
  const { vision, embed, decoder } = info.graphs;
  const config = await readModelConfig(files);
  const tokenizer = createTokenizer(
    await readObject(files, "tokenizer.json"),
    await readObject(files, "tokenizer_config.json"),
    [config.imageTokenId],
  );
  const adaptable = options.adaptable === true && decoder.adaptable !== undefined;
  const openDecoderKernel = (lora: LlamaLora | undefined): Promise<Llama | undefined> =>
    openLlama(decoder, files, { contextLength: info.model.contextLength, helpers: runtime.kernel?.helpers, lora });
  const kernels = await openKernels(options, config, openDecoderKernel);
  const sessions: Session[] = [];
  const openSession = async (part: ModelPart, source: SessionSource, onDevice: readonly string[]): Promise<Session> => {
    onPart?.(part);
    const session = await runtime.createSession(source, onDevice);
    sessions.push(session);
    return session;
  };
  const fitsBudget = expansionBudget(runtime.prefersExpanded ? options.memoryBudget : 0);
  // The decoder gets its share before the vision encoder: it runs once per token.
  const expanded = (kernels.llama === undefined || !runsWholly(runtime)) && fitsBudget(decoder);
  const visionGraph = kernels.tower === undefined && fitsBudget(vision) ? expandedGraph : storedGraph;
  try {
    const encoder = kernels.tower
      ? kernelEncoder(runtime, kernels.tower)
      : sessionEncoder(
          runtime,
          await openSession("vision", await visionGraph(vision, files), ["image_features", "tower_features"]),
          [1, ...(info.model.squares ? [1] : []), 3, config.preprocess.size, config.preprocess.size],
        );
    const embedder = kernels.table
      ? tableEmbedder(runtime, kernels.table, config.hiddenSize)
      : sessionEmbedder(runtime, await openSession("embed", await storedGraph(embed, files), ["inputs_embeds"]));
    const keptOnDevice = decoderOutputs(config, runtime);
    const loaded = await loadDecoder({
      runtime,
      files,
      graph: decoder,
      shape: shapeOf(config),
      llama: kernels.llama,
      openLlama: openDecoderKernel,
      expanded,
      adaptable,
      openSession: (source) => openSession("decoder", source, keptOnDevice),
    });
    return createModel({ runtime, config, tokenizer, expanded, info, encoder, embedder, decoder: loaded });
  } catch (error) {
    kernels.llama?.release();
    kernels.tower?.release();
    for (const session of sessions) await session.release();
    throw error;
  }
}

/** Whether this host runs a graph on this project's own kernel alone, if the kernel takes it. */
function runsWholly({ kernel }: Runtime): boolean {
  return kernel !== undefined && kernel.mostRows === undefined;
}

/** What this project's own kernels take of the package on this host. */
async function openKernels(
  { runtime, files, info, onPart }: LoadOptions,
  config: ModelConfig,
  openDecoderKernel: (lora: undefined) => Promise<Llama | undefined>,
) {
  const { vision, embed } = info.graphs;
  const { kernel } = runtime;
  if (!kernel) return { llama: undefined, tower: undefined, table: undefined };
  const wholly = runsWholly(runtime);
  // `onPart` is called once for all three, which are read at the same time; the parts that open a session call it for themselves.
  if (wholly) onPart?.("vision");
  const [llama, tower, table] = await Promise.all([
    openDecoderKernel(undefined),
    wholly ? openTower(vision, files, config.preprocess.size, kernel.helpers) : undefined,
    wholly ? openEmbed(embed, files) : undefined,
  ]);
  return { llama, tower, table };
}

/** Tells for one graph after another whether its expanded weights fit what is left of `bytes`, and takes them off. */
function expansionBudget(bytes: number): (graph: GraphFiles) => boolean {
  let left = bytes;
  return ({ expanded }) => {
    if (expanded === undefined || expanded.bytes > left) return false;
    left -= expanded.bytes;
    return true;
  };
}

/** Outputs of the decoder that stay on the device: keys and values, and the logits where the device finds the largest itself. */
function decoderOutputs({ layers }: ModelConfig, runtime: Runtime): string[] {
  const present = Array.from({ length: layers }, (_, i) => [`present.${i}.key`, `present.${i}.value`]).flat();
  return runtime.top ? [...present, "logits"] : present;
}

function shapeOf({ layers, kvHeads, headSize, hiddenSize, vocabSize }: ModelConfig): DecoderShape {
  return { layers, kvHeads, headSize, hiddenSize, vocabSize };
}

async function readObject(files: PackageFiles, path: string): Promise<object> {
  const json = await readJson(files, path);
  if (typeof json === "object" && json !== null) return json;
  throw new EngineError("bad-package", `${path} does not hold an object`);
}
