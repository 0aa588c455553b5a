// How each architecture's processor is called. Data about @huggingface/transformers 4.3; knows no model's weights.

/**
 * "text-first" and "images-first" are the order of the processor's arguments. "rows": one picture per prompt is all that the library's
 * processor can do, so the marks are expanded here, by the rows of features that the vision encoder gives.
 */
export type ProcessorKind = "text-first" | "images-first" | "rows";

const kinds: Readonly<Record<string, ProcessorKind>> = {
  llava: "rows",
  llava_onevision: "rows",
  llava_qwen2: "rows",
  lfm2_vl: "images-first",
  mistral3: "images-first",
};

/** By config.json's `model_type`. */
export function processorKind(modelType: string): ProcessorKind {
  return kinds[modelType] ?? "text-first";
}
