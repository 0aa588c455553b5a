// One view of a checkpoint in Hugging Face's layout, whatever layout it has and however many folders it comes from. Knows which folder
// has which part; computes no weights.
import * as v from "valibot";
import { badCheckpoint } from "#convert/checkpoint/bad-checkpoint.ts";
import { withFiles, type CheckpointFolder } from "#convert/checkpoint/folders.ts";
import { describeFolder, refuseOtherKinds } from "#convert/checkpoint/kind.ts";
import { elementsOf, type Checkpoint } from "#convert/checkpoint/checkpoint.ts";
import { deltaNoteName } from "./delta.ts";
import { JsonObjectSchema, readObject, type JsonObject } from "#convert/checkpoint/json-file.ts";
import { adapterConfigName } from "./adapter-config.ts";
import { readAdapter } from "./adapter-file.ts";
import { mergeAdapter, type Multiply } from "./lora.ts";
import { findCheckpoint, openCheckpoint } from "#convert/checkpoint/open-checkpoint.ts";
import { flatTinyLlava, isOriginalConfig, stockPreprocessor, towerName, translateConfig } from "./original-config.ts";
import { hasTower, translateNames } from "./original-layout.ts";
import { attachProjector, openProjector } from "./projector.ts";
import { openGgufSource } from "#convert/gguf/gguf-source.ts";
import { onlyGguf } from "#convert/gguf/which-files.ts";
import { withImageToken } from "#convert/text/image-token.ts";
import { tokenizerFromSentencePiece } from "#convert/text/sentencepiece.ts";

/** Folders with the parts that a checkpoint lacks. */
export interface MoreFolders {
  /** The vision tower's own checkpoint. */
  readonly vision?: CheckpointFolder | undefined;
  /** The language model that an adapter or a projector alone belongs to. */
  readonly base?: CheckpointFolder | undefined;
  /** A folder with tokenizer.json. */
  readonly tokenizer?: CheckpointFolder | undefined;
  /** The GGUF files to read, of several in the folder: a model's (or one of its parts) and its projector's. */
  readonly gguf?: readonly string[] | undefined;
  /** The host's multiplication, for merging adapters. */
  readonly multiply?: Multiply | undefined;
}

/** A checkpoint whose small files and tensors are those of Hugging Face's layout. */
export interface CheckpointSource {
  readonly folder: CheckpointFolder;
  readonly checkpoint: Checkpoint;
  /** Whether it came in the layout of LLaVA's own repository. */
  readonly original: boolean;
  /** What its own config calls it. */
  readonly modelType: string;
  /** Other names of the model that its template may go by. */
  readonly names?: readonly string[] | undefined;
  readonly license?: string | undefined;
}

/** The checkpoint in `from`, completed from the other folders. */
export async function openSource(from: CheckpointFolder, more: MoreFolders = {}): Promise<CheckpointSource> {
  const gguf = await ggufIn(from, more);
  if (gguf) return { ...gguf, original: true, modelType: "llava" };
  const folder = completed(from, more);
  const given = (await readObject(from, "config.json")) ?? (await configOfBase(from, more.base));
  if (!given) throw badCheckpoint((await noConfig(from)) ?? `${from.name} has no config.json: is it a checkpoint?`);
  refuseOtherKinds(given, from.name);
  const tinyLlava = flatTinyLlava(given);
  const config = tinyLlava?.config ?? given;
  const weights = await openWeights(from, more.base, more.multiply);
  const original = isOriginalConfig(config);
  if (original) await refuseDelta(from, weights);
  const composed = original || more.base !== undefined || more.vision !== undefined;
  const tower = composed ? await openTower(config, weights, more.vision) : undefined;
  const checkpoint = translateNames(weights, tower);
  const small = new Map<string, JsonObject>([["config.json", config]]);
  const tokenizer = (await readObject(folder, "tokenizer.json")) ?? (await fromSentencePiece(folder));
  if (tokenizer) {
    checkVocabulary(tokenizer, config);
    small.set("tokenizer.json", tokenizer);
  }
  if (!original)
    return { folder: withFiles(folder, small), checkpoint, original, modelType: String(given["model_type"]) };

  const visionConfig = (await readVisionConfig(more.vision)) ?? tinyLlava?.vision;
  const added = tokenizer && withImageToken(tokenizer, Number(config["vocab_size"]));
  small.set("config.json", translateConfig(config, visionConfig, added?.id));
  if (added) small.set("tokenizer.json", added.tokenizer);
  // The original encodes each text between pictures separately.
  small.set("tokenizer_config.json", { ...(await readObject(folder, "tokenizer_config.json")), image_apart: true });
  const preprocessor =
    (more.vision && (await readObject(more.vision, "preprocessor_config.json"))) ?? stockPreprocessor(config);
  if (preprocessor && !(await folder.open("preprocessor_config.json"))) {
    small.set("preprocessor_config.json", preprocessor);
  }
  return { folder: withFiles(folder, small), checkpoint, original, modelType: String(given["model_type"]) };
}

/** The weights in `from`: its own, or those of `base` with the adapter or the projector in `from`. */
export async function openWeights(
  from: CheckpointFolder,
  base: CheckpointFolder | undefined,
  multiply?: Multiply,
): Promise<Checkpoint> {
  const adapter = await readAdapter(from);
  const projector = adapter || (await findCheckpoint(from)) ? undefined : await openProjector(from);
  if (!adapter && !projector) {
    if (base) throw badCheckpoint(`${from.name} is neither an adapter nor a projector alone; it needs no --base`);
    return openCheckpoint(from);
  }
  const what = adapter ? "an adapter" : "a projector alone";
  if (!base) {
    const name = adapter?.baseName === undefined ? "its language model" : adapter.baseName;
    throw badCheckpoint(`${from.name} is ${what}; name the folder of ${name} with --base`);
  }
  const weights = await openCheckpoint(base);
  return adapter ? mergeAdapter(weights, adapter, multiply) : attachProjector(weights, projector ?? weights);
}

/** The model in GGUF files, where those are asked for or are all that the folder has. */
async function ggufIn(from: CheckpointFolder, { gguf, tokenizer, base, vision }: MoreFolders) {
  const other = (await from.open("config.json")) ?? (await from.open(adapterConfigName));
  // Some who publish GGUF files leave the original's config.json beside them.
  if (!gguf && other && !onlyGguf((await from.names?.()) ?? [])) return undefined;
  const found = await openGgufSource(from, gguf, tokenizer);
  if (found && (base ?? vision))
    throw badCheckpoint(`${from.name} is a GGUF file, to which --base and --vision add nothing`);
  return found;
}

async function noConfig(from: CheckpointFolder): Promise<string | undefined> {
  if (!(await from.open(adapterConfigName))) return describeFolder(from);
  return `${from.name} is an adapter; name the folder of its base with --base`;
}

/** A delta has the files of a checkpoint and would be converted into nonsense. */
async function refuseDelta(from: CheckpointFolder, weights: Checkpoint): Promise<void> {
  const norm = weights.tensors.get("model.norm.weight");
  const values = norm && /delta/i.test(from.name) ? await norm.read(0, elementsOf(norm.shape)) : [];
  // A decoder's last norm is about 1 and more; its change by training is hundredths.
  const small = values.length > 0 && values.every((value) => Math.abs(value) < 0.5);
  if (!small && !(await from.open(deltaNoteName))) return;
  throw badCheckpoint(
    `${from.name} is a delta and no whole model: add it to its base with \`llava apply-delta\` first`,
  );
}

/** An adapter of peft's own comes without a config: nothing but weights differs from its base. */
async function configOfBase(
  from: CheckpointFolder,
  base: CheckpointFolder | undefined,
): Promise<JsonObject | undefined> {
  return base && (await from.open(adapterConfigName)) ? readObject(base, "config.json") : undefined;
}

async function openTower(
  config: JsonObject,
  checkpoint: Checkpoint,
  vision: CheckpointFolder | undefined,
): Promise<Checkpoint | undefined> {
  if (hasTower(checkpoint)) return undefined;
  if (vision) return openCheckpoint(vision);
  const name = towerName(config);
  throw badCheckpoint(
    `the checkpoint has no vision tower of its own; name the folder of ${name ?? "the tower it was trained with"} with --vision`,
  );
}

/** A tower's config, also where it is a part of the config of a model of pictures and texts. */
async function readVisionConfig(vision: CheckpointFolder | undefined): Promise<JsonObject | undefined> {
  const config = vision && (await readObject(vision, "config.json"));
  if (!config) return undefined;
  const nested = config["vision_config"];
  if (!v.is(JsonObjectSchema, nested)) return config;
  const type = typeof config["model_type"] === "string" ? config["model_type"] : "clip";
  return { model_type: `${type}_vision_model`, ...nested };
}

/** The tokenizer of a checkpoint that has only SentencePiece's file. */
async function fromSentencePiece(folder: CheckpointFolder): Promise<JsonObject | undefined> {
  const model = await folder.open("tokenizer.model");
  if (!model) return undefined;
  const settings = (await readObject(folder, "tokenizer_config.json")) ?? {};
  const added = Object.entries((await readObject(folder, "added_tokens.json")) ?? {}).flatMap(
    ([text, id]): [string, number][] => (typeof id === "number" ? [[text, id]] : []),
  );
  const noted = v.safeParse(
    v.record(v.string(), v.looseObject({ content: v.string(), special: v.optional(v.boolean(), false) })),
    settings["added_tokens_decoder"] ?? {},
  );
  if (!noted.success) throw badCheckpoint("tokenizer_config.json: added_tokens_decoder is not a table of tokens");
  const known = Object.entries(noted.output);
  return tokenizerFromSentencePiece(await model.read(0, model.bytes), {
    legacy: settings["legacy"] !== false,
    addBos: settings["add_bos_token"] !== false,
    added: new Map([...known.map(([id, token]): [string, number] => [token.content, Number(id)]), ...added]),
    special: new Set(known.flatMap(([, token]) => (token.special ? [token.content] : []))),
  });
}

/** Throws for a tokenizer with ids beyond the embedding table, which belongs to another model. */
function checkVocabulary(tokenizer: JsonObject, config: JsonObject): void {
  const text = config["text_config"];
  const rows = v.is(JsonObjectSchema, text) ? text["vocab_size"] : config["vocab_size"];
  const model = tokenizer["model"];
  const vocab = v.is(JsonObjectSchema, model) ? model["vocab"] : undefined;
  if (typeof rows !== "number" || !v.is(v.record(v.string(), v.number()), vocab)) return;
  const largest = Object.values(vocab).reduce((max, id) => Math.max(max, id), -1);
  if (largest < rows) return;
  throw badCheckpoint(
    `tokenizer.json has tokens up to number ${largest}, and config.json says ${rows} of them: is it another model's?`,
  );
}

const tokenizerFile = /^(tokenizer|special_tokens_map|added_tokens|chat_template|generation_config|vocab|merges)/;
const modelFile = /^(preprocessor_config|processor_config)/;

/** The folder, falling back to others: for the tokenizer's files to --tokenizer and the base, for the preprocessor's to the base. */
function completed(from: CheckpointFolder, { tokenizer, base }: MoreFolders): CheckpointFolder {
  return {
    ...from,
    async open(path) {
      const own = await from.open(path);
      if (own) return own;
      const found = tokenizerFile.test(path) ? await tokenizer?.open(path) : undefined;
      return found ?? (tokenizerFile.test(path) || modelFile.test(path) ? base?.open(path) : undefined);
    },
  };
}
