// The vision graph of a mixture of towers: a CLIP transformer and an EfficientNet-Lite classifier see the same picture. Their features are
// concatenated per token before the projector (as in Shi et al. 2024, "Eagle"), and the classifier's top-k classes follow as tokens.
//
//   pixel_values [n, 3, S, S] ─┬─ smaller ── transformer ───────────────── [n, patches, hidden] ┐
//                              └─ classifier ─ map [n, cells, channels] ── spread over patches ─┴ projector ─┐
//                                            └ classes ─ likeliest k ── vectors [n, k, textHidden] ──────────┴ image_features
//
// training/mixture_folder.py computes the same in PyTorch.
import { EngineError } from "#engine/errors.ts";
import type { LlavaConfig } from "#convert/config/config.ts";
import type { LlavaTensors, Vector } from "#convert/checkpoint/llava-tensors.ts";
import { classifierBlocks, classifierFeatures, type ClassifierBlock, type MixtureConfig } from "#convert/config/mixture-config.ts"; // prettier-ignore
import { GraphBuilder, type Value } from "./graph.ts";
import { cubicMatrix, spreadMatrix } from "./resample.ts";
import { visionTower } from "./vision.ts";
import { WeightOps, type GraphOptions } from "./weight-ops.ts";

const clipMean = [0.48145466, 0.4578275, 0.40821073] as const;
const clipDeviation = [0.26862954, 0.26130258, 0.27577711] as const;
/** The classifier's pixels are (byte − 127) / 128. */
const [byteMiddle, byteScale] = [127, 128] as const;

/**
 * Builds the graph. Input: pixel_values f32 [n, 3, S, S], normalized as CLIP's. Outputs: image_features f32
 * [n, patches + classTokens, textHidden], and photograph f32 [n, 1], above 0 for what the classifier takes for a photograph.
 */
export function buildMixtureEncoder(config: LlavaConfig, tensors: LlavaTensors, options: GraphOptions): GraphBuilder {
  const { mixture, vision, text } = config;
  if (!mixture) throw new EngineError("internal", "the config has no second tower");
  const graph = new GraphBuilder("vision_encoder");
  const ops = new WeightOps(graph, options);
  const size = mixture.imageSize;
  const pixels = graph.input("pixel_values", "float32", ["images", 3, size, size]);
  const images = graph.node("images", "Shape", [pixels], { start: { int: 0 }, end: { int: 1 } });
  const classifier = new ClassifierGraph(graph, ops, mixture, tensors);

  const classed = perChannel(graph, "classifier/pixels", pixels, [
    clipDeviation.map((deviation) => (deviation * 255) / byteScale),
    clipMean.map((mean) => (mean * 255 - byteMiddle) / byteScale),
  ]);
  const map = classifier.map(classed); // [n, cells, channels]
  const small = resizedForTower(graph, ops, classed, size, vision.imageSize);
  const tower = visionTower(graph, ops, vision, tensors, small, images);

  const { side, channels } = classifierFeatures(mixture);
  const patchSide = Math.floor(vision.imageSize / vision.patchSize);
  const spread = constant(ops, "mixture.spread", spreadMatrix(side, patchSide), [patchSide ** 2, side ** 2]);
  const cells = graph.node("mixture/spread", "MatMul", [spread, map]);
  const joined = graph.node("mixture/join", "Concat", [tower, cells], { axis: { int: 2 } });
  const linear = (name: string, x: Value, rows: number, cols: number): Value =>
    ops.linear(
      `projector/${name}`,
      x,
      tensors.matrix("projector", `${name}.weight`, rows, cols),
      tensors.vector("projector", `${name}.bias`, [rows]),
    );
  const wide = linear("linear_1", joined, mixture.projectorHidden, vision.hidden + channels);
  const rows = linear("linear_2", graph.node("projector", "Gelu", [wide]), text.hidden, mixture.projectorHidden);
  const classTokens = classifier.classTokens(map, text.hidden);
  graph.nodeTo(["image_features"], "mixture/tokens", "Concat", [rows, classTokens], { axis: { int: 1 } });
  graph.output("image_features", "float32", ["images", config.imageTokens, text.hidden]);
  classifier.photograph(map);
  graph.output("photograph", "float32", ["images", 1]);
  return graph;
}

/** x · gain + shift, both given per channel. */
function perChannel(
  graph: GraphBuilder,
  path: string,
  x: Value,
  [gains, shifts]: readonly [number[], number[]],
): Value {
  const values = (name: string, numbers: number[]) =>
    graph.float32(`${path}/${name}`, Float32Array.from(numbers), [3, 1, 1]);
  return graph.node(path, "Add", [graph.node(path, "Mul", [x, values("gain", gains)]), values("shift", shifts)]);
}

/** Resizes the classifier's pixels to the transformer's as Pillow's bicubic filter does, and normalizes them as CLIP's. */
function resizedForTower(graph: GraphBuilder, ops: WeightOps, classed: Value, from: number, to: number): Value {
  const matrix = constant(ops, "mixture.resize", cubicMatrix(from, to), [to, from]);
  const columns = graph.node("mixture/resize", "Transpose", [matrix], { perm: { ints: [1, 0] } });
  const across = graph.node("mixture/resize/across", "MatMul", [classed, columns]);
  const whole = graph.node("mixture/resize/down", "MatMul", [matrix, across]);
  const lowest = graph.float32("mixture/lowest", Float32Array.of(-byteMiddle / byteScale), []);
  const highest = graph.float32("mixture/highest", Float32Array.of((255 - byteMiddle) / byteScale), []);
  const within = graph.node("mixture/resize", "Clip", [whole, lowest, highest]);
  return perChannel(graph, "mixture/pixels", within, [
    clipDeviation.map((deviation) => byteScale / 255 / deviation),
    clipMean.map((mean, i) => (byteMiddle / 255 - mean) / (clipDeviation[i] ?? 1)),
  ]);
}

/** Stores constants that follow from the config with the weights. */
function constant(ops: WeightOps, name: string, values: Float32Array<ArrayBuffer>, dims: readonly number[]): Value {
  return ops.vector({ name, dims, read: () => Promise.resolve(values), spans: () => [] });
}

/** Adds the classifier's nodes. Between blocks the feature map is channels-last, [n, cells, channels], as matrix products need it. */
class ClassifierGraph {
  readonly #graph: GraphBuilder;
  readonly #ops: WeightOps;
  readonly #config: MixtureConfig;
  readonly #tensors: LlavaTensors;

  constructor(graph: GraphBuilder, ops: WeightOps, config: MixtureConfig, tensors: LlavaTensors) {
    [this.#graph, this.#ops, this.#config, this.#tensors] = [graph, ops, config, tensors];
  }

  /** Pixels [n, 3, S, S] → the last feature map [n, cells, channels]. */
  map(pixels: Value): Value {
    const { imageSize, stem } = this.#config;
    const path = "classifier/stem";
    const convolved = this.#convolve(path, "stem", pixels, [stem, 3, 3, 3], { stride: 2, side: imageSize, groups: 1 });
    let rows = this.#toRows(path, convolved, stem);
    classifierBlocks(this.#config).forEach((block, i) => {
      rows = this.#block(`classifier/blocks.${i}`, `blocks.${i}`, rows, block);
    });
    return rows;
  }

  #block(
    path: string,
    name: string,
    x: Value,
    { inputs, middle, outputs, stride, kernel, side }: ClassifierBlock,
  ): Value {
    const graph = this.#graph;
    const wide =
      middle === inputs ? x : this.#relu6(`${path}/expand`, this.#pointwise(path, name, "expand", x, middle, inputs));
    const turned = graph.node(`${path}/depthwise`, "Transpose", [wide], { perm: { ints: [0, 2, 1] } });
    const picture = graph.node(`${path}/depthwise/in`, "Reshape", [
      turned,
      graph.int64(`${path}/size`, [0, middle, side, side]),
    ]);
    const shape = [middle, 1, kernel, kernel];
    const convolved = this.#convolve(`${path}/depthwise`, `${name}.depthwise`, picture, shape, {
      stride,
      side,
      groups: middle,
    });
    const rows = this.#toRows(`${path}/depthwise/out`, convolved, middle);
    const narrow = this.#pointwise(path, name, "project", rows, outputs, middle);
    return stride === 1 && inputs === outputs ? graph.node(`${path}/residual`, "Add", [x, narrow]) : narrow;
  }

  #pointwise(path: string, name: string, part: string, x: Value, rows: number, cols: number): Value {
    const { weight, bias } = this.#matrix(`${name}.${part}`, rows, cols, [1, 1]);
    return this.#ops.linear(`${path}/${part}`, x, weight, bias);
  }

  /** The weight [rows, cols, …ones] of a pointwise convolution as a matrix, and its bias. */
  #matrix(name: string, rows: number, cols: number, ones: readonly number[]) {
    const stored = this.#tensors.vector("classifier", `${name}.weight`, [rows, cols, ...ones]);
    const weight = this.#tensors.matrixOf(stored, rows, cols);
    return { weight, bias: this.#tensors.vector("classifier", `${name}.bias`, [rows]) };
  }

  /** A k × k convolution with TensorFlow's SAME padding (an odd pixel goes to the end), then ReLU6. */
  #convolve(
    path: string,
    name: string,
    x: Value,
    dims: readonly number[],
    { stride, side, groups }: { readonly stride: number; readonly side: number; readonly groups: number },
  ): Value {
    // prettier-ignore
    const kernel = dims[2] ?? 1;
    const padding = Math.max((Math.ceil(side / stride) - 1) * stride + kernel - side, 0);
    const [begin, end] = [Math.floor(padding / 2), Math.ceil(padding / 2)];
    const weight = this.#ops.kernel(path, this.#tensors.vector("classifier", `${name}.weight`, dims));
    const bias = this.#ops.vector(this.#tensors.vector("classifier", `${name}.bias`, [dims[0] ?? 0]));
    const convolved = this.#graph.node(path, "Conv", [x, weight, bias], {
      kernel_shape: { ints: [kernel, kernel] },
      strides: { ints: [stride, stride] },
      pads: { ints: [begin, begin, end, end] },
      group: { int: groups },
    });
    return this.#relu6(path, convolved);
  }

  #relu6(path: string, x: Value): Value {
    const [zero, six] = [
      this.#graph.float32("zero", Float32Array.of(0), []),
      this.#graph.float32("six", Float32Array.of(6), []),
    ];
    return this.#graph.node(path, "Clip", [x, zero, six]);
  }

  /** [n, channels, side, side] → [n, cells, channels] */
  #toRows(path: string, x: Value, channels: number): Value {
    const flat = this.#graph.node(path, "Reshape", [x, this.#graph.int64(`channels_${channels}`, [0, channels, -1])]);
    return this.#graph.node(`${path}/rows`, "Transpose", [flat], { perm: { ints: [0, 2, 1] } });
  }

  /** The top-k classes' embeddings plus those of their ranks and probabilities, [n, classTokens, hidden]. */
  classTokens(map: Value, hidden: number): Value {
    const { head, classes, classTokens } = this.#config;
    const [graph, ops, tensors] = [this.#graph, this.#ops, this.#tensors];
    const path = "class_tokens";
    const { channels } = classifierFeatures(this.#config);
    const wide = this.#matrix("head", head, channels, [1, 1]);
    const active = this.#relu6("classifier/head", ops.linear("classifier/head", map, wide.weight, wide.bias));
    const mean = this.#mean("classifier/pool", active);
    const last = this.#matrix("classifier", classes, head, []);
    const logits = ops.linear("classifier/classes", mean, last.weight, last.bias);
    const shares = graph.node("classifier/classes", "Softmax", [logits], { axis: { int: -1 } });
    const [likeliest, ids] = [`${path}/shares`, `${path}/ids`];
    graph.nodeTo([likeliest, ids], path, "TopK", [shares, graph.int64("class_token_count", [classTokens])], {
      axis: { int: -1 },
    });
    const vectors = `${path}/vectors`;
    // Plain floats: ONNX Runtime's WASM has no GatherBlockQuantized, and other systems are to run this graph there.
    const table = ops.vector(tensors.vector("classTokens", "embedding.weight", [classes, hidden]));
    graph.nodeTo([vectors], path, "Gather", [table, ids]);
    const least = graph.float32("least_share", Float32Array.of(1e-3), []);
    const logged = graph.node(path, "Log", [graph.node(`${path}/least`, "Add", [likeliest, least])]);
    const axis = graph.int64("last_axis", [-1]);
    const column = (name: string, x: Value): Value => graph.node(`${path}/${name}`, "Unsqueeze", [x, axis]);
    const both = graph.node(`${path}/both`, "Concat", [column("share", likeliest), column("log", logged)], {
      axis: { int: 2 },
    });
    const width = 32;
    const first = this.#plain(`${path}/share_1`, "share_1", both, width, 2);
    const second = this.#plain(
      `${path}/share_2`,
      "share_2",
      graph.node(`${path}/share`, "Gelu", [first]),
      hidden,
      width,
    );
    const rank = ops.vector(tensors.vector("classTokens", "rank", [classTokens, hidden]));
    const ranked = graph.node(`${path}/ranked`, "Add", [vectors, rank]);
    return graph.node(`${path}/told`, "Add", [ranked, second]);
  }

  /** Adds the graph output "photograph". */
  photograph(map: Value): void {
    const { channels } = classifierFeatures(this.#config);
    const tensors = this.#tensors;
    const weight = this.#ops.vector(transposed(tensors.vector("photograph", "weight", [1, channels]), 1, channels));
    const score = this.#graph.node("photograph", "MatMul", [this.#mean("photograph/pool", map), weight]);
    const bias = this.#ops.vector(tensors.vector("photograph", "bias", [1]));
    this.#graph.nodeTo(["photograph"], "photograph", "Add", [score, bias]);
  }

  /** Mean over the cells: [n, cells, channels] → [n, channels]. */
  #mean(path: string, x: Value): Value {
    return this.#graph.node(path, "ReduceMean", [x, this.#graph.int64("axis1", [1])], { keepdims: { int: 0 } });
  }

  /** A linear layer whose matrix is too small to quantize. */
  #plain(path: string, name: string, x: Value, rows: number, cols: number): Value {
    const weight = this.#ops.vector(
      transposed(this.#tensors.vector("classTokens", `${name}.weight`, [rows, cols]), rows, cols),
    );
    const bias = this.#ops.vector(this.#tensors.vector("classTokens", `${name}.bias`, [rows]));
    return this.#graph.node(path, "Add", [this.#graph.node(path, "MatMul", [x, weight]), bias]);
  }
}

function transposed(vector: Vector, rows: number, cols: number): Vector {
  return {
    name: `${vector.name}.transposed`,
    dims: [cols, rows],
    spans: () => vector.spans(),
    async read() {
      const values = await vector.read();
      return Float32Array.from(values, (_, i) => values[(i % rows) * cols + Math.floor(i / rows)] ?? NaN);
    },
  };
}
