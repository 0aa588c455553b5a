import { expect, test } from "vitest";
import { Checkpoint, type Tensor } from "#convert/checkpoint/checkpoint.ts";
import { LlavaTensors } from "#convert/checkpoint/llava-tensors.ts";
import { parseConfig } from "#convert/config/config.ts";
import { buildGraphs, dataFilesOf } from "#convert/package-graphs.ts";
import type { ZooRecord } from "./record.ts";
import { packageSize, parametersOf, usualBits, type ModelShape } from "./shape.ts";
import { zoo } from "./zoo.ts";

/** SmolVLM2's checkpoints hold 32 bits per weight, all others 16. */
const weightBytes = ({ id }: ZooRecord): number => (id.startsWith("smolvlm2-") ? 4 : 2);

const looked = zoo.flatMap((record) => {
  const { id, shape } = record;
  return record.sources.flatMap((source) =>
    source.format === "safetensors" && source.bytes !== undefined && shape !== undefined
      ? [{ id, shape, published: source.bytes / weightBytes(record) }]
      : [],
  );
});

test.each(looked)("$id: the shape has the parameters of the published checkpoint", ({ shape, published }) => {
  expect(parametersOf(shape) / published).toBeGreaterThan(0.985);
  expect(parametersOf(shape) / published).toBeLessThan(1.015);
});

/** A checkpoint that has every tensor, of whatever shape it is asked for, and no values. */
class ShapesOnly extends Checkpoint {
  override has(name: string): boolean {
    return /^(language_model\.(model|lm_head)|vision_tower\.vision_model|multi_modal_projector)\./.test(name);
  }
  override scaledTensor(name: string, shape: readonly number[]): Tensor {
    return { name, dtype: "F16", shape, origin: "nowhere", read: () => Promise.reject(new Error("no values")) };
  }
}

/** As Hugging Face writes it. */
function configOf({ tower, decoder }: ModelShape): unknown {
  return {
    model_type: "llava",
    image_token_index: 32000,
    vision_feature_layer: tower.layersUsed - tower.layers - 1,
    vision_feature_select_strategy: tower.hasClassToken ? "default" : "full",
    vision_config: {
      model_type: tower.hasClassToken ? "clip_vision_model" : "siglip_vision_model",
      hidden_size: tower.hidden,
      intermediate_size: tower.intermediate,
      num_hidden_layers: tower.layers,
      num_attention_heads: tower.hidden / 64 === 18 ? 16 : tower.hidden / 64,
      image_size: tower.imageSize,
      patch_size: tower.patchSize,
    },
    text_config: {
      model_type: decoder.hidden % 896 === 0 && decoder.hidden < 4000 ? "qwen2" : "llama",
      hidden_size: decoder.hidden,
      intermediate_size: decoder.intermediate,
      num_hidden_layers: decoder.layers,
      num_attention_heads: decoder.heads,
      num_key_value_heads: decoder.kvHeads,
      vocab_size: decoder.vocabulary,
    },
  };
}

const converted = ["llava-1.5-7b", "llava-1.5-13b", "llava-1.6-mistral-7b", "llava-onevision-0.5b", "bunny-llama-3-8b"];

test.each(converted)("%s: the size told is that of the package which the converter makes", (id) => {
  const shape = zoo.find((record) => record.id === id)?.shape;
  if (shape === undefined) throw new Error(`no shape of ${id}`);
  for (const bits of [usualBits, { vision: 8, embed: 8, decoder: 8 } as const]) {
    const graphs = buildGraphs(
      parseConfig(configOf(shape)),
      new LlavaTensors(new ShapesOnly(new Map())),
      bits,
      false,
      {},
    );
    const made = dataFilesOf(graphs)
      .flat()
      .reduce((sum, file) => sum + file.bytes, 0);
    expect(packageSize(shape, bits).bytes / made).toBeGreaterThan(0.98);
    expect(packageSize(shape, bits).bytes / made).toBeLessThan(1.03);
  }
});
