// A model and its projector in GGUF as one checkpoint in Hugging Face's layout: config files made from metadata, tensors under Hugging
// Face's names. Reads headers, and no weights but the few numbers that stretch rotary positions.
import { badCheckpoint } from "#convert/checkpoint/bad-checkpoint.ts";
import { Checkpoint } from "#convert/checkpoint/checkpoint.ts";
import { readObject, type JsonObject } from "#convert/checkpoint/json-file.ts";
import { withFiles, type CheckpointFolder } from "#convert/checkpoint/folders.ts";
import { withImageToken } from "#convert/text/image-token.ts";
import { decoderShape, textConfigOf } from "./decoder-config.ts";
import { openGguf, type Gguf } from "./open-gguf.ts";
import { decoderTensors, towerTensors } from "./tensor-names.ts";
import { tokenizerOf } from "./tokenizer.ts";
import { checkWidth, towerOf } from "./tower-config.ts";
import { ggufModels, isProjectorName, splitOf, type GgufModel } from "./which-files.ts";

export interface GgufSource {
  readonly folder: CheckpointFolder;
  readonly checkpoint: Checkpoint;
  /** What the file calls the model, for its template. */
  readonly names: readonly string[];
  readonly license: string | undefined;
}

/** SmolVLM's own template, for files that were written without one: no other says where its pictures stand. */
const smolvlmTemplate =
  "<|im_start|>{% for message in messages %}{{message['role'] | capitalize}}" +
  "{% if message['content'][0]['type'] == 'image' %}{{':'}}{% else %}{{': '}}{% endif %}" +
  "{% for line in message['content'] %}{% if line['type'] == 'text' %}{{line['text']}}" +
  "{% elif line['type'] == 'image' %}{{ '<image>' }}{% endif %}{% endfor %}<end_of_utterance>\n" +
  "{% endfor %}{% if add_generation_prompt %}{{ 'Assistant:' }}{% endif %}";

/**
 * The model in a folder's GGUF files: in those of `chosen`, or in the only ones there are. Undefined for a folder without such files.
 * `tokenizer` has a tokenizer.json for files whose own can't be read. Throws EngineError("bad-checkpoint").
 */
export async function openGgufSource(
  from: CheckpointFolder,
  chosen: readonly string[] | undefined,
  tokenizer: CheckpointFolder | undefined,
): Promise<GgufSource | undefined> {
  const paths = chosen ?? (await onlyPair(from));
  if (!paths) return undefined;
  const [model, projector] = await openPair(from, paths);
  const shape = decoderShape(model);
  const tower = towerOf(projector);
  checkWidth(tower, shape.hidden, projector.file, model.file);
  const own = (tokenizer && (await filesOf(tokenizer))) ?? tokenizerOf(model);
  const added = withImageToken(own.tokenizer, shape.vocab);
  const config = {
    ...tower.config,
    text_config: await textConfigOf(model, shape),
    vision_config: tower.visionConfig,
    ...(tower.idefics3 ? { image_token_id: added.id } : { image_token_index: added.id }),
    ...(own.ends.length > 0 ? { eos_token_id: own.ends } : {}),
  };
  const files = new Map<string, JsonObject>([
    ["config.json", config],
    ["tokenizer.json", added.tokenizer],
    // llama.cpp encodes each text between pictures separately, as LLaVA was trained.
    [
      "tokenizer_config.json",
      tower.idefics3 ? { chat_template: smolvlmTemplate, ...own.settings } : { ...own.settings, image_apart: true },
    ],
    ["preprocessor_config.json", tower.preprocessor],
    ...(own.ends.length > 0 ? [["generation_config.json", { eos_token_id: own.ends }] as const] : []),
  ]);
  const { metadata } = model;
  const names = ["general.name", "general.basename", "general.finetune"].flatMap((key) => metadata.textIn(key) ?? []);
  return {
    folder: withFiles(
      { ...from, open: (path) => (/^README\.md$/.test(path) ? from.open(path) : Promise.resolve(undefined)) },
      files,
    ),
    checkpoint: new Checkpoint(new Map([...decoderTensors(model, shape), ...towerTensors(projector, tower)])),
    names,
    license: metadata.textIn("general.license"),
  };
}

/** The files of the folder's only model with its best projector; undefined where the folder has no GGUF files. */
async function onlyPair(from: CheckpointFolder): Promise<readonly string[] | undefined> {
  const names = (await from.names?.()) ?? [];
  const models = ggufModels(names.map((path) => ({ path, bytes: 0 })));
  const projectors = names.filter((path) => /\.gguf$/i.test(path) && isProjectorName(path));
  const [model, ...others] = models;
  if (!model && projectors.length === 0) return undefined;
  if (!model)
    throw badCheckpoint(
      `${from.name} holds ${projectors.join(", ")} alone, which is a projector; the model's GGUF file is needed, too`,
    );
  if (others.length > 0) {
    const list = models.slice(0, 12).map(firstFile).join(", ");
    throw badCheckpoint(`${from.name} holds ${models.length} models; give one of their files: ${list}`);
  }
  return [firstFile(model), ...model.projectors.slice(0, 1).map(({ path }) => path)];
}

function firstFile({ name, files }: GgufModel): string {
  return files[0]?.path ?? name;
}

/** The language model and the projector among the files, whatever their names are. */
async function openPair(from: CheckpointFolder, paths: readonly string[]): Promise<readonly [Gguf, Gguf]> {
  const models: Gguf[] = [];
  const projectors: Gguf[] = [];
  const seen = new Set<string>();
  for (const path of paths) {
    const whole = splitOf(path)?.name ?? path;
    if (seen.has(whole)) continue;
    seen.add(whole);
    const opened = await openGguf(from, path);
    (opened.metadata.textIn("general.architecture") === "clip" ? projectors : models).push(opened);
  }
  const [[model, second], [projector, other]] = [models, projectors];
  const twice = second ?? other;
  if (second && !projector)
    throw badCheckpoint(
      `${second.file} is a language model, too; --mmproj takes the projector that was published with ${model?.file ?? "it"}`,
    );
  if (twice) throw badCheckpoint(`${twice.file} is one too many: a model is one language model and one projector`);
  if (!model)
    throw badCheckpoint(
      `${projector?.file ?? from.name} is a projector (mmproj) alone; the model's GGUF file is needed, too`,
    );
  if (!projector) {
    throw badCheckpoint(
      `${model.file} is a language model without its eyes; give the mmproj file that was published with it with --mmproj`,
    );
  }
  return [model, projector];
}

/** A tokenizer in Hugging Face's files; undefined where the folder has none. */
async function filesOf(folder: CheckpointFolder) {
  const tokenizer = await readObject(folder, "tokenizer.json");
  if (!tokenizer) return undefined;
  return { tokenizer, settings: (await readObject(folder, "tokenizer_config.json")) ?? {}, ends: [] };
}
