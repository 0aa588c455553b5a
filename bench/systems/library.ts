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
import { renderPrompt } from "#engine/text/prompt.ts";
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

/** As the library's documentation has it: the whole conversation in, every time. */
export const librarySystem =
  (
    { model, processor, tokenizer, info }: Library,
    longestAnswer: number,
    meter?: () => GpuCounts,
  ): System<readonly Message[]> =>
  async (messages) => {
    const clock = new Clock(meter);
    const { text, images } = renderPrompt(messages, {
      template: info.model.template,
      chatTemplate: undefined,
      bosToken: "",
      eosToken: "",
      defuse: (words) => words,
    });
    const pictures = await Promise.all(images.map(({ blob }) => RawImage.fromBlob(blob)));
    // Its processor widens the mark of one picture only; this is what it makes of one.
    const inputs = named(tokenizer(text.replaceAll("<image>", "<image>".repeat(info.model.imageTokens))));
    const seen = pictures.length > 0 ? named(await processor.image_processor?.(pictures)) : {};
    const ids: number[] = [];
    await model.generate({
      ...inputs,
      ...(seen["pixel_values"] instanceof Tensor ? { pixel_values: seen["pixel_values"] } : {}),
      max_new_tokens: longestAnswer,
      do_sample: false,
      streamer: new Ticks(tokenizer, (id) => {
        clock.tick();
        ids.push(id);
      }),
    });
    return clock.told(tokenizer.decode(ids, { skip_special_tokens: true, clean_up_tokenization_spaces: false }));
  };

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
