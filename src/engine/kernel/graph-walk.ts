// Matches a graph's nodes in order against what they should be; the first mismatch ends the walk.
import type { OnnxGraph, OnnxNode, OnnxTensor } from "#formats/onnx-reader.ts";

/** x · weightᵀ (+ bias), weights [rows, cols] in runs of columns with a scale each; see ExpansionTensor for the layout. */
export interface PlannedMatrix {
  readonly bits: 4 | 8;
  /** Columns that share a scale. */
  readonly run: 16 | 32;
  readonly rows: number;
  readonly cols: number;
  readonly data: OnnxTensor;
  readonly scales: OnnxTensor;
  readonly zeroPoints: OnnxTensor | undefined;
  /** [rows, cols / run], added to the weights of a run. */
  readonly offsets: OnnxTensor | undefined;
  readonly bias: OnnxTensor | undefined;
}

/** Columns of a block, which has one scale or two. */
export const blockSize = 32;

class Unexpected extends Error {}

/** Returns the value, or ends the walk where it is undefined or false. */
export function expect<T>(value: T | undefined | false): T {
  if (value === undefined || value === false) throw new Unexpected();
  return value;
}

/** The walk's result; undefined where it was ended by a mismatch. */
export function walked<T>(walk: () => T): T | undefined {
  try {
    return walk();
  } catch (error) {
    if (error instanceof Unexpected) return undefined;
    throw error;
  }
}

export class GraphWalk {
  readonly #steps: readonly OnnxNode[];
  readonly #tensors: OnnxGraph["tensors"];
  readonly #passedOver: ReadonlySet<string>;
  #at = 0;

  /** `passedOver` are operators between the steps that need no checking. */
  constructor(steps: readonly OnnxNode[], tensors: OnnxGraph["tensors"], passedOver: readonly string[]) {
    this.#steps = steps;
    this.#tensors = tensors;
    this.#passedOver = new Set(passedOver);
  }

  /** The next node, without taking it. */
  peek(): OnnxNode | undefined {
    while (this.#passedOver.has(this.#steps[this.#at]?.op ?? "")) this.#at++;
    return this.#steps[this.#at];
  }

  /** Takes the next node, which must have this operator, if one is given. */
  next(op?: string): OnnxNode {
    const node = expect(this.peek());
    expect(op === undefined || node.op === op);
    this.#at++;
    return node;
  }

  /** Whether a node of this kind is still to come. */
  has(op: string): boolean {
    return this.#steps.slice(this.#at).some((node) => node.op === op);
  }

  /** A weight or constant; there must be one of this name. */
  tensor(name: string | undefined): OnnxTensor {
    return expect(this.#tensors.get(name ?? ""));
  }

  /** Whether a value is a weight or a constant. */
  isTensor(name: string | undefined): boolean {
    return name !== undefined && this.#tensors.has(name);
  }

  /** Takes a product with a block-quantized matrix, and the addition of its bias. */
  matrix(): PlannedMatrix {
    const node = this.next("MatMulNBits");
    const [bits, rows, cols] = [node.numbers.get("bits"), node.numbers.get("N"), node.numbers.get("K")];
    const run = node.numbers.get("block_size");
    expect((run === 16 || run === blockSize) && (bits === 4 || bits === 8));
    const offsets = this.#offsets(node);
    const added = this.peek();
    const hasBias = added?.op === "Add" && added.inputs[0] === offsets.output;
    if (hasBias) this.#at++;
    return {
      bits: bits === 4 ? 4 : 8,
      run: run === 16 ? 16 : blockSize,
      rows: expect(rows),
      cols: expect(cols),
      data: this.tensor(node.inputs[1]),
      scales: this.tensor(node.inputs[2]),
      zeroPoints: node.inputs[3] === undefined ? undefined : this.tensor(node.inputs[3]),
      offsets: offsets.tensor,
      bias: hasBias ? this.tensor(added.inputs[1]) : undefined,
    };
  }

  /** Takes the product of the input's sums with a matrix's offsets, and the addition to the product of its integers. */
  #offsets(product: OnnxNode): { readonly tensor: OnnxTensor | undefined; readonly output: string | undefined } {
    const turned = this.peek();
    if (turned?.op !== "Transpose" || !this.isTensor(turned.inputs[0])) {
      return { tensor: undefined, output: product.outputs[0] };
    }
    this.next("Transpose");
    for (const op of ["Reshape", "ReduceSum"]) if (this.peek()?.op === op) this.next(op);
    const sums = this.next("MatMul");
    expect(sums.inputs[1] === turned.outputs[0]);
    const sum = this.next("Add");
    expect(sum.inputs[0] === product.outputs[0] && sum.inputs[1] === sums.outputs[0]);
    return { tensor: this.tensor(turned.inputs[0]), output: sum.outputs[0] };
  }

  /** Ends the walk where a node is left. */
  end(): void {
    expect(this.peek() === undefined);
  }
}

/** The value of an f32 constant inside the graph; ends the walk where it is none. */
export function floatOf({ data, type }: OnnxTensor): number {
  const inline = expect(data instanceof Uint8Array && type === 1 && data.byteLength === 4 && data);
  return new DataView(inline.buffer, inline.byteOffset, 4).getFloat32(0, true);
}
