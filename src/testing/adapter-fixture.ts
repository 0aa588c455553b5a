// For tests: a random LoRA adapter of a LLaVA checkpoint, as LLaVA's training saves one.
import { readText, type CheckpointFolder } from "#convert/checkpoint/folders.ts";
import { parseConfig } from "#convert/config/config.ts";
import { encodeSafetensors, memoryCheckpoint, randomNumbers, type TensorData } from "./fixtures.ts";
import { decoderSites } from "#convert/onnx/decoder.ts";

/** Every matrix of every layer but `left` changes; with `projector` a new one comes along. */
export async function randomAdapter(
  base: CheckpointFolder,
  given: {
    readonly name?: string;
    readonly seed?: number;
    readonly rank?: number;
    readonly left?: RegExp;
    readonly projector?: boolean;
    /** The row that ends each line of tiles, too. */
    readonly newline?: boolean;
  } = {},
): Promise<{ readonly folder: CheckpointFolder; readonly files: ReadonlyMap<string, Uint8Array | string> }> {
  const { name = "tiny-llava-lora", seed = 11, rank = 4, left, projector = true, newline = false } = given;
  const { text, vision } = parseConfig(JSON.parse((await readText(base, "config.json")) ?? ""));
  const random = randomNumbers(seed);
  const tensor = (...shape: number[]): TensorData => {
    const values = new Float32Array(shape.reduce((product, n) => product * n, 1));
    return { shape, values: values.map(() => 0.4 * (random() + random() - 1)) };
  };
  const pairs = new Map<string, TensorData>();
  for (let layer = 0; layer < text.layers; layer++) {
    for (const { inputs, parts } of decoderSites(text)) {
      for (const { of, outputs } of parts) {
        const module = `model.layers.${layer}.${of}`;
        if (left?.test(module)) continue;
        pairs.set(`base_model.model.${module}.lora_A.weight`, tensor(rank, inputs));
        pairs.set(`base_model.model.${module}.lora_B.weight`, tensor(outputs, rank));
      }
    }
  }
  const files = new Map<string, Uint8Array | string>([
    ["adapter_config.json", JSON.stringify({ r: rank, lora_alpha: 2 * rank, base_model_name_or_path: "tiny-llava" })],
    ["adapter_model.safetensors", encodeSafetensors(pairs)],
  ]);
  if (projector) {
    const at = "base_model.model.model.mm_projector";
    files.set(
      "non_lora_trainables.safetensors",
      encodeSafetensors(
        new Map([
          [`${at}.0.weight`, tensor(text.hidden, vision.hidden)],
          [`${at}.0.bias`, tensor(text.hidden)],
          [`${at}.2.weight`, tensor(text.hidden, text.hidden)],
          [`${at}.2.bias`, tensor(text.hidden)],
          ...(newline ? [["base_model.model.model.image_newline", tensor(text.hidden)] as const] : []),
        ]),
      ),
    );
  }
  return { folder: memoryCheckpoint(name, files), files };
}
