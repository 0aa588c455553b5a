// What the converter reads: one view of a checkpoint in Hugging Face's layout, whatever layout and however many folders it comes from.
// Knows which folder has which part; computes no weights itself.
import * as v from "valibot";
import { EngineError } from "#engine/errors.ts";
import { readText, type CheckpointFolder } from "./byte-source.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { openCheckpoint } from "./open-checkpoint.ts";
import { isOriginalConfig, stockPreprocessor, towerName, translateConfig } from "./original-config.ts";
import { hasTower, translateNames } from "./original-layout.ts";

type Json = Readonly<Record<string, unknown>>;
const JsonObject = v.record(v.string(), v.unknown());

/** Folders that complete a checkpoint that does not hold everything itself. */
export interface MoreFolders {
  /** The vision tower's own checkpoint. */
  readonly vision?: CheckpointFolder | undefined;
  /** A folder with tokenizer.json. */
  readonly tokenizer?: CheckpointFolder | undefined;
}

/** A checkpoint whose small files and tensors are those of Hugging Face's layout. */
export interface CheckpointSource {
  readonly folder: CheckpointFolder;
  readonly checkpoint: Checkpoint;
}

/** The checkpoint in `from`, completed from the other folders. */
export async function openSource(from: CheckpointFolder, more: MoreFolders = {}): Promise<CheckpointSource> {
  const config = await readObject(from, "config.json");
  if (!config) throw bad(`${from.name} has no config.json: is it a checkpoint?`);
  const checkpoint = await openCheckpoint(from);
  const folder = completed(from, [more.tokenizer]);
  if (!isOriginalConfig(config)) return { folder, checkpoint };

  const tower = await openTower(config, checkpoint, more.vision);
  const visionConfig = await readVisionConfig(more.vision);
  const tokenizer = await readObject(folder, "tokenizer.json");
  const added = tokenizer && withImageToken(tokenizer, Number(config["vocab_size"]));
  const small = new Map<string, Json>([["config.json", translateConfig(config, visionConfig, added?.id)]]);
  if (added) small.set("tokenizer.json", added.tokenizer);
  const preprocessor =
    (more.vision && (await readObject(more.vision, "preprocessor_config.json"))) ?? stockPreprocessor(config);
  if (preprocessor && !(await folder.open("preprocessor_config.json"))) {
    small.set("preprocessor_config.json", preprocessor);
  }
  return { folder: overlaid(folder, small), checkpoint: translateNames(checkpoint, tower) };
}

async function openTower(
  config: Json,
  checkpoint: Checkpoint,
  vision: CheckpointFolder | undefined,
): Promise<Checkpoint | undefined> {
  if (hasTower(checkpoint)) return undefined;
  if (vision) return openCheckpoint(vision);
  const name = towerName(config);
  throw bad(
    `the checkpoint has no vision tower of its own; name the folder of ${name ?? "the tower it was trained with"} with --vision`,
  );
}

/** A tower's config, also where it is a part of the config of a model of pictures and texts. */
async function readVisionConfig(vision: CheckpointFolder | undefined): Promise<Json | undefined> {
  const config = vision && (await readObject(vision, "config.json"));
  if (!config) return undefined;
  const nested = config["vision_config"];
  if (!v.is(JsonObject, nested)) return config;
  const type = typeof config["model_type"] === "string" ? config["model_type"] : "clip";
  return { model_type: `${type}_vision_model`, ...nested };
}

/** The tokenizer with the token `<image>`, which the original does without, and its id. */
export function withImageToken(
  tokenizer: Json,
  firstFreeId: number,
): { readonly tokenizer: Json; readonly id: number } {
  const Added = v.array(v.looseObject({ id: v.number(), content: v.string() }));
  const parsed = v.safeParse(Added, tokenizer["added_tokens"] ?? []);
  if (!parsed.success) throw bad("tokenizer.json: added_tokens is not a list of tokens");
  const known = parsed.output.find((token) => token.content === "<image>");
  if (known) return { tokenizer, id: known.id };
  const id = parsed.output.reduce((free, token) => Math.max(free, token.id + 1), firstFreeId);
  const flags = { single_word: false, lstrip: false, rstrip: false, normalized: false, special: true };
  return { tokenizer: { ...tokenizer, added_tokens: [...parsed.output, { id, content: "<image>", ...flags }] }, id };
}

/** A folder that looks for tokenizer files in others where it has none itself. */
function completed(from: CheckpointFolder, others: readonly (CheckpointFolder | undefined)[]): CheckpointFolder {
  const tokenizerFile = /^(tokenizer|special_tokens_map|added_tokens|chat_template|generation_config|vocab|merges)/;
  return {
    name: from.name,
    async open(path) {
      const own = await from.open(path);
      if (own || !tokenizerFile.test(path)) return own;
      for (const other of others) {
        const found = await other?.open(path);
        if (found) return found;
      }
      return undefined;
    },
  };
}

/** A folder with some files of JSON in the place of its own. */
function overlaid(folder: CheckpointFolder, files: ReadonlyMap<string, Json>): CheckpointFolder {
  const encoder = new TextEncoder();
  return {
    name: folder.name,
    open(path) {
      const json = files.get(path);
      if (!json) return folder.open(path);
      const bytes = encoder.encode(JSON.stringify(json));
      return Promise.resolve({
        bytes: bytes.length,
        read: (offset, length) => Promise.resolve(bytes.slice(offset, offset + length)),
      });
    },
  };
}

/** The JSON object in a file, or undefined when the file is not there. */
export async function readObject(folder: CheckpointFolder, path: string): Promise<Json | undefined> {
  const text = await readText(folder, path);
  if (text === undefined) return undefined;
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new EngineError("bad-checkpoint", `${folder.name}/${path} is not JSON`, { cause: error });
  }
  if (v.is(JsonObject, json) && !Array.isArray(json)) return json;
  throw bad(`${folder.name}/${path} is not a JSON object`);
}

function bad(message: string): EngineError {
  return new EngineError("bad-checkpoint", message);
}
