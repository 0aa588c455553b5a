// The protobuf bytes of an ONNX model: the few messages a converter writes, encoded by hand.
// Field numbers are those of onnx.proto3. Does not know what graphs compute.

const dtypes = { float32: 1, uint8: 2, int32: 6, int64: 7, bool: 9, float16: 10 } as const;
export type Dtype = keyof typeof dtypes;

/** Bytes of one element. */
export const dtypeBytes: Readonly<Record<Dtype, number>> = {
  float32: 4,
  uint8: 1,
  int32: 4,
  int64: 8,
  bool: 1,
  float16: 2,
};

export type Attribute =
  | { readonly int: number }
  | { readonly float: number }
  | { readonly string: string }
  | { readonly ints: readonly number[] };

export interface Node {
  readonly name: string;
  readonly op: string;
  /** "" is ONNX's own operator set. */
  readonly domain: string;
  /** "" leaves out an optional input. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, Attribute>>;
}

/** A constant of the graph: its bytes inside the graph, or where they are in an external file. */
export interface Initializer {
  readonly name: string;
  readonly dtype: Dtype;
  readonly dims: readonly number[];
  readonly data: Uint8Array | { readonly location: string; readonly offset: number; readonly bytes: number };
}

/** An input or output; a dimension is a number or the name of a free one. */
export interface ValueInfo {
  readonly name: string;
  readonly dtype: Dtype;
  readonly dims: readonly (number | string)[];
}

interface Graph {
  readonly name: string;
  readonly nodes: readonly Node[];
  readonly initializers: readonly Initializer[];
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
}

export interface Model {
  readonly irVersion: number;
  readonly producer: string;
  readonly opsets: readonly { readonly domain: string; readonly version: number }[];
  readonly graph: Graph;
}

const encoder = new TextEncoder();

/** One protobuf message; fields are appended in the order they are written. */
export class ProtoWriter {
  readonly #parts: Uint8Array[] = [];
  #length = 0;

  varint(field: number, value: number | bigint): this {
    return this.#push(varint(field * 8)).#push(varint(value));
  }

  float(field: number, value: number): this {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setFloat32(0, value, true);
    return this.#push(varint(field * 8 + 5)).#push(bytes);
  }

  bytes(field: number, value: Uint8Array): this {
    return this.#push(varint(field * 8 + 2))
      .#push(varint(value.length))
      .#push(value);
  }

  string(field: number, value: string): this {
    return this.bytes(field, encoder.encode(value));
  }

  message(field: number, value: ProtoWriter): this {
    return this.bytes(field, value.finish());
  }

  finish(): Uint8Array<ArrayBuffer> {
    const out = new Uint8Array(this.#length);
    let offset = 0;
    for (const part of this.#parts) {
      out.set(part, offset);
      offset += part.length;
    }
    return out;
  }

  #push(part: Uint8Array): this {
    this.#parts.push(part);
    this.#length += part.length;
    return this;
  }
}

/** Base-128 little-endian groups; negative numbers take ten bytes, as two's complement of 64 bits. */
export function varint(value: number | bigint): Uint8Array {
  let rest = BigInt.asUintN(64, BigInt(value));
  const out: number[] = [];
  while (rest > 0x7fn) {
    out.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  out.push(Number(rest));
  return Uint8Array.from(out);
}

/** The bytes of an .onnx file. */
export function encodeModel(model: Model): Uint8Array<ArrayBuffer> {
  const out = new ProtoWriter()
    .varint(1, model.irVersion)
    .string(2, model.producer)
    .message(7, graphProto(model.graph));
  for (const { domain, version } of model.opsets) {
    out.message(8, new ProtoWriter().string(1, domain).varint(2, version));
  }
  return out.finish();
}

function graphProto(graph: Graph): ProtoWriter {
  const out = new ProtoWriter();
  for (const node of graph.nodes) out.message(1, nodeProto(node));
  out.string(2, graph.name);
  for (const tensor of graph.initializers) out.message(5, tensorProto(tensor));
  for (const value of graph.inputs) out.message(11, valueInfoProto(value));
  for (const value of graph.outputs) out.message(12, valueInfoProto(value));
  return out;
}

function nodeProto(node: Node): ProtoWriter {
  const out = new ProtoWriter();
  for (const input of node.inputs) out.string(1, input);
  for (const output of node.outputs) out.string(2, output);
  out.string(3, node.name).string(4, node.op);
  for (const [name, value] of Object.entries(node.attributes)) out.message(5, attributeProto(name, value));
  return out.string(7, node.domain);
}

function attributeProto(name: string, value: Attribute): ProtoWriter {
  const out = new ProtoWriter().string(1, name);
  if ("float" in value) return out.float(2, value.float).varint(20, 1);
  if ("int" in value) return out.varint(3, value.int).varint(20, 2);
  if ("string" in value) return out.string(4, value.string).varint(20, 3);
  for (const int of value.ints) out.varint(8, int);
  return out.varint(20, 7);
}

function tensorProto(tensor: Initializer): ProtoWriter {
  const out = new ProtoWriter();
  for (const dim of tensor.dims) out.varint(1, dim);
  out.varint(2, dtypes[tensor.dtype]).string(8, tensor.name);
  if (tensor.data instanceof Uint8Array) return out.bytes(9, tensor.data);
  const { location, offset, bytes } = tensor.data;
  const entries = { location, offset: `${offset}`, length: `${bytes}` };
  for (const [key, value] of Object.entries(entries)) {
    out.message(13, new ProtoWriter().string(1, key).string(2, value));
  }
  return out.varint(14, 1);
}

function valueInfoProto(value: ValueInfo): ProtoWriter {
  const shape = new ProtoWriter();
  for (const dim of value.dims) {
    const dimension = new ProtoWriter();
    shape.message(1, typeof dim === "number" ? dimension.varint(1, dim) : dimension.string(2, dim));
  }
  const tensorType = new ProtoWriter().varint(1, dtypes[value.dtype]).message(2, shape);
  return new ProtoWriter().string(1, value.name).message(2, new ProtoWriter().message(1, tensorType));
}
