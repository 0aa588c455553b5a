// Reads an ONNX file: its nodes and the places of its weights. Field numbers are those of onnx.proto3.
// Knows only the message fields that graphs of model packages use, and skips all others.
import { EngineError } from "#engine/errors.ts";

export interface OnnxNode {
  readonly op: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Whole numbers and floats by name. */
  readonly numbers: ReadonlyMap<string, number>;
  /** Lists of whole numbers by name. */
  readonly lists: ReadonlyMap<string, readonly number[]>;
}

export interface OnnxTensor {
  readonly dims: readonly number[];
  /** ONNX's number of the element type: 1 is float32, 2 is uint8. */
  readonly type: number;
  /** The bytes themselves, or where they are in an external file. */
  readonly data: Uint8Array<ArrayBuffer> | { readonly file: string; readonly offset: number; readonly bytes: number };
}

export interface OnnxGraph {
  readonly nodes: readonly OnnxNode[];
  readonly tensors: ReadonlyMap<string, OnnxTensor>;
}

/** Reads a model's graph; throws "bad-package" for bytes that are no protobuf message. */
export function readOnnx(bytes: Uint8Array<ArrayBuffer>): OnnxGraph {
  const nodes: OnnxNode[] = [];
  const tensors = new Map<string, OnnxTensor>();
  for (const model of fields(bytes)) {
    if (model.number !== 7) continue;
    for (const { number, bytes: value } of fields(model.bytes)) {
      if (number === 1) nodes.push(readNode(value));
      if (number === 5) {
        const { name, ...tensor } = readTensor(value);
        tensors.set(name, tensor);
      }
    }
  }
  return { nodes, tensors };
}

interface Field {
  readonly number: number;
  /** Of a length-delimited field; else empty. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Of a varint or a float. */
  readonly value: number;
}

const nothing = new Uint8Array(0);
const text = new TextDecoder();

function* fields(bytes: Uint8Array<ArrayBuffer>): Generator<Field> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  const take = (count: number): number => {
    const from = at;
    at += count;
    if (at > bytes.length) throw new EngineError("bad-package", "an ONNX file ends in the middle of a field");
    return from;
  };
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = view.getUint8(take(1));
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return BigInt.asIntN(64, value);
    }
  };
  while (at < bytes.length) {
    const tag = Number(varint());
    const number = tag >> 3;
    const kind = tag & 7;
    if (kind === 0) yield { number, bytes: nothing, value: Number(varint()) };
    else if (kind === 1) yield { number, bytes: nothing, value: view.getFloat64(take(8), true) };
    else if (kind === 5) yield { number, bytes: nothing, value: view.getFloat32(take(4), true) };
    else if (kind === 2) {
      const length = Number(varint());
      const from = take(length);
      yield { number, bytes: bytes.subarray(from, from + length), value: 0 };
    } else throw new EngineError("bad-package", "an ONNX file holds bytes that are no protobuf");
  }
}

function readNode(bytes: Uint8Array<ArrayBuffer>): OnnxNode {
  const inputs: string[] = [];
  const outputs: string[] = [];
  const numbers = new Map<string, number>();
  const lists = new Map<string, number[]>();
  let op = "";
  for (const field of fields(bytes)) {
    if (field.number === 1) inputs.push(text.decode(field.bytes));
    if (field.number === 2) outputs.push(text.decode(field.bytes));
    if (field.number === 4) op = text.decode(field.bytes);
    if (field.number === 5) {
      let name = "";
      let value: number | undefined;
      const list: number[] = [];
      for (const part of fields(field.bytes)) {
        if (part.number === 1) name = text.decode(part.bytes);
        if (part.number === 2 || part.number === 3) value = part.value;
        if (part.number === 8) list.push(...(part.bytes.length > 0 ? fieldVarints(part.bytes) : [part.value]));
      }
      if (value !== undefined) numbers.set(name, value);
      if (list.length > 0) lists.set(name, list);
    }
  }
  return { op, inputs, outputs, numbers, lists };
}

function readTensor(bytes: Uint8Array<ArrayBuffer>): OnnxTensor & { readonly name: string } {
  const dims: number[] = [];
  const where = new Map<string, string>();
  let raw: Uint8Array<ArrayBuffer> = nothing;
  let [name, type] = ["", 0];
  for (const field of fields(bytes)) {
    if (field.number === 1) dims.push(...(field.bytes.length > 0 ? [...fieldVarints(field.bytes)] : [field.value]));
    if (field.number === 2) type = field.value;
    if (field.number === 8) name = text.decode(field.bytes);
    if (field.number === 9) raw = field.bytes;
    if (field.number === 13) {
      const pair = [...fields(field.bytes)].map((part) => text.decode(part.bytes));
      where.set(pair[0] ?? "", pair[1] ?? "");
    }
  }
  const file = where.get("location");
  const data =
    file === undefined
      ? raw.slice()
      : { file, offset: Number(where.get("offset") ?? 0), bytes: Number(where.get("length") ?? 0) };
  return { name, dims, type, data };
}

/** Packed whole numbers. */
function* fieldVarints(bytes: Uint8Array): Generator<number> {
  let [value, shift] = [0, 0];
  for (const byte of bytes) {
    value += (byte & 127) * 2 ** shift;
    shift += 7;
    if (byte < 128) {
      yield value;
      [value, shift] = [0, 0];
    }
  }
}
