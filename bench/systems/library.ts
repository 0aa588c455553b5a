// transformers.js's generate() on one of this project's packages, timed as a system of the bench. Runs in Node and in a browser.
import {
  AutoModelForImageTextToText,
  AutoProcessor,
  RawImage,
  Tensor,
  TextStreamer,
  type PreTrainedModel,
  type PreTrainedTokenizer,
  type Processor,
} from "@huggingface/transformers";
import { renderPrompt, type Prompt } from "#engine/text/prompt.ts";
import type { Message } from "#engine/types.ts";
import type { Manifest } from "#weights/manifest.ts";
import { Clock } from "../clock.ts";
import type { GpuCounts } from "../gpu-meter.ts";
import type { System } from "../measure.ts";

export interface Library {
  readonly model: PreTrainedModel;
  readonly processor: Processor;
  readonly tokenizer: PreTrainedTokenizer;
  readonly info: Manifest;
}

export interface LibraryOptions {
  /** What the library finds the package under; `env` says where. */
  readonly id: string;
  readonly info: Manifest;
  readonly device: "cpu" | "wasm" | "webgpu";
  /** Instead of one that the runtime makes for itself. */
  readonly gpuDevice?: GPUDevice | undefined;
}

const dtypes = { quantized: "q8", q4: "q4", fp16: "fp16" } as const;
type Dtype = "q8" | "q4" | "fp16" | "fp32";

/** Loads the graphs that the package's manifest names. */
export async function openLibrary({ id, info, device, gpuDevice }: LibraryOptions): Promise<Library> {
  const dtypeOf = (path: string): Dtype => {
    const suffix = Object.entries(dtypes).find(([name]) => path.endsWith(`_${name}.onnx`));
    return suffix?.[1] ?? "fp32";
  };
  const { vision, embed, decoder } = info.graphs;
  const model = await AutoModelForImageTextToText.from_pretrained(id, {
    device,
    dtype: {
      vision_encoder: dtypeOf(vision.path),
      embed_tokens: dtypeOf(embed.path),
      decoder_model_merged: dtypeOf(decoder.path),
    },
    use_external_data_format: Object.fromEntries(
      [vision, embed, decoder].map(({ path, data }) => [path.slice(path.lastIndexOf("/") + 1), data.length]),
    ),
    ...(gpuDevice === undefined
      ? {}
      : { session_options: { executionProviders: [{ name: "webgpu", device: gpuDevice }] } }),
  });
  const processor = await AutoProcessor.from_pretrained(id, {});
  const { tokenizer } = processor;
  if (!tokenizer) throw new Error(`${id} has no tokenizer`);
  return { model, processor, tokenizer, info };
}

/** The messages in the package's own words, for systems that keep no conversation themselves. */
export function promptOf(
  messages: readonly Message[],
  { info, tokenizer }: Pick<Library, "info" | "tokenizer">,
): Prompt {
  return renderPrompt(messages, {
    template: info.model.template,
    chatTemplate: typeof tokenizer.chat_template === "string" ? tokenizer.chat_template : undefined,
    bosToken: "",
    eosToken: "",
    defuse: (words) => words,
  });
}

/** As the library's documentation has it: the whole conversation in, every time. */
export function librarySystem(
  { model, processor, tokenizer, info }: Library,
  longestAnswer: number,
  meter?: () => GpuCounts,
): System<readonly Message[]> {
  /** Prompt and pictures as the model takes them. */
  const inputsOf = async (text: string, pictures: readonly RawImage[]): Promise<Record<string, unknown>> => {
    // Its processor of pictures in squares knows several; here each is one square, as this engine is asked for.
    if (info.model.squares && pictures.length > 0) {
      const { input_ids, attention_mask, pixel_values, pixel_attention_mask } = named(
        await processor(text, pictures, { do_image_splitting: false }),
      );
      return { input_ids, attention_mask, pixel_values, pixel_attention_mask };
    }
    // Its other processor widens the mark of one picture only; this is what it makes of one.
    const inputs = named(tokenizer(text.replaceAll("<image>", "<image>".repeat(info.model.imageTokens))));
    const seen = pictures.length > 0 ? named(await processor.image_processor?.(pictures)) : {};
    return { ...inputs, ...(seen["pixel_values"] instanceof Tensor ? { pixel_values: seen["pixel_values"] } : {}) };
  };
  return async (messages) => {
    const clock = new Clock(meter);
    const { text, images } = promptOf(messages, { info, tokenizer });
    const pictures = await Promise.all(images.map(({ blob }) => RawImage.fromBlob(blob)));
    const inputs = await inputsOf(text, pictures);
    const ids: number[] = [];
    await model.generate({
      ...inputs,
      max_new_tokens: longestAnswer,
      do_sample: false,
      streamer: new Ticks(tokenizer, (id) => {
        clock.tick();
        ids.push(id);
      }),
    });
    return clock.told(tokenizer.decode(ids, { skip_special_tokens: true, clean_up_tokenization_spaces: false }));
  };
}

function named(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}

class Ticks extends TextStreamer {
  readonly #onToken: (id: number) => void;
  #prompt = true;
  constructor(tokenizer: PreTrainedTokenizer, onToken: (id: number) => void) {
    super(tokenizer);
    this.#onToken = onToken;
  }
  override put(value: bigint[][]): void {
    // The prompt comes first, as a whole.
    if (!this.#prompt) for (const id of value[0] ?? []) this.#onToken(Number(id));
    this.#prompt = false;
  }
  override end(): void {
    // Nothing is held back.
  }
}
