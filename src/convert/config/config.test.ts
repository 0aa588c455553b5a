import { describe, expect, test } from "vitest";
import { parseConfig } from "./config.ts";
import { tinyConfig } from "#testing/fixtures.ts";

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

test("SmolVLM-256M's config, which leaves out what equals the class's defaults", () => {
  const config = parseConfig({
    model_type: "idefics3",
    image_token_id: 49190,
    scale_factor: 4,
    text_config: {
      model_type: "llama",
      hidden_size: 576,
      intermediate_size: 1536,
      num_attention_heads: 9,
      num_hidden_layers: 30,
      num_key_value_heads: 3,
      max_position_embeddings: 8192,
      rope_theta: 100000,
      vocab_size: 49280,
    },
    vision_config: {
      model_type: "idefics3",
      hidden_size: 768,
      image_size: 512,
      num_attention_heads: 12,
      patch_size: 16,
    },
  });
  expect(config.vision).toMatchObject({
    kind: "siglip",
    ffn: 3072,
    layers: 12,
    postNorm: true,
    activation: "gelu_tanh",
    epsilon: 1e-6,
  });
  expect(config.text).toMatchObject({ headSize: 64, kvHeads: 3, epsilon: 1e-5, tiedHead: false });
  expect(config).toMatchObject({
    imageTokenId: 49190,
    imageTokens: 64,
    shuffle: 4,
    squares: true,
    projectorBias: false,
  });
});

test("a shuffle that does not divide the patches, and a foreign tower, are refused by name", () => {
  const config =
    (change: object, vision: object = {}) =>
    () =>
      parseConfig({
        model_type: "smolvlm",
        text_config: tinyConfig().text_config,
        vision_config: { image_size: 384, patch_size: 14, ...vision },
        scale_factor: 3,
        ...change,
      });
  expect(config({})().imageTokens).toBe(81);
  expect(config({ scale_factor: 4 })).toThrow(/scale_factor is 4, which does not divide the tower's 27 × 27 patches/);
  expect(config({}, { model_type: "dinov2" })).toThrow(/vision_config.model_type is "dinov2"/);
});

/** What makes the tiny checkpoint one of tiles. */
const anyres = (pinpoints = [[32, 64]]) => ({ model_type: "llava_next", image_grid_pinpoints: pinpoints });

test("LLaVA-OneVision's config gives its tower, its decoder and its tiles", () => {
  const config = parseConfig({
    model_type: "llava_onevision",
    image_token_index: 151646,
    text_config: {
      model_type: "qwen2",
      hidden_size: 896,
      intermediate_size: 4864,
      num_attention_heads: 14,
      num_hidden_layers: 24,
      num_key_value_heads: 2,
      rope_theta: 1000000,
      tie_word_embeddings: true,
      use_sliding_window: false,
      sliding_window: 4096,
      vocab_size: 152000,
    },
    vision_config: {
      model_type: "siglip_vision_model",
      hidden_size: 1152,
      image_size: 384,
      intermediate_size: 4304,
      num_attention_heads: 16,
      num_hidden_layers: 26,
      patch_size: 14,
    },
  });
  expect(config.vision).toMatchObject({ kind: "siglip", layers: 26, activation: "gelu_tanh", epsilon: 1e-6 });
  expect(config.text).toMatchObject({ qkvBias: true, outBias: false, kvHeads: 2, headSize: 64, tiedHead: true });
  expect(config.imageTokens).toBe(729);
  expect(config.tiles).toMatchObject({ most: 9, onlyAlone: true });
  expect(config.tiles?.pinpoints).toHaveLength(36);
  expect(config.tiles?.pinpoints[1]).toEqual([384, 768]);
});

test("LLaVA-1.6 with Mistral has its grids where the config leaves them out", () => {
  const config = parseConfig({
    model_type: "llava_next",
    image_token_index: 32000,
    text_config: { model_type: "mistral", sliding_window: null, vocab_size: 32064, rope_theta: 1000000 },
    vision_config: {},
  });
  expect(config.text).toMatchObject({ ffn: 14336, kvHeads: 8, headSize: 128, qkvBias: false });
  expect(config.tiles?.pinpoints).toEqual([[336, 672], [672, 336], [672, 672], [1008, 336], [336, 1008]]); // prettier-ignore
  expect(config.tiles).toMatchObject({ most: undefined, onlyAlone: false });
});

test("one layer in a list is that layer", () => {
  expect(parseConfig({ ...tinyConfig(), vision_feature_layer: [-2] }).vision.layers).toBe(2);
});

test("grids written as text are those that LLaVA reads from it", () => {
  const pinpoints = (text: string) => parseConfig({ ...tinyConfig(), model_type: "llava_next", image_grid_pinpoints: text }).tiles?.pinpoints; // prettier-ignore
  expect(pinpoints("(1x1),...,(2x3)")).toEqual([[32, 32], [32, 64], [32, 96], [64, 32], [64, 64], [64, 96]]); // prettier-ignore
  expect(pinpoints("(2x2)")).toEqual([[64, 64]]);
  expect(pinpoints("[(32, 64), (64, 32)]")).toEqual([[32, 64], [64, 32]]); // prettier-ignore
  expect(pinpoints("[[32,64]]")).toEqual([[32, 64]]);
  expect(() => pinpoints("__import__('os')")).toThrow(/which is no list of grids/);
  expect(() => pinpoints("")).toThrow(/is empty/);
});

const textOf = (change: object, outer: object = {}) => {
  const { text_config: text, ...rest } = tinyConfig();
  return parseConfig({ ...rest, ...outer, text_config: { ...text, ...change } }).text;
};

test("windows of attention are those of the decoder's class, per layer, and none where the context is no longer", () => {
  const windows = (change: object) => textOf({ num_hidden_layers: 4, ...change }).windows;
  const none = [undefined, undefined, undefined, undefined];
  expect(windows({ model_type: "mistral", sliding_window: 64 })).toEqual([64, 64, 64, 64]);
  expect(windows({ model_type: "mistral", sliding_window: null })).toEqual(none);
  expect(windows({ model_type: "mistral", sliding_window: 256 })).toEqual(none);
  expect(windows({ model_type: "mistral", max_position_embeddings: 8192 })).toEqual([4096, 4096, 4096, 4096]);
  expect(windows({ model_type: "phi3", sliding_window: 64 })).toEqual([64, 64, 64, 64]);
  expect(windows({ model_type: "llama", sliding_window: 64 })).toEqual(none);
  expect(windows({ model_type: "gemma2", sliding_window: 64 })).toEqual([64, undefined, 64, undefined]);
  const qwen = { model_type: "qwen3", use_sliding_window: true, sliding_window: 64 };
  expect(windows(qwen)).toEqual(none);
  expect(windows({ ...qwen, max_window_layers: 3 })).toEqual([undefined, undefined, undefined, 64]);
  expect(windows({ ...qwen, max_window_layers: 0, use_sliding_window: false })).toEqual(none);
  const types = ["full_attention", "sliding_attention", "full_attention", "full_attention"];
  expect(windows({ ...qwen, layer_types: types })).toEqual([undefined, 64, undefined, undefined]);
  expect(textOf({ model_type: "mistral", sliding_window: 64 })).toMatchObject({ context: 256, statedContext: 256 });
});

test("decoders that are no Llama say what they do differently, with their classes' sizes", () => {
  const sparse = (type: string, outer: object = {}) =>
    parseConfig({ model_type: "llava", image_token_index: 3, text_config: { model_type: type }, ...outer }).text;
  expect(sparse("qwen3")).toMatchObject({ qkNorm: true, headSize: 128, qkvBias: false, normsAroundOne: false });
  expect(sparse("phi3")).toMatchObject({ hidden: 3072, ffn: 8192, epsilon: 1e-5, vocab: 32064, context: 4096 });
  expect(sparse("gemma")).toMatchObject({
    headSize: 256,
    activation: "gelu_tanh",
    tiedHead: true,
    normsAroundOne: true,
    postNorms: false,
    embedScale: Math.sqrt(3072),
    pictureScale: Math.sqrt(3072),
  });
  expect(sparse("gemma", { transformers_version: "5.3.2" }).pictureScale).toBe(Math.sqrt(3072));
  expect(sparse("gemma", { transformers_version: "5.4.0" }).pictureScale).toBe(1);
  expect(sparse("gemma", { transformers_version: "5.24.0.dev0" }).pictureScale).toBe(1);
  expect(sparse("gemma2")).toMatchObject({ hidden: 2304, kvHeads: 4, postNorms: true, attentionCap: 50, logitCap: 30 });
  const uncapped = { model_type: "gemma2", attn_logit_softcapping: null, final_logit_softcapping: null };
  expect(textOf(uncapped)).toMatchObject({ attentionCap: undefined, logitCap: undefined });
  expect(textOf({ model_type: "gemma2", query_pre_attn_scalar: 144 }).attentionScale).toBeCloseTo(1 / 12);
});

test("the rotary embedding's own factor scales scores, and LongRoPE ends the context where its second set begins", () => {
  const short = Array.from({ length: 8 }, (_, i) => 1 + i / 4);
  const rope = { type: "su", short_factor: short, long_factor: short.map((value) => value * 4) };
  const long = textOf({
    model_type: "phi3",
    max_position_embeddings: 4096,
    original_max_position_embeddings: 1024,
    rope_scaling: rope,
  });
  expect(long).toMatchObject({ context: 1024, statedContext: 4096 });
  expect(long.attentionScale * Math.sqrt(16)).toBeCloseTo(1 + Math.log(4) / Math.log(1024), 6);
  expect(long.inverseFrequencies[4]).toBeCloseTo(10000 ** -0.5 / 2, 8);
  const yarn = textOf({
    rope_scaling: { rope_type: "yarn", factor: 4, original_max_position_embeddings: 64 },
  });
  expect(yarn.attentionScale * Math.sqrt(16)).toBeCloseTo((1 + 0.1 * Math.log(4)) ** 2, 6);
  expect(yarn.context).toBe(256);
});

test("several layers of the tower are put side by side, and ViP-LLaVA has five of its own", () => {
  const several = parseConfig({ ...tinyConfig(), vision_feature_layer: [-2, 1] }).vision;
  expect(several).toMatchObject({ layers: 2, featureLayers: [2, 1] });
  const vip = { ...tinyConfig(), model_type: "vipllava", vision_config: {}, vision_feature_layer: -2 };
  expect(parseConfig(vip)).toMatchObject({
    projectorNorm: 1e-5,
    vision: { layers: 23, featureLayers: [23, 20, 17, 14, 6] },
  });
  expect(parseConfig({ ...vip, vision_feature_layers: [3] }).vision.featureLayers).toEqual([3]);
});

test.each([
  ["gelu_pytorch_tanh", "gelu_tanh"],
  ["gelu_new", "gelu_tanh"],
  ["relu", "relu"],
  ["silu", "silu"],
  ["quick_gelu", "quick_gelu"],
])("a projector with %s", (name, activation) => {
  expect(parseConfig({ ...tinyConfig(), projector_hidden_act: name }).projectorActivation).toBe(activation);
});

describe("what is unknown is refused by name", () => {
  type Change = (config: ReturnType<typeof tinyConfig>) => void;
  const cases: [string, Change, RegExp][] = [
    ["another architecture", (c) => (c["model_type"] = "qwen2_vl"), /model_type is "qwen2_vl"/],
    ["LLaVA on MPT", (c) => (c["model_type"] = "llava_mpt"), /LLaVA on MPT is not supported; LLaVA 1.0 to 1.6/],
    ["SigLIP without a class", (c) => (c.vision_config["model_type"] = "siglip_vision_model"), /it must be "full"/],
    ["tiles that don't fit", (c) => Object.assign(c, anyres([[32, 33]])), /image_grid_pinpoints has 32 × 33/],
    ["other merging of tiles", (c) => Object.assign(c, anyres(), { mm_patch_merge_type: "flat" }), /"flat"/],
    [
      "another decoder",
      (c) => (c.text_config["model_type"] = "falcon"),
      /"falcon", a decoder that is not supported; .*Qwen3/,
    ],
    [
      "a decoder that looks ahead",
      (c) => Object.assign(c.text_config, { model_type: "gemma2", use_bidirectional_attention: true }),
      /only decoders that look back/,
    ],
    ["another vision tower", (c) => (c.vision_config["model_type"] = "siglip"), /vision_config.model_type is "siglip"/],
    ["another activation", (c) => (c.text_config["hidden_act"] = "gelu"), /text_config.hidden_act is "gelu"/],
    ["another projector", (c) => (c["projector_hidden_act"] = "mish"), /projector_hidden_act is "mish"/],
    ["no vision layer", (c) => (c["vision_feature_layer"] = []), /lists no layer/],
    [
      "one of several vision layers that is not there",
      (c) => (c["vision_feature_layer"] = [-2, 7]),
      /7 is outside the tower/,
    ],
    [
      "kinds of layers that are none",
      (c) =>
        Object.assign(c.text_config, { model_type: "gemma2", layer_types: ["full_attention", "linear_attention"] }),
      /"linear_attention"; known are/,
    ],
    [
      "too few kinds of layers",
      (c) => Object.assign(c.text_config, { model_type: "gemma2", layer_types: ["full_attention"] }),
      /1 entries for 2 layers/,
    ],
    [
      "heads that rotate in part",
      (c) => (c.text_config["partial_rotary_factor"] = 0.75),
      /partial_rotary_factor is 0.75: .*Phi-4-mini/,
    ],
    [
      "LongRoPE without its factors",
      (c) => (c.text_config["rope_scaling"] = { type: "longrope" }),
      /short_factor has no numbers/,
    ],
    ["a vision layer that is not there", (c) => (c["vision_feature_layer"] = -9), /outside the tower/],
    ["unknown rotary scaling", (c) => (c.text_config["rope_scaling"] = { type: "mrope" }), /"mrope" is unknown/],
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
