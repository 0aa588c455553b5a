// Reads a package's Hugging Face config files into what the engine needs, once, at load.
// The only place that knows their snake_case names.
import * as v from "valibot";
import { EngineError } from "#engine/errors.ts";
import type { Preprocess } from "#engine/picture/image.ts";
import type { PackageFiles } from "#engine/types.ts";

export interface ModelConfig {
  readonly imageTokenId: number;
  readonly vocabSize: number;
  readonly hiddenSize: number;
  readonly layers: number;
  readonly kvHeads: number;
  readonly headSize: number;
  /** Generation ends at any of these. */
  readonly eosIds: readonly number[];
  readonly preprocess: Preprocess;
  /** The checkpoint's Jinja chat template, where it has one. */
  readonly chatTemplate: string | undefined;
  /** Whether a picture's slot stands between <im_start> and <im_end>, as in the first LLaVA. */
  readonly imageMarks: boolean;
  readonly bosToken: string;
  readonly eosToken: string;
}

/** Far above what any model has; what is beyond is no size but a mistake, or a trap. */
const size = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(2 ** 24, "no model is that large"));
const layers = v.pipe(size, v.maxValue(1024, "no model has so many layers"));
const id = v.pipe(v.number(), v.integer(), v.minValue(0));
const ids = v.union([id, v.array(id)]);

const Config = v.object({
  image_token_index: v.optional(id),
  image_token_id: v.optional(id),
  eos_token_id: v.nullish(ids),
  mm_use_im_start_end: v.optional(v.boolean(), false),
  text_config: v.object({
    vocab_size: size,
    hidden_size: size,
    num_hidden_layers: layers,
    num_attention_heads: size,
    num_key_value_heads: v.optional(size),
    head_dim: v.nullish(size),
    eos_token_id: v.nullish(ids),
  }),
  vision_config: v.object({ image_size: v.optional(size) }),
});

const channels = v.tuple([v.number(), v.number(), v.number()]);
const Preprocessor = v.object({
  image_mean: channels,
  image_std: channels,
  crop_size: v.nullish(v.union([size, v.object({ height: size, width: size })])),
  size: v.nullish(v.union([size, v.object({ height: v.optional(size), shortest_edge: v.optional(size) })])),
});

const Generation = v.object({ eos_token_id: v.nullish(ids) });
const token = v.nullish(v.union([v.string(), v.object({ content: v.string() })]));
const TokenizerConfig = v.object({
  bos_token: token,
  eos_token: token,
  chat_template: v.optional(v.union([v.string(), v.array(v.object({ name: v.string(), template: v.string() }))])),
});

/** Reads and checks the config files; throws "bad-package" naming the file and the field. */
export async function readModelConfig(files: PackageFiles): Promise<ModelConfig> {
  const config = parse("config.json", Config, await readJson(files, "config.json"));
  const image = parse("preprocessor_config.json", Preprocessor, await readJson(files, "preprocessor_config.json"));
  const generation = await readOptionalJson(files, "generation_config.json");
  const tokenizer = parse("tokenizer_config.json", TokenizerConfig, await readJson(files, "tokenizer_config.json"));
  const text = config.text_config;
  const imageTokenId = config.image_token_index ?? config.image_token_id;
  if (imageTokenId === undefined) throw new EngineError("bad-package", "config.json names no image token");
  const stated = [
    generation === undefined ? undefined : parse("generation_config.json", Generation, generation).eos_token_id,
    config.eos_token_id,
    text.eos_token_id,
  ].find((value) => value !== undefined && value !== null);
  const imageSide = sideOf(image.crop_size) ?? config.vision_config.image_size ?? sideOf(image.size);
  if (imageSide === undefined) throw new EngineError("bad-package", "config.json has no vision_config.image_size");
  return {
    imageTokenId,
    vocabSize: text.vocab_size,
    hiddenSize: text.hidden_size,
    layers: text.num_hidden_layers,
    kvHeads: text.num_key_value_heads ?? text.num_attention_heads,
    headSize: text.head_dim ?? text.hidden_size / text.num_attention_heads,
    eosIds: stated === undefined ? [2] : [stated].flat(),
    preprocess: {
      size: imageSide,
      mean: image.image_mean,
      std: image.image_std,
    },
    chatTemplate: await chatTemplate(files, tokenizer.chat_template),
    imageMarks: config.mm_use_im_start_end,
    bosToken: tokenText(tokenizer.bos_token),
    eosToken: tokenText(tokenizer.eos_token),
  };
}

function sideOf(
  given: number | { height?: number | undefined; shortest_edge?: number | undefined } | null | undefined,
): number | undefined {
  return typeof given === "number" ? given : (given?.height ?? given?.shortest_edge);
}

function tokenText(token: string | { content: string } | null | undefined): string {
  return typeof token === "string" ? token : (token?.content ?? "");
}

/** The JSON of one file of the package. */
export async function readJson(files: PackageFiles, path: string): Promise<unknown> {
  const text = await (await files.blob(path)).text();
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new EngineError("bad-package", `${path} is not JSON`, { cause: error });
  }
}

async function readOptionalJson(files: PackageFiles, path: string): Promise<unknown> {
  return (await optionalText(files, path)) === undefined ? undefined : readJson(files, path);
}

async function optionalText(files: PackageFiles, path: string): Promise<string | undefined> {
  try {
    return await (await files.blob(path)).text();
  } catch (error) {
    if (error instanceof EngineError && error.code === "bad-package") return undefined;
    throw error;
  }
}

/** As Hugging Face's processors look for it: a file of its own comes before what the tokenizer has. */
async function chatTemplate(
  files: PackageFiles,
  given: string | { name: string; template: string }[] | undefined,
): Promise<string | undefined> {
  const jinja = await optionalText(files, "chat_template.jinja");
  if (jinja !== undefined) return jinja;
  const json = v.safeParse(
    v.object({ chat_template: v.string() }),
    await readOptionalJson(files, "chat_template.json"),
  );
  if (json.success) return json.output.chat_template;
  if (typeof given === "string") return given;
  return (given?.find((entry) => entry.name === "default") ?? given?.[0])?.template;
}

function parse<T extends v.GenericSchema>(path: string, schema: T, json: unknown): v.InferOutput<T> {
  const result = v.safeParse(schema, json);
  if (result.success) return result.output;
  const issue = result.issues[0];
  throw new EngineError("bad-package", `${path}: ${v.getDotPath(issue) ?? "the whole"}: ${issue.message}`);
}
