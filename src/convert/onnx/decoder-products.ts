// What the parts of a decoder's layer have in common: its matrices, with an adapter's products beside them, biases, and the weights of its norms.
import type { TextConfig } from "#convert/config/text-config.ts";
import { mappedVector, type LlavaTensors, type Matrix, type Vector } from "#convert/checkpoint/llava-tensors.ts";
import type { Shared } from "./decoder.ts";
import type { GraphBuilder, Value } from "./graph.ts";
import type { WeightOps } from "./weight-ops.ts";

/** What the parts of one layer share. */
export interface Block {
  readonly graph: GraphBuilder;
  readonly ops: WeightOps;
  readonly config: TextConfig;
  readonly tensors: LlavaTensors;
  readonly shared: Shared;
  readonly layer: number;
}

export function matrix({ tensors, layer }: Block, name: string, rows: number, cols: number): Matrix {
  return tensors.matrix("text", `layers.${layer}.${name}.weight`, rows, cols);
}

export function bias({ tensors, layer }: Block, present: boolean, name: string, rows: number): Vector | undefined {
  return present ? tensors.vector("text", `layers.${layer}.${name}.bias`, [rows]) : undefined;
}

/** A norm's weights; Gemma's are kept as what is to be added to 1. */
export function normWeight(
  { ops, config, tensors }: Pick<Block, "ops" | "config" | "tensors">,
  source: string,
  length: number,
): Value {
  const vector = tensors.vector("text", source, [length]);
  return ops.vector(config.normsAroundOne ? mappedVector(vector, (value) => 1 + value) : vector);
}

/** A product with a weight; in adaptable graphs plus the adapter's two products for this site. */
export function linear(
  { graph, ops, shared, layer }: Block,
  site: string,
  path: string,
  x: Value,
  weight: Matrix,
  added: Vector | undefined,
): Value {
  const product = ops.linear(path, x, weight, added);
  if (!shared.adaptable) return product;
  const narrow = graph.node(`${path}/lora_down`, "MatMul", [x, `lora.${layer}.${site}.down`]);
  const change = graph.node(`${path}/lora_up`, "MatMul", [narrow, `lora.${layer}.${site}.up`]);
  return graph.node(`${path}/lora`, "Add", [product, change]);
}
