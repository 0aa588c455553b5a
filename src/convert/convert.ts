// Checkpoint folder → model package: builds the graphs, writes weights in shards, config files, self-test and manifest.
// All checks that need no weights come before the first byte is written; on any error the half-written package is discarded.
import { EngineError } from "#engine/errors.ts";
import { badCheckpoint } from "#convert/checkpoint/bad-checkpoint.ts";
import type { PackageInfo, SelfTest } from "#engine/package.ts";
import type { PackageFiles } from "#engine/types.ts";
import { manifestVersion, parseManifest, type Manifest } from "#weights/manifest.ts";
import type { CheckpointFolder, PackageFolder } from "#convert/checkpoint/folders.ts";
import type { RenderChat } from "#convert/text/chat-template.ts";
import { openSource, type MoreFolders } from "#convert/source/checkpoint-source.ts";
import { checkTokens, type TryTokenizer } from "#convert/text/check-tokens.ts";
import { chooseConversation, type Conversation } from "#convert/text/choose-template.ts";
import { parseConfig, type LlavaConfig } from "#convert/config/config.ts";
import { dataFileWriter, type DataFile } from "#convert/onnx/external-data.ts";
import type { Checkpoint } from "#convert/checkpoint/checkpoint.ts";
import { readObject } from "#convert/checkpoint/json-file.ts";
import { LlavaTensors } from "#convert/checkpoint/llava-tensors.ts";
import { unfused } from "#convert/checkpoint/unfused.ts";
import { imageAspectOf, imageProcessor, packageConfigFiles } from "#convert/package/package-config.ts";
import { manifestTiles, mostImageTokens } from "#convert/package/picture-rows.ts";
import { manifestSquares, mostSquareRows } from "#convert/package/picture-squares.ts";
import { ShardedWriter, type WholeFileWriter } from "#convert/package/shard.ts";
import { writeManifest } from "#convert/package/write-manifest.ts";
import {
  buildGraphs,
  dataFilesOf,
  graphNotes,
  manifestGraphs,
  writeGraphs,
  type GraphStorage,
  type PackageGraphs,
  type PartBits,
} from "./package-graphs.ts";

/** How a package is made. The caller that creates the quantizer ends it. */
export interface ConvertOptions extends GraphStorage {
  readonly bits: PartBits;
  /** Makes room for LoRA adapters: the package also has a decoder graph with inputs for one, over the same weights. */
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
  /** Tries the tokenizer on texts that bad patterns take forever on; without it, patterns are trusted. */
  readonly tryTokenizer?: TryTokenizer | undefined;
  /** Receives sentences for people about choices that were made: which template and why, what is left out. */
  readonly onNote?: ((note: string) => void) | undefined;
  readonly onProgress?: ((progress: ConvertProgress) => void) | undefined;
  /** Ends the conversion between two shards by throwing its reason. */
  readonly signal?: AbortSignal | undefined;
  /** Runs the finished graphs and returns golden logits; without it the package carries no self-test. */
  readonly selfTest?: ((info: PackageInfo, files: PackageFiles) => Promise<SelfTest | undefined>) | undefined;
}

/** Bytes of weights written so far, and in all. */
export interface ConvertProgress {
  readonly file: string;
  readonly written: number;
  readonly total: number;
}

const selfTestPath = "onnx/self_test.json";
/** Reserved for config files, graphs and the manifest. */
const smallFilesBytes = 16 * 2 ** 20;

/** Writes the package of a LLaVA checkpoint and returns its manifest; commits the package folder, or discards it on an error. */
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
  const model = await prepareModel(given, options);
  const writer = await writeWeights(dataFilesOf(model.graphs).flat(), to, options);
  const manifest = await finishPackage(model, writer, to.files, options);
  await writeManifest(to, manifest);
  return manifest;
}

/** A checkpoint that was found to be whole and known, with the graphs that will be written. */
export interface PreparedModel {
  /** With the small files of Hugging Face's layout. */
  readonly from: CheckpointFolder;
  readonly config: LlavaConfig;
  readonly tensors: LlavaTensors;
  readonly graphs: PackageGraphs;
  readonly conversation: Conversation;
  readonly configFiles: ReadonlyMap<string, string>;
  readonly squares: ReturnType<typeof manifestSquares>;
  /** What the checkpoint says of its own license. */
  readonly license: string | undefined;
}

/** Makes every check that needs no weights; reads small files and headers only. */
export async function prepareModel(given: CheckpointFolder, options: ConvertOptions): Promise<PreparedModel> {
  const source = await openSource(given, options.more);
  const { folder: from, checkpoint, original, modelType } = source;
  const config = await readConfig(from);
  const tokens = { imageTokenId: config.imageTokenId, rows: config.text.vocab };
  await checkTokens(from, tokens, options.tryTokenizer, options.onNote);
  noteConfig(config, options);
  const tensors = new LlavaTensors(unfused(checkpoint, config.text));
  const squares = manifestSquares(config, await imageProcessor(from));
  const storage = { ...options, keep: options.keep ?? { vision: true, embed: true, decoder: true } };
  const kept = keptBits(checkpoint, storage);
  const graphs = buildGraphs(config, tensors, options.bits, options.adaptable === true, { ...storage, kept });
  tensors.refuseUnread(config.text.layers);
  const conversation = await chooseConversation({
    folder: from,
    original,
    names: [from.name, options.more?.base?.name ?? [], source.names ?? [], original ? modelType : []].flat(),
    imageTokenId: config.imageTokenId,
    stated: options.template,
    renderChat: options.renderChat,
    onNote: options.onNote,
  });
  const configFiles = await packageConfigFiles(from, config, graphNotes(graphs), conversation);
  return { from, config, tensors, graphs, conversation, configFiles, squares, license: source.license };
}

/** Writes everything after the weights but the manifest, which it returns. `files` read back what is written, for the self-test. */
export async function finishPackage(
  { from, config, tensors, graphs, conversation, configFiles, squares, license }: PreparedModel,
  writer: WholeFileWriter,
  files: PackageFiles | undefined,
  options: ConvertOptions,
): Promise<Manifest> {
  await writeGraphs(graphs, writer);
  for (const [path, text] of configFiles) await writer.writeWhole(path, text);
  const tiles = manifestTiles(config);
  const info = {
    model: {
      id: options.id ?? from.name,
      name: options.name ?? from.name,
      template: conversation.template,
      imageAspect: await imageAspectOf(from, config),
      imageTokens: squares ? mostSquareRows(config, squares) : mostImageTokens(config),
      ...(tiles ? { tiles } : {}),
      ...(squares ? { squares } : {}),
      contextLength: config.text.context,
    },
    graphs: await manifestGraphs(graphs, config.text, tensors),
  } satisfies PackageInfo;
  const selfTest = files && (await options.selfTest?.(info, files));
  if (selfTest) await writer.writeWhole(selfTestPath, JSON.stringify(selfTest));
  return checked({
    version: manifestVersion,
    model: { ...info.model, license: options.license ?? license ?? "unknown", architecture: "llava" },
    graphs: info.graphs,
    ...(selfTest ? { selfTest: selfTestPath } : {}),
    files: [...writer.files],
  });
}

/** What people should know of a decoder: what it can't do here, or what was decided for it. */
/** The bits that the checkpoint has most of a part's matrices in, where they are kept. */
function keptBits({ tensors }: Checkpoint, { keep }: GraphStorage): GraphStorage["kept"] {
  const of = (part: keyof PartBits, name: string): 4 | 8 | undefined =>
    keep?.[part] === true ? tensors.get(name)?.blocks?.form.bits : undefined;
  return {
    vision: of("vision", "vision_tower.vision_model.encoder.layers.0.mlp.fc1.weight"),
    embed: of("embed", "language_model.model.embed_tokens.weight"),
    decoder: of("decoder", "language_model.model.layers.0.mlp.down_proj.weight"),
  };
}

function noteConfig({ text }: LlavaConfig, { onNote }: ConvertOptions): void {
  const { context, statedContext, embedScale, pictureScale } = text;
  if (context !== statedContext) {
    onNote?.(
      `context: ${context} tokens of ${statedContext}, because the model has other rotary frequencies for longer texts (LongRoPE)`,
    );
  }
  if (embedScale !== 1) {
    const which = pictureScale === 1 ? "of words only, as transformers has it from 5.4 on" : "of words and pictures, as transformers had it up to 5.3"; // prettier-ignore
    onNote?.(
      `${text.type}: embeddings are multiplied with √hidden_size, those ${which} (transformers_version in config.json)`,
    );
  }
}

/** Reserves the space for the package and writes the files of weights. The small files follow, with the writer it returns. */
async function writeWeights(
  files: readonly DataFile[],
  to: PackageFolder,
  { signal, onProgress }: ConvertOptions,
): Promise<ShardedWriter> {
  const total = files.reduce((sum, file) => sum + file.bytes, 0);
  await to.reserve(total + smallFilesBytes);
  let current: string | undefined;
  let written = 0;
  const writer = new ShardedWriter(to, (bytes) => {
    signal?.throwIfAborted();
    written += bytes;
    if (current !== undefined) onProgress?.({ file: current, written, total });
  });
  const writeDataFile = dataFileWriter();
  for (const file of files) {
    current = file.path;
    await writeDataFile(file, await writer.create(file.path));
  }
  // Only weights are counted.
  current = undefined;
  return writer;
}

async function readConfig(from: CheckpointFolder): Promise<LlavaConfig> {
  const json = await readObject(from, "config.json");
  if (!json) throw badCheckpoint(`${from.name} has no config.json: is it a checkpoint?`);
  return parseConfig(json);
}

function checked(manifest: Manifest): Manifest {
  const result = parseManifest(manifest);
  if (!result.ok) throw new EngineError("internal", `the package's manifest is wrong: ${result.problem}`);
  return result.manifest;
}
