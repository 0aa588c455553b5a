import { describe, expect, test } from "vitest";
import { parseConfig } from "./config.ts";
import { tinyConfig } from "./fixtures.ts";

test("a sparse config is filled with Hugging Face's defaults: LLaVA-1.5-7B names only what differs", () => {
  const config = parseConfig({
    model_type: "llava",
    image_token_index: 32000,
    text_config: { model_type: "llama", max_position_embeddings: 4096, rms_norm_eps: 1e-5, vocab_size: 32064 },
    vision_config: {
      model_type: "clip_vision_model",
      hidden_size: 1024,
      image_size: 336,
      intermediate_size: 4096,
      num_attention_heads: 16,
      num_hidden_layers: 24,
      patch_size: 14,
    },
    vision_feature_layer: -2,
    vision_feature_select_strategy: "default",
  });
  expect(config.imageTokens).toBe(576);
  expect(config.vision).toMatchObject({
    layers: 23,
    heads: 16,
    activation: "quick_gelu",
    epsilon: 1e-5,
    keepClass: false,
  });
  expect(config.text).toMatchObject({
    hidden: 4096,
    ffn: 11008,
    layers: 32,
    heads: 32,
    kvHeads: 32,
    headSize: 128,
    vocab: 32064,
    context: 4096,
    tiedHead: false,
  });
});

describe("rotary frequencies agree with transformers", () => {
  const frequencies = (rope: Record<string, unknown>) => {
    const config = tinyConfig();
    Object.assign(config.text_config, { head_dim: 32, num_attention_heads: 2 }, rope);
    return [...parseConfig(config).text.inverseFrequencies];
  };
  const close = (actual: number[], expected: number[]) => {
    expect(actual).toHaveLength(expected.length);
    actual.forEach((value, i) => expect(Math.abs(value / (expected[i] ?? NaN) - 1)).toBeLessThan(3e-7));
  };
  const plain = [
    1, 0.562341332, 0.316227764, 0.177827939, 0.100000001, 0.0562341288, 0.0316227786, 0.0177827943, 0.00999999978,
    0.00562341325, 0.00316227786, 0.00177827943, 0.00100000005, 0.000562341302, 0.000316227786, 0.00017782794,
  ];

  test("without scaling", () => {
    close(frequencies({}), plain);
    close(frequencies({ rope_theta: 1, rope_parameters: { rope_type: "default", rope_theta: 10000 } }), plain);
  });

  test("with linear scaling", () => {
    close(
      frequencies({ rope_scaling: { type: "linear", factor: 2 } }),
      plain.map((value) => value / 2),
    );
  });

  test("with Llama 3's", () => {
    const scaling = {
      rope_type: "llama3",
      factor: 8,
      low_freq_factor: 1,
      high_freq_factor: 4,
      original_max_position_embeddings: 8192,
    };
    close(
      frequencies({ rope_theta: 500000, rope_scaling: scaling }),
      [
        1, 0.440366626, 0.193922758, 0.0853971019, 0.0376060307, 0.0165604409, 0.00729266508, 0.00321144611,
        0.000524846022, 7.78465546e-5, 3.42810235e-5, 1.50962178e-5, 6.64786967e-6, 2.92749974e-6, 1.28917316e-6,
        5.6770881e-7,
      ],
    );
  });
});

describe("what is unknown is refused by name", () => {
  type Change = (config: ReturnType<typeof tinyConfig>) => void;
  const cases: [string, Change, RegExp][] = [
    ["another architecture", (c) => (c["model_type"] = "qwen2_vl"), /model_type is "qwen2_vl"/],
    ["another decoder", (c) => (c.text_config["model_type"] = "gemma"), /text_config.model_type is "gemma"/],
    ["another vision tower", (c) => (c.vision_config["model_type"] = "siglip"), /vision_config.model_type is "siglip"/],
    ["another activation", (c) => (c.text_config["hidden_act"] = "gelu"), /text_config.hidden_act is "gelu"/],
    ["another projector", (c) => (c["projector_hidden_act"] = "relu"), /projector_hidden_act is "relu"/],
    ["several vision layers", (c) => (c["vision_feature_layer"] = [-2, -5]), /several layers/],
    ["a vision layer that is not there", (c) => (c["vision_feature_layer"] = -9), /outside the tower/],
    ["unknown rotary scaling", (c) => (c.text_config["rope_scaling"] = { type: "yarn" }), /"yarn" is unknown/],
    ["heads that do not divide", (c) => (c.text_config["num_key_value_heads"] = 3), /does not divide/],
    ["a size that is text", (c) => (c.text_config["hidden_size"] = "big"), /config.json: text_config.hidden_size/],
    ["no image token", (c) => (c["image_token_index"] = undefined), /no image_token_index/],
  ];
  test.each(cases)("%s", (_what, change, message) => {
    const config = tinyConfig();
    change(config);
    expect(() => parseConfig(config)).toThrow(message);
  });
});
