// A loaded model: its config, tokenizer and three sessions, and the three things they compute. Knows no conversation and no sampling.
import { noAdapter, readAdapterTensors, type AdapterPackage, type AdapterTensors } from "./adapter.ts";
import { readJson, readModelConfig, type ModelConfig } from "./config.ts";
import { expand, parseExpansion } from "./dequantize.ts";
import type { EmbedTable } from "#engine/kernel/embed-table.ts";
import { EngineError } from "#engine/errors.ts";
import { createKvCache, type KvCache } from "./kv-cache.ts";
import { openEmbed, openLlama, openTower } from "./kernel-load.ts";
import type { LlamaDecoder } from "./llama-decoder.ts";
import type { GraphFiles, PackageInfo } from "#engine/package.ts";
import { createReplay, isReplayable, type Logits } from "./replay.ts";
import {
  elementCount,
  type Runtime,
  type RuntimeTensor,
  type Session,
  type SessionSource,
  type Top,
} from "#engine/runtime/runtime.ts";
import { createTokenizer, type Tokenizer } from "#engine/text/tokenizer.ts";
import type { PackageFiles } from "#engine/types.ts";
import type { Seen, VisionTower } from "#engine/kernel/vision-tower.ts";

export type ModelPart = "vision" | "embed" | "decoder";

export interface LoadOptions {
  readonly runtime: Runtime;
  readonly files: PackageFiles;
  readonly info: PackageInfo;
  /** Bytes that expanded f32 weights may take; larger decoders run on their quantized graph. */
  readonly memoryBudget: number;
  /** Loads the decoder with room for an adapter, where the package has that: `adapt` then loads no part of it again. */
  readonly adaptable?: boolean | undefined;
  readonly onPart?: ((part: ModelPart) => void) | undefined;
}

/** Rows for a prompt: `rows` of `tensor` [.., rows, hidden] from `start` on. */
export interface RowRun {
  readonly tensor: RuntimeTensor;
  readonly start: number;
  readonly rows: number;
}

export interface Model {
  readonly config: ModelConfig;
  readonly tokenizer: Tokenizer;
  readonly runtime: Runtime;
  /** Whether the decoder runs on expanded f32 weights. */
  readonly expanded: boolean;
  /** Whether the decoder runs on this project's own kernel. */
  readonly ownKernel: boolean;
  /** An empty cache for this model's decoder; the caller disposes it. */
  createCache(contextLength: number): KvCache;
  /** Normalised pixels [3, size, size] → features [.., imageTokens, hidden]; the caller disposes them. */
  encodeImage(pixels: Float32Array): Promise<RuntimeTensor>;
  /** The same of one tile, read out: features [imageTokens, hidden] and the newline row [hidden]. */
  encodeTile(pixels: Float32Array): Promise<{ readonly features: Float32Array; readonly newline: Float32Array }>;
  /** Token ids → embeddings [1, ids, hidden]; the caller disposes them. */
  embed(ids: readonly number[]): Promise<RuntimeTensor>;
  /** Rows put one after another, [1, rows, hidden]; the caller disposes them. */
  concat(runs: readonly RowRun[]): RuntimeTensor;
  /**
   * Adds the rows to the cache and returns the logits after the last one (a copy); disposes nothing of the caller's. With `top` the caller
   * looks at no more than so many of the largest: a device may leave out all others, which are −Infinity then.
   */
  decode(embeds: RuntimeTensor, added: readonly number[], cache: KvCache, top?: number): Promise<Float32Array>;
  /** The same with the logits after every row. */
  decodeEach(embeds: RuntimeTensor, added: readonly number[], cache: KvCache, top?: number): Promise<Float32Array[]>;
  /** Whether steps of one token may be recorded and done again by the device (default false); returns whether that changes anything. */
  setReplay(enabled: boolean): boolean;
  /**
   * Goes on with this adapter, or with none; rejects and changes nothing when it does not fit. Rows and features computed before are of no
   * use afterwards.
   */
  adapt(adapter: AdapterPackage | undefined): Promise<void>;
  dispose(): Promise<void>;
}

/** Reads the package and makes its sessions; releases what was made when one of them fails. */
export async function loadModel(options: LoadOptions): Promise<Model> {
  const { runtime, files, info, onPart } = options;
  const config = await readModelConfig(files);
  const tokenizer = createTokenizer(
    await readObject(files, "tokenizer.json"),
    await readObject(files, "tokenizer_config.json"),
    [config.imageTokenId],
  );
  const kept = Array.from({ length: config.layers }, (_, i) => [`present.${i}.key`, `present.${i}.value`]).flat();
  if (runtime.top) kept.push("logits");
  const sessions: Session[] = [];
  const open = async (part: ModelPart, source: SessionSource, onDevice: readonly string[]): Promise<Session> => {
    onPart?.(part);
    const session = await runtime.createSession(source, onDevice);
    sessions.push(session);
    return session;
  };
  const { kernel } = runtime;
  let budget = runtime.prefersExpanded ? options.memoryBudget : 0;
  const choose = (graph: GraphFiles): boolean => {
    if (graph.expanded === undefined || graph.expanded.bytes > budget) return false;
    budget -= graph.expanded.bytes;
    return true;
  };
  const { vision, embed, decoder } = info.graphs;
  const roomy = options.adaptable === true && decoder.adaptable !== undefined;
  const onlyOwn = kernel !== undefined && kernel.mostRows === undefined;
  // Told before both are read at once; the parts that the runtime opens are told as they begin.
  if (onlyOwn) onPart?.("vision");
  const [own, tower, table] = await Promise.all([
    kernel && !roomy ? openLlama(decoder, files, info.model.contextLength, kernel.helpers) : undefined,
    onlyOwn ? openTower(vision, files, config.preprocess.size, kernel.helpers) : undefined,
    onlyOwn ? openEmbed(embed, files) : undefined,
  ]);
  // The decoder before the vision encoder: it runs once per token.
  const expanded = (own === undefined || !onlyOwn) && choose(decoder);
  const source = {
    decoder: expanded ? expandedSource : graphSource,
    vision: tower === undefined && choose(vision) ? expandedSource : graphSource,
  };
  const openDecoder = async (roomy: boolean): Promise<Session> => {
    const graph = roomy ? withRoom(decoder) : decoder;
    if (runtime.replays === true && !roomy && decoder.replayable !== undefined) {
      try {
        const replayable = await source.decoder({ ...graph, path: decoder.replayable }, files);
        return await open("decoder", { ...replayable, replayable: true }, kept);
      } catch (error) {
        // The plain graph asks less of the runtime.
        if (!(error instanceof EngineError) || error.code !== "internal") throw error;
      }
    }
    return open("decoder", await source.decoder(graph, files), kept);
  };
  try {
    const loaded = {
      vision:
        tower === undefined
          ? await open("vision", await source.vision(vision, files), ["image_features", "tower_features"])
          : undefined,
      tower,
      embed: table ? undefined : await open("embed", await graphSource(embed, files), ["inputs_embeds"]),
      table,
      decoder: own && onlyOwn ? undefined : await openDecoder(roomy),
      own,
    };
    return createModel(runtime, config, tokenizer, expanded, loaded, { info, roomy, openDecoder });
  } catch (error) {
    own?.release();
    tower?.release();
    for (const session of sessions) await session.release();
    throw error;
  }
}

function createModel(
  runtime: Runtime,
  config: ModelConfig,
  tokenizer: Tokenizer,
  expanded: boolean,
  sessions: {
    readonly vision: Session | undefined;
    readonly tower: VisionTower | undefined;
    readonly embed: Session | undefined;
    readonly table: EmbedTable | undefined;
    decoder: Session | undefined;
    own: LlamaDecoder | undefined;
  },
  room: { readonly info: PackageInfo; roomy: boolean; readonly openDecoder: (roomy: boolean) => Promise<Session> },
): Model {
  const { hiddenSize } = config;
  const { size } = config.preprocess;
  const { decoder: graph } = room.info.graphs;
  const emptyRoom = (): AdapterTensors | undefined =>
    room.roomy && graph.adaptable ? noAdapter(runtime, graph.adaptable, config.layers) : undefined;
  let lora = emptyRoom();
  const replay = createReplay(runtime, { hidden: hiddenSize, vocab: config.vocabSize });
  let projector: Session | undefined;

  const runTower = async (pixels: Float32Array): Promise<Map<string, RuntimeTensor>> => {
    if (!sessions.vision) throw new EngineError("internal", "no vision encoder is loaded");
    const input = runtime.tensor("float32", pixels, [1, 3, size, size]);
    return sessions.vision.run({ pixel_values: input }).finally(() => input.dispose());
  };

  /** The vision encoder's outputs, with those of the adapter's own projector in their place. */
  const runVision = async (pixels: Float32Array): Promise<Map<string, RuntimeTensor>> => {
    const outputs = sessions.tower ? seenTensors(runtime, sessions.tower.run(pixels)) : await runTower(pixels);
    if (!projector) return outputs;
    try {
      const tower = outputs.get("tower_features");
      if (!tower) throw new EngineError("bad-package", "the vision graph yields no tower_features");
      for (const [name, tensor] of await projector.run({ tower_features: tower })) {
        outputs.get(name)?.dispose();
        outputs.set(name, tensor);
      }
      return outputs;
    } catch (error) {
      for (const tensor of outputs.values()) tensor.dispose();
      throw error;
    }
  };

  const runOne = async (
    session: Session,
    inputs: Record<string, RuntimeTensor>,
    output: string,
  ): Promise<RuntimeTensor> => {
    try {
      const outputs = await session.run(inputs);
      const wanted = outputs.get(output);
      for (const [name, tensor] of outputs) if (name !== output) tensor.dispose();
      if (!wanted) throw new EngineError("bad-package", `a graph yields no ${output}`);
      return wanted;
    } finally {
      for (const tensor of Object.values(inputs)) tensor.dispose();
    }
  };

  /** Loads the decoder again from the same files. There is no memory for two: the plain one goes first, and comes back after a failure. */
  const makeRoom = async (): Promise<void> => {
    await sessions.decoder?.release();
    sessions.decoder = undefined;
    try {
      sessions.decoder = await room.openDecoder(true);
      room.roomy = true;
      sessions.own?.release();
      sessions.own = undefined;
    } catch (error) {
      if (sessions.own && runtime.kernel?.mostRows === undefined) throw error;
      sessions.decoder = await room.openDecoder(false);
      throw error;
    }
  };

  /** The last `keep` rows of what a run left, which are released. */
  const readLogits = async (logits: Logits, keep: number, top?: number): Promise<Float32Array[]> => {
    const { tensor } = logits;
    try {
      if (top !== undefined && top <= mostTop && runtime.top) {
        return sparseRows(await runtime.top(tensor, keep, config.vocabSize, top), config.vocabSize);
      }
      return lastRows(await runtime.read(tensor), elementCount(tensor.dims), config.vocabSize, keep);
    } finally {
      logits.release();
    }
  };

  /** The logits after each of the last `keep` rows. */
  const decode = async (
    embeds: RuntimeTensor,
    added: readonly number[],
    cache: KvCache,
    keep: number,
    top: number | undefined,
  ): Promise<Float32Array[]> => {
    const { own: llama, decoder } = sessions;
    const total = cache.slots.length + added.length;
    cache.reserve(total);
    if (llama && (decoder === undefined || added.length <= (runtime.kernel?.mostRows ?? Infinity))) {
      return llama.run(await runtime.read(embeds), added, cache, keep);
    }
    if (!decoder) throw new EngineError("internal", "no decoder is loaded");
    if (isReplayable(decoder)) {
      const logits = await replay.run(decoder, embeds, cache, keep);
      await cache.accept(new Map(), added);
      return readLogits(logits, keep, top);
    }
    const own: Record<string, RuntimeTensor> = {
      attention_mask: runtime.tensor("int64", new BigInt64Array(total).fill(1n), [1, total]),
    };
    // Exports of others may have no number of logits, positions of their own, and a branch for an empty cache.
    const { inputNames } = decoder;
    if (inputNames.includes("num_logits_to_keep")) {
      own["num_logits_to_keep"] = runtime.tensor("int64", BigInt64Array.of(BigInt(keep)), []);
    }
    if (inputNames.includes("position_ids")) {
      const positions = BigInt64Array.from(added, (_, i) => BigInt(cache.slots.length + i));
      own["position_ids"] = runtime.tensor("int64", positions, [1, added.length]);
    }
    if (inputNames.includes("use_cache_branch")) {
      own["use_cache_branch"] = runtime.tensor("bool", Uint8Array.of(cache.slots.length > 0 ? 1 : 0), [1]);
    }
    try {
      const outputs = await decoder.run(
        { inputs_embeds: embeds, ...own, ...lora?.inputs, ...cache.inputs() },
        cache.into(),
      );
      const logits = outputs.get("logits");
      if (!logits) throw new EngineError("bad-package", "the decoder yields no logits");
      outputs.delete("logits");
      await cache.accept(outputs, added);
      return await readLogits({ tensor: logits, release: () => logits.dispose() }, keep, top);
    } finally {
      for (const tensor of Object.values(own)) tensor.dispose();
    }
  };

  return {
    config,
    tokenizer,
    runtime,
    expanded,
    ownKernel: sessions.own !== undefined,
    createCache: (contextLength) =>
      sessions.own?.createCache(runtime) ??
      createKvCache(runtime, {
        layers: config.layers,
        kvHeads: config.kvHeads,
        headSize: config.headSize,
        contextLength,
        // Those that others exported with positions of their own do not read past and present from one buffer.
        shared: sessions.decoder?.inputNames.includes("position_ids") !== true,
      }),
    async encodeImage(pixels) {
      const { image_features: features, ...others } = Object.fromEntries(await runVision(pixels));
      for (const tensor of Object.values(others)) tensor.dispose();
      if (!features) throw new EngineError("bad-package", "a graph yields no image_features");
      await runtime.settle();
      return features;
    },
    async encodeTile(pixels) {
      const outputs = await runVision(pixels);
      const read = async (name: string): Promise<Float32Array> => {
        const tensor = outputs.get(name);
        if (!tensor) throw new EngineError("bad-package", `the vision graph yields no ${name}`);
        return (await runtime.read(tensor)).slice();
      };
      try {
        return { features: await read("image_features"), newline: await read("image_newline") };
      } finally {
        for (const tensor of outputs.values()) tensor.dispose();
      }
    },
    embed(ids) {
      const { table, embed } = sessions;
      if (table) return Promise.resolve(runtime.tensor("float32", table.rows(ids), [1, ids.length, hiddenSize]));
      if (!embed) throw new EngineError("internal", "no embeddings are loaded");
      const input = runtime.tensor("int64", BigInt64Array.from(ids, BigInt), [1, ids.length]);
      return runOne(embed, { input_ids: input }, "inputs_embeds");
    },
    concat(runs) {
      const rows = runs.reduce((sum, run) => sum + run.rows, 0);
      const out = runtime.allocate([1, rows, hiddenSize]);
      let at = 0;
      const steps = runs.map((run) => {
        const step = {
          from: run.tensor,
          fromOffset: run.start * hiddenSize,
          to: out,
          toOffset: at * hiddenSize,
          count: run.rows * hiddenSize,
        };
        at += run.rows;
        return step;
      });
      runtime.copy(steps);
      return out;
    },
    async decode(embeds, added, cache, top) {
      const [last] = await decode(embeds, added, cache, 1, top);
      if (!last) throw new EngineError("internal", "a run without logits");
      return last;
    },
    setReplay(enabled) {
      const able = sessions.decoder !== undefined && isReplayable(sessions.decoder);
      replay.enabled = able && enabled;
      return able;
    },
    decodeEach: (embeds, added, cache, top) => decode(embeds, added, cache, added.length, top),
    async adapt(adapter) {
      if (!adapter) {
        const next = emptyRoom();
        lora?.dispose();
        lora = next;
        await projector?.release();
        projector = undefined;
        return;
      }
      const { name } = room.info.model;
      if (!graph.adaptable) {
        throw new EngineError("bad-package", `the package of ${name} has no room for an adapter`);
      }
      const about = { name, graph: graph.adaptable, layers: config.layers };
      const tensors = await readAdapterTensors(runtime, about, adapter);
      let session: Session | undefined;
      try {
        const { projector: files } = adapter.info.adapter;
        if (files) session = await runtime.createSession(await graphSource(files, adapter.files), ["image_features"]);
        if (!room.roomy) await makeRoom();
      } catch (error) {
        tensors.dispose();
        await session?.release();
        throw error;
      }
      lora?.dispose();
      lora = tensors;
      await projector?.release();
      projector = session;
    },
    async dispose() {
      lora?.dispose();
      replay.dispose();
      await projector?.release();
      sessions.own?.release();
      sessions.tower?.release();
      for (const session of [sessions.vision, sessions.embed, sessions.decoder]) await session?.release();
    },
  };
}

/** The graphs with room for an adapter, in the place of the plain ones. */
function withRoom(graph: GraphFiles): GraphFiles {
  const { adaptable, expanded } = graph;
  if (!adaptable) throw new EngineError("internal", "the package has no graph with room for an adapter");
  const f32 = expanded && adaptable.expanded !== undefined ? { ...expanded, path: adaptable.expanded } : undefined;
  return { ...graph, path: adaptable.path, expanded: f32 };
}

/** As many as a device looks for. */
const mostTop = 64;

function sparseRows(found: readonly Top[], vocabSize: number): Float32Array[] {
  return found.map(({ values, places }) => {
    const row = new Float32Array(vocabSize).fill(-Infinity);
    places.forEach((place, i) => (row[place] = values[i] ?? -Infinity));
    return row;
  });
}

function lastRows(logits: Float32Array, elements: number, vocabSize: number, keep: number): Float32Array[] {
  if (elements % vocabSize !== 0) throw new EngineError("bad-package", "the logits do not have the vocabulary's size");
  return Array.from({ length: keep }, (_, i) => {
    const start = elements - (keep - i) * vocabSize;
    return logits.slice(start, start + vocabSize);
  });
}

/** What the own kernel sees, as the graph would yield it. */
function seenTensors(runtime: Runtime, seen: Seen): Map<string, RuntimeTensor> {
  const tensors = new Map<string, RuntimeTensor>();
  const add = (name: string, data: Float32Array | undefined, width: number): void => {
    if (data) tensors.set(name, runtime.tensor("float32", data, [1, data.length / width, width]));
  };
  add("image_features", seen.features, seen.projected);
  add("tower_features", seen.tower, seen.hidden);
  add("image_newline", seen.newline?.slice(), seen.projected);
  return tensors;
}

async function readObject(files: PackageFiles, path: string): Promise<object> {
  const json = await readJson(files, path);
  if (typeof json === "object" && json !== null) return json;
  throw new EngineError("bad-package", `${path} does not hold an object`);
}

async function graphSource(graph: GraphFiles, files: PackageFiles): Promise<SessionSource> {
  return {
    graph: await files.blob(graph.path),
    data: await Promise.all(graph.data.map(async (path) => ({ path: baseName(path), data: await files.blob(path) }))),
    file: files.localPath?.(graph.path),
  };
}

async function expandedSource(graph: GraphFiles, files: PackageFiles): Promise<SessionSource> {
  if (!graph.expanded) throw new EngineError("internal", "the package has no expanded graph");
  const { path, recipe } = graph.expanded;
  const expansion = parseExpansion(await readJson(files, recipe), recipe);
  return { graph: await files.blob(path), data: await expand(expansion, files) };
}

/** ONNX names external data relative to the graph's own folder, and a package keeps both in one. */
function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
