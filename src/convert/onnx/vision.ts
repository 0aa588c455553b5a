// The vision graph: pixels → CLIP or SigLIP blocks up to the selected layer → projector → image features in the decoder's space.
// Knows the towers' and LLaVA's arithmetic, not how weights are stored.
import type { LlavaConfig } from "#convert/config/config.ts";
import type { ProjectorActivation, VisionConfig } from "#convert/config/vision-config.ts";
import {
  joinVectors,
  mappedVector,
  scaledMatrix,
  stackMatrices,
  type LlavaTensors,
  type Vector,
} from "#convert/checkpoint/llava-tensors.ts";
import { GraphBuilder, type Value } from "./graph.ts";
import { WeightOps, type GraphOptions } from "./weight-ops.ts";

/** A projector's sizes. */
export interface ProjectorShape {
  readonly inputs: number;
  readonly outputs: number;
  readonly kind: LlavaConfig["projector"];
  readonly activation: ProjectorActivation;
  readonly bias: boolean;
  /** The epsilon of a norm before it, where it has one. */
  readonly norm: number | undefined;
  /** What its result is multiplied with; the decoder's `pictureScale`. */
  readonly scale: number;
}

/**
 * pixel_values f32 [n, channels, size, size] (Idefics3: [batch, n, channels, size, size]) → image_features f32 [n, tokens, textHidden]; for pictures in tiles also
 * image_newline f32 [n, 1, textHidden], the row that ends each line of tiles. Adaptable: also tower_features f32 [n, tokens, hidden], which
 * the input of an adapter's own projector.
 */
export function buildVisionEncoder(llava: LlavaConfig, tensors: LlavaTensors, options: GraphOptions): GraphBuilder {
  const { vision: config, text, tiles, shuffle } = llava;
  const graph = new GraphBuilder("vision_encoder");
  const ops = new WeightOps(graph, options);
  const pixels = shuffle > 1 ? groupedPixels(graph, config) : graph.input("pixel_values", "float32", ["images", ...pixelDims(config)]); // prettier-ignore
  const images = graph.node("images", "Shape", [pixels], { start: { int: 0 }, end: { int: 1 } });

  let x = visionTower(graph, ops, config, tensors, pixels, images);
  if (shuffle > 1) x = pixelShuffle(graph, config, shuffle, x);
  const patches = Math.floor(config.imageSize / config.patchSize) ** 2 + (config.keepClass ? 1 : 0);
  const tokens = patches / shuffle ** 2;
  if (options.adaptable === true && shuffle === 1) {
    graph.nodeTo(["tower_features"], "tower", "Identity", [x]);
    graph.output("tower_features", "float32", ["images", tokens, towerChannels(config)]);
  }
  const shape = projectorShape(llava);
  project(graph, ops, shape, tensors, x);
  graph.output("image_features", "float32", ["images", tokens, text.hidden]);
  if (tiles) newlineRow(graph, ops, tensors, images, shape);
  return graph;
}

const pixelDims = ({ channels, imageSize }: VisionConfig): readonly number[] => [channels, imageSize, imageSize];

/** Idefics3's input is pixel_values [batch, n, channels, size, size]: pictures by the prompt that they belong to. Returns [batch · n, …]. */
function groupedPixels(graph: GraphBuilder, config: VisionConfig): Value {
  const dims = pixelDims(config);
  const given = graph.input("pixel_values", "float32", ["batch_size", "images", ...dims]);
  return graph.node("pixels", "Reshape", [given, graph.int64("pixel_dims", [-1, ...dims])]);
}

/**
 * The rows of each square of `by` × `by` patches, joined into one: [n, side², hidden] → [n, (side / by)², by² · hidden].
 * x ─ Reshape [n, side, side/by, by·hidden] ─ Transpose ─ Reshape [n, side/by, side/by, by²·hidden] ─ Transpose ─ Reshape
 */
function pixelShuffle(
  graph: GraphBuilder,
  { imageSize, patchSize, hidden }: VisionConfig,
  by: number,
  x: Value,
): Value {
  const side = Math.floor(imageSize / patchSize);
  const [fewer, width] = [side / by, by ** 2 * hidden];
  const step = (name: string, value: Value, dims: readonly number[]): Value =>
    graph.node(`shuffle/${name}`, "Reshape", [value, graph.int64(`shuffle_${name}`, [0, ...dims])]);
  const swap = (name: string, value: Value): Value =>
    graph.node(`shuffle/${name}`, "Transpose", [value], { perm: { ints: [0, 2, 1, 3] } });
  const across = swap("across", step("across", x, [side, fewer, by * hidden]));
  const down = swap("down", step("down", across, [fewer, fewer, width]));
  return step("rows", down, [fewer ** 2, width]);
}

function projectorShape(config: LlavaConfig): ProjectorShape {
  return {
    inputs: towerChannels(config.vision) * config.shuffle ** 2,
    outputs: config.text.hidden,
    kind: config.projector,
    activation: config.projectorActivation,
    bias: config.projectorBias,
    norm: config.projectorNorm,
    scale: config.text.pictureScale,
  };
}

/** Channels of what a projector is given: those of all layers that features are taken from. */
export function towerChannels({ hidden, featureLayers }: VisionConfig): number {
  return hidden * featureLayers.length;
}

/**
 * pixels [n, channels, size, size] → rows [n, patches, towerChannels], with the class row where the config keeps it:
 *   blocks ─┬─ block … ─┬─ block
 *           └───────────┴─ Concat(channels of the selected layers) ─ Slice(without the class row)
 */
export function visionTower(
  graph: GraphBuilder,
  ops: WeightOps,
  config: VisionConfig,
  tensors: LlavaTensors,
  pixels: Value,
  images: Value,
): Value {
  const patches = Math.floor(config.imageSize / config.patchSize) ** 2;
  const states = [embedPatches(graph, ops, config, tensors, pixels, images, patches)];
  for (let layer = 0; layer < config.layers; layer++)
    states.push(block(graph, ops, config, tensors, states[layer] ?? pixels, layer));
  const [first = "", ...others] = config.featureLayers.map((layer) => states[layer] ?? pixels);
  let x = others.length === 0 ? first : graph.node("select", "Concat", [first, ...others], { axis: { int: 2 } });
  if (config.postNorm) x = layerNorm(graph, ops, config, tensors, "post_norm", x, "post_layernorm");
  if (config.kind !== "clip" || config.keepClass) return x;
  const [starts, ends, axes] = [
    graph.int64("one", [1]),
    graph.int64("row_end", [patches + 1]),
    graph.int64("axis1", [1]),
  ];
  return graph.node("select", "Slice", [x, starts, ends, axes]); // [n, patches, towerChannels]
}

/**
 * A projector alone, of an adapter: tower_features f32 [n, tokens, inputs] → image_features f32 [n, tokens, outputs], and image_newline
 * with `newline`.
 */
export function buildProjector(
  shape: ProjectorShape,
  tensors: LlavaTensors,
  newline: boolean,
  options: GraphOptions,
): GraphBuilder {
  const graph = new GraphBuilder("projector");
  const ops = new WeightOps(graph, options);
  const x = graph.input("tower_features", "float32", ["images", "tokens", shape.inputs]);
  project(graph, ops, shape, tensors, x);
  graph.output("image_features", "float32", ["images", "tokens", shape.outputs]);
  if (newline) {
    const images = graph.node("images", "Shape", [x], { start: { int: 0 }, end: { int: 1 } });
    newlineRow(graph, ops, tensors, images, shape);
  }
  return graph;
}

function newlineRow(
  graph: GraphBuilder,
  ops: WeightOps,
  tensors: LlavaTensors,
  images: Value,
  { outputs: hidden, scale }: ProjectorShape,
): void {
  const newline = ops.vector(scaledVector(tensors.vector("newline", "", [hidden]), scale));
  const row = graph.int64("newline_row", [1, hidden]);
  const shape = graph.node("newline", "Concat", [images, row], { axis: { int: 0 } });
  graph.nodeTo(["image_newline"], "newline", "Expand", [newline, shape]);
  graph.output("image_newline", "float32", ["images", 1, hidden]);
}

/**
 * pixels [n, c, H, W] ─ Conv(stride = patch) ─ Reshape [n, hidden, patches] ─ Transpose ─┐
 * class embedding [1, 1, hidden] ─ Expand [n, 1, hidden] ───────────────────────────── Concat ─ Add(positions) ─ LayerNorm
 * SigLIP: without class embedding and norm, but with a bias in the convolution.
 */
function embedPatches(
  graph: GraphBuilder,
  ops: WeightOps,
  config: VisionConfig,
  tensors: LlavaTensors,
  pixels: Value,
  images: Value,
  patches: number,
): Value {
  const { hidden, channels, patchSize } = config;
  const siglip = config.kind === "siglip";
  const at = "embeddings";
  const kernel = ops.kernel(
    `${at}/kernel`,
    tensors.vector("vision", "embeddings.patch_embedding.weight", [hidden, channels, patchSize, patchSize]),
  );
  const bias = siglip ? [ops.vector(tensors.vector("vision", "embeddings.patch_embedding.bias", [hidden]))] : [];
  const map = graph.node(at, "Conv", [pixels, kernel, ...bias], {
    kernel_shape: { ints: [patchSize, patchSize] },
    strides: { ints: [patchSize, patchSize] },
  });
  const flat = graph.node(at, "Reshape", [map, graph.int64("patch_rows", [0, hidden, patches])]);
  const rows = graph.node(at, "Transpose", [flat], { perm: { ints: [0, 2, 1] } });

  const positions = (count: number) =>
    ops.vector(tensors.vector("vision", "embeddings.position_embedding.weight", [count, hidden]));
  if (siglip) return graph.node(at, "Add", [rows, positions(patches)]);

  const classToken = tensors.vector("vision", "embeddings.class_embedding", [hidden]);
  const classShape = graph.node(`${at}/class`, "Concat", [images, graph.int64("class_row", [1, hidden])], {
    axis: { int: 0 },
  });
  const classRow = graph.node(`${at}/class`, "Expand", [ops.vector(classToken), classShape]);
  const all = graph.node(at, "Concat", [classRow, rows], { axis: { int: 1 } });

  const placed = graph.node(at, "Add", [all, positions(patches + 1)]);
  return layerNorm(graph, ops, config, tensors, "pre_norm", placed, "pre_layrnorm");
}

/**
 * x ─ LayerNorm ─ qkv ─ Split ─ MultiHeadAttention ─ out ─ Add(x) ─┬─ LayerNorm ─ fc1 ─ QuickGelu ─ fc2 ─ Add ─
 *                                                                  └────────────────────────────────────┘
 */
function block(
  graph: GraphBuilder,
  ops: WeightOps,
  config: VisionConfig,
  tensors: LlavaTensors,
  x: Value,
  layer: number,
): Value {
  const { hidden, ffn, heads } = config;
  const at = `layers.${layer}`;
  const source = `encoder.${at}`;
  const matrix = (name: string, rows: number, cols: number) =>
    tensors.matrix("vision", `${source}.${name}.weight`, rows, cols);
  const bias = (name: string, rows: number) => tensors.vector("vision", `${source}.${name}.bias`, [rows]);
  const square = (name: string) => matrix(`self_attn.${name}`, hidden, hidden);
  const squareBias = (name: string) => bias(`self_attn.${name}`, hidden);

  const normed = layerNorm(graph, ops, config, tensors, `${at}/attention_norm`, x, `${source}.layer_norm1`);
  const qkv = ops.linear(
    `${at}/attention/qkv`,
    normed,
    stackMatrices(`vision.${source}.self_attn.qkv.weight`, [square("q_proj"), square("k_proj"), square("v_proj")]),
    joinVectors(`vision.${source}.self_attn.qkv.bias`, ["q_proj", "k_proj", "v_proj"].map(squareBias)),
  );
  const [q, k, v] = [`${at}/attention/q`, `${at}/attention/k`, `${at}/attention/v`];
  graph.nodeTo([q, k, v], `${at}/attention`, "Split", [qkv], { axis: { int: 2 }, num_outputs: { int: 3 } });
  const mixed = graph.node(`${at}/attention`, "MultiHeadAttention", [q, k, v], { num_heads: { int: heads } });
  const attended = ops.linear(`${at}/attention/out`, mixed, square("out_proj"), squareBias("out_proj"));
  const residual = graph.node(`${at}/attention/residual`, "Add", [x, attended]);

  const mlpIn = layerNorm(graph, ops, config, tensors, `${at}/mlp_norm`, residual, `${source}.layer_norm2`);
  const wide = ops.linear(`${at}/mlp/fc1`, mlpIn, matrix("mlp.fc1", ffn, hidden), bias("mlp.fc1", ffn));
  const active =
    config.activation === "quick_gelu"
      ? graph.node(`${at}/mlp`, "QuickGelu", [wide], { alpha: { float: 1.702 } })
      : graph.node(`${at}/mlp`, config.activation === "gelu_tanh" ? "FastGelu" : "Gelu", [wide]);
  const narrow = ops.linear(`${at}/mlp/fc2`, active, matrix("mlp.fc2", hidden, ffn), bias("mlp.fc2", hidden));
  return graph.node(`${at}/mlp/residual`, "Add", [residual, narrow]);
}

/**
 * x ─ LayerNorm (ViP-LLaVA) ─ linear_1 ─ activation (mostly the exact Gelu) ─ linear_2 ─ image_features; a linear projector ends after
 * linear_1. The scale is in the last one's weights.
 */
function project(graph: GraphBuilder, ops: WeightOps, shape: ProjectorShape, tensors: LlavaTensors, x: Value): void {
  const linear = (name: string, input: Value, cols: number, scale: number, output?: Value) =>
    ops.linear(
      `projector/${name}`,
      input,
      scaledMatrix(tensors.matrix("projector", `${name}.weight`, shape.outputs, cols), scale),
      shape.bias ? scaledVector(tensors.vector("projector", `${name}.bias`, [shape.outputs]), scale) : undefined,
      output,
    );
  const input =
    shape.norm === undefined
      ? x
      : graph.node(
          "projector/norm",
          "LayerNormalization",
          [
            x,
            ops.vector(tensors.vector("projector", "projector_layernorm.weight", [shape.inputs])),
            ops.vector(tensors.vector("projector", "projector_layernorm.bias", [shape.inputs])),
          ],
          { axis: { int: -1 }, epsilon: { float: shape.norm } },
        );
  if (shape.kind === "linear") {
    linear("linear_1", input, shape.inputs, shape.scale, "image_features");
    return;
  }
  const active = activate(graph, shape.activation, linear("linear_1", input, shape.inputs, 1));
  linear("linear_2", active, shape.outputs, shape.scale, "image_features");
}

function scaledVector(vector: Vector, scale: number): Vector {
  return scale === 1 ? vector : mappedVector(vector, (value) => value * scale);
}

function activate(graph: GraphBuilder, activation: ProjectorActivation, x: Value): Value {
  switch (activation) {
    case "gelu":
      return graph.node("projector", "Gelu", [x]);
    case "gelu_tanh":
      return graph.node("projector", "FastGelu", [x]);
    case "quick_gelu":
      return graph.node("projector", "QuickGelu", [x], { alpha: { float: 1.702 } });
    case "relu":
      return graph.node("projector", "Relu", [x]);
    case "silu":
      return graph.node("projector", "Mul", [x, graph.node("projector", "Sigmoid", [x])]);
  }
}

function layerNorm(
  graph: GraphBuilder,
  ops: WeightOps,
  config: VisionConfig,
  tensors: LlavaTensors,
  path: string,
  x: Value,
  source: string,
): Value {
  const scale = ops.vector(tensors.vector("vision", `${source}.weight`, [config.hidden]));
  const bias = ops.vector(tensors.vector("vision", `${source}.bias`, [config.hidden]));
  return graph.node(path, "LayerNormalization", [x, scale, bias], {
    axis: { int: -1 },
    epsilon: { float: config.epsilon },
  });
}
