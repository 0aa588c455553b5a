// Loads a hub package as Transformers.js' model and processor. Knows no worker; the files are passed in.
import {
  AutoModelForImageTextToText,
  AutoProcessor,
  AutoTokenizer,
  type PreTrainedModel,
  type PreTrainedTokenizer,
  type Processor,
} from "@huggingface/transformers";
import * as v from "valibot";
import { EngineError } from "#engine/errors.ts";
import { refuseEndlessPatterns } from "#engine/text/pattern-check.ts";
import type { HubManifest } from "#weights/manifest.ts";
import { processorKind, type ProcessorKind } from "./families.ts";
import { templateStyle, type TemplateStyle } from "./prompt.ts";

export interface HubModel {
  readonly model: PreTrainedModel;
  readonly processor: Processor;
  readonly tokenizer: PreTrainedTokenizer;
  readonly kind: ProcessorKind;
  readonly style: TemplateStyle;
  readonly template: string;
  /** The text that stands for a picture in a prompt. */
  readonly imageToken: string;
  readonly contextLength: number;
}

export interface LoadHubOptions {
  /** The model id under which the library finds the files. */
  readonly id: string;
  readonly device: "webgpu" | "wasm" | "cpu";
  /** A device to use instead of one that the runtime creates itself. */
  readonly gpuDevice?: GPUDevice | undefined;
  /** The package's files by path. */
  readonly files: ReadonlyMap<string, Blob>;
  readonly onFile: (path: string) => void;
}

const Config = v.looseObject({
  image_token_index: v.optional(v.number()),
  image_token_id: v.optional(v.number()),
  max_position_embeddings: v.optional(v.number()),
  text_config: v.optional(v.looseObject({ max_position_embeddings: v.optional(v.number()) })),
});
const ProcessorConfig = v.looseObject({ image_token: v.optional(v.string()) });
const Progress = v.looseObject({ status: v.string(), file: v.optional(v.string()) });

/** The context length where the config states none. */
const usualContext = 2048;

/** Loads the processor, the tokenizer and a session for every graph. Rejects with "bad-package" where something is missing that a chat needs. */
export async function loadHubModel(manifest: HubManifest, options: LoadHubOptions): Promise<HubModel> {
  const { id, device, gpuDevice, onFile } = options;
  const progress_callback = (info: unknown): void => {
    const parsed = v.safeParse(Progress, info);
    if (parsed.success && parsed.output.status === "download" && parsed.output.file !== undefined)
      onFile(parsed.output.file);
  };
  await checkTokenizer(options.files);
  const processor = await AutoProcessor.from_pretrained(id, { progress_callback });
  const tokenizer = processor.tokenizer ?? (await AutoTokenizer.from_pretrained(id, { progress_callback }));
  const own: unknown = processor.chat_template;
  const template = chatTemplate((await templateFile(options.files)) ?? own ?? tokenizer.chat_template);
  const model = await AutoModelForImageTextToText.from_pretrained(id, {
    device,
    dtype: manifest.model.dtypes,
    use_external_data_format: externalData(options.files),
    progress_callback,
    ...(gpuDevice === undefined
      ? {}
      : { session_options: { executionProviders: [{ name: "webgpu", device: gpuDevice }] } }),
  });
  const config = v.parse(Config, model.config);
  const marked = v.safeParse(ProcessorConfig, processor.config);
  const imageTokenId = config.image_token_index ?? config.image_token_id;
  return {
    model,
    processor,
    tokenizer,
    template,
    kind: processorKind(manifest.model.modelType),
    style: templateStyle(template),
    imageToken:
      (marked.success ? marked.output.image_token : undefined) ??
      (imageTokenId === undefined ? "<image>" : tokenizer.decode([imageTokenId], { skip_special_tokens: false })),
    contextLength: config.text_config?.max_position_embeddings ?? config.max_position_embeddings ?? usualContext,
  };
}

/** Refuses a tokenizer whose patterns would hang this worker, before the library reads it. */
async function checkTokenizer(files: LoadHubOptions["files"]): Promise<void> {
  const text = await files.get("tokenizer.json")?.text();
  if (text === undefined) return;
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw new EngineError("bad-package", "tokenizer.json is not JSON", { cause: error });
  }
  if (typeof parsed === "object" && parsed !== null) refuseEndlessPatterns(parsed);
}

/** The number of data files of each graph. Counted, because the library waits for ever for a file that the config promises and that is missing. */
function externalData(files: LoadHubOptions["files"]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const path of files.keys()) {
    const graph = /([^/]+\.onnx)(_data(_\d+)?)?$/.exec(path);
    const name = graph?.[1];
    if (name !== undefined) counts[name] = (counts[name] ?? 0) + (graph?.[2] === undefined ? 0 : 1);
  }
  return counts;
}

const TemplateFile = v.looseObject({ chat_template: v.unknown() });

/** The chat template of a separate file, which the library reads for some processors only. */
async function templateFile(files: LoadHubOptions["files"]): Promise<unknown> {
  const jinja = await files.get("chat_template.jinja")?.text();
  if (jinja !== undefined) return jinja;
  const json = await files.get("chat_template.json")?.text();
  if (json === undefined) return undefined;
  try {
    const parsed = v.safeParse(TemplateFile, JSON.parse(json));
    return parsed.success ? parsed.output.chat_template : undefined;
  } catch (error) {
    throw new EngineError("bad-package", "chat_template.json is not JSON", { cause: error });
  }
}

const NamedTemplates = v.array(v.object({ name: v.string(), template: v.string() }));

/** A package may have one template, or several by name. Throws "bad-package" where it has none. */
function chatTemplate(given: unknown): string {
  if (typeof given === "string" && given !== "") return given;
  const named = v.safeParse(NamedTemplates, given);
  const templates = named.success ? named.output : [];
  const found = templates.find(({ name }) => name === "default") ?? templates[0];
  if (found === undefined) throw new EngineError("bad-package", "the package has no chat template");
  return found.template;
}
