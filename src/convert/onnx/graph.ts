// Builds one ONNX graph: nodes by path, small constants inside, weights as promises of bytes that the package writer places.
// Does not know what operators compute.
//
// Grammar of names: a node is `<path>/<Op>`, path = part of the model in slashes ("layers.3/attention/qkv");
// its outputs are `<node>:0`, `<node>:1`, … unless they are outputs of the graph; weights have checkpoint-like names in dots.
import { EngineError } from "#engine/errors.ts";
import { dtypeBytes, encodeModel } from "#formats/protobuf.ts";
import type { Attribute, Dtype, Initializer, Node, ValueInfo } from "#formats/protobuf.ts";
import type { WeightStep } from "./weight-steps.ts";

/** The name of a tensor inside the graph. */
export type Value = string;

/** What a weight of an expanded graph is made of: weights of the stored graph, by name. */
type WeightOrigin =
  | { readonly kind: "copy"; readonly of: string }
  | {
      readonly kind: "quantized";
      readonly data: string;
      readonly scales: string;
      readonly zeroPoints?: string;
      readonly offsets?: string | undefined;
      readonly bits: 4 | 8;
      /** Columns that share a scale. */
      readonly block: number;
      readonly rows: number;
      readonly cols: number;
      readonly transpose: boolean;
    };

/** A weight kept in external data. */
export interface Weight {
  readonly name: string;
  readonly dtype: Dtype;
  readonly dims: readonly number[];
  readonly bytes: number;
  /** What makes its bytes, and those of weights declared later that are made along with them; of such a weight there are none. */
  readonly steps: () => readonly WeightStep[];
  /** How many steps are worth having under way at a time; default 1. */
  readonly width?: number | undefined;
  /** Only in expanded graphs, whose weights are never written. */
  readonly origin?: WeightOrigin;
}

export interface Placement {
  readonly location: string;
  readonly offset: number;
}

const microsoft = "com.microsoft";
const microsoftOps = new Set([
  "FastGelu",
  "GatherBlockQuantized",
  "Gelu",
  "GroupQueryAttention",
  "MatMulNBits",
  "MultiHeadAttention",
  "QuickGelu",
  "RotaryEmbedding",
  "SkipSimplifiedLayerNormalization",
]);

export class GraphBuilder {
  readonly weights: Weight[] = [];
  readonly #name: string;
  readonly #nodes = new Map<string, Node>();
  readonly #constants = new Map<string, Initializer>();
  readonly #inputs: ValueInfo[] = [];
  readonly #outputs: ValueInfo[] = [];

  constructor(name: string) {
    this.#name = name;
  }

  input(name: string, dtype: Dtype, dims: readonly (number | string)[]): Value {
    this.#inputs.push({ name, dtype, dims });
    return name;
  }

  /** Declares a value as an output of the graph; the node that makes it must have been given this output name. */
  output(name: Value, dtype: Dtype, dims: readonly (number | string)[]): void {
    this.#outputs.push({ name, dtype, dims });
  }

  /** A node with one output. */
  node(
    path: string,
    op: string,
    inputs: readonly Value[],
    attributes: Readonly<Record<string, Attribute>> = {},
  ): Value {
    const output = `${path}/${op}:0`;
    this.nodeTo([output], path, op, inputs, attributes);
    return output;
  }

  /** A node whose outputs have the given names ("" leaves out an optional one). */
  nodeTo(
    outputs: readonly string[],
    path: string,
    op: string,
    inputs: readonly Value[],
    attributes: Readonly<Record<string, Attribute>> = {},
  ): void {
    const name = `${path}/${op}`;
    if (this.#nodes.has(name)) throw new EngineError("internal", `two nodes of ${this.#name} are called ${name}`);
    this.#nodes.set(name, { name, op, domain: microsoftOps.has(op) ? microsoft : "", inputs, outputs, attributes });
  }

  /** A small int64 constant inside the graph; without dims a vector, with [] a scalar. */
  int64(name: string, values: readonly number[], dims: readonly number[] = [values.length]): Value {
    return this.#constant(name, "int64", dims, new BigInt64Array(values.map(BigInt)));
  }

  /** A small f32 constant inside the graph. */
  float32(name: string, values: Float32Array, dims: readonly number[] = [values.length]): Value {
    return this.#constant(name, "float32", dims, values);
  }

  weight(weight: Weight): Value {
    const bytes = weight.dims.reduce((product, n) => product * n, dtypeBytes[weight.dtype]);
    if (bytes !== weight.bytes)
      throw new EngineError("internal", `${weight.name}: ${weight.bytes} bytes, not ${bytes}`);
    this.weights.push(weight);
    return weight.name;
  }

  /** The .onnx bytes, with every weight's place in the external data. */
  encode(placements: ReadonlyMap<string, Placement>): Uint8Array<ArrayBuffer> {
    const external = this.weights.map(({ name, dtype, dims, bytes }): Initializer => {
      const place = placements.get(name);
      if (!place) throw new EngineError("internal", `weight ${name} has no place`);
      return { name, dtype, dims, data: { ...place, bytes } };
    });
    return encodeModel({
      irVersion: 10,
      producer: "llava-web",
      opsets: [
        { domain: "", version: 21 },
        { domain: microsoft, version: 1 },
      ],
      graph: {
        name: this.#name,
        nodes: [...this.#nodes.values()],
        initializers: [...this.#constants.values(), ...external],
        inputs: this.#inputs,
        outputs: this.#outputs,
      },
    });
  }

  #constant(name: string, dtype: Dtype, dims: readonly number[], values: BigInt64Array | Float32Array): Value {
    const data = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    this.#constants.set(name, { name, dtype, dims, data });
    return name;
  }
}
