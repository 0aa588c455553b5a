// Writes GGUF (version 3), the file format of llama.cpp: key-value pairs, then tensors. Knows no model.

export type GgufValue =
  | { readonly type: "u32" | "i32" | "f32"; readonly value: number }
  | { readonly type: "bool"; readonly value: boolean }
  | { readonly type: "string"; readonly value: string }
  | { readonly type: "strings"; readonly value: readonly string[] }
  | { readonly type: "i32s" | "f32s"; readonly value: readonly number[] };

/** llama.cpp's numbers of tensor types. */
const tensorTypes = { f32: 0, f16: 1, q4_0: 2, q4_1: 3, q8_0: 8 } as const;

export interface GgufTensor {
  readonly name: string;
  readonly type: keyof typeof tensorTypes;
  /** Row-major, the longest-striding dimension first, as PyTorch has them. */
  readonly dims: readonly number[];
  readonly data: Uint8Array<ArrayBuffer>;
}

const alignment = 32;
const valueTypes = { u32: 4, i32: 5, f32: 6, bool: 7, string: 8, array: 9 } as const;

/** The whole file. */
export function encodeGguf(pairs: ReadonlyMap<string, GgufValue>, tensors: readonly GgufTensor[]): Blob {
  const head = new Bytes();
  head.raw(new TextEncoder().encode("GGUF")).u32(3).u64(tensors.length).u64(pairs.size);
  for (const [name, pair] of pairs) {
    head.string(name);
    writeValue(head, pair);
  }
  let offset = 0;
  for (const { name, type, dims, data } of tensors) {
    head.string(name).u32(dims.length);
    for (const size of dims.toReversed()) head.u64(size);
    head.u32(tensorTypes[type]).u64(offset);
    offset += padded(data.length);
  }
  head.raw(new Uint8Array(padded(head.length) - head.length));
  const body = tensors.flatMap(({ data }) => [data, new Uint8Array(padded(data.length) - data.length)]);
  return new Blob([head.joined(), ...body]);
}

function writeValue(out: Bytes, { type, value }: GgufValue): void {
  if (type === "string") out.u32(valueTypes.string).string(value);
  else if (type === "bool") out.u32(valueTypes.bool).raw(Uint8Array.of(value ? 1 : 0));
  else if (type === "strings") {
    out.u32(valueTypes.array).u32(valueTypes.string).u64(value.length);
    for (const one of value) out.string(one);
  } else if (type === "i32s" || type === "f32s") {
    out
      .u32(valueTypes.array)
      .u32(type === "i32s" ? valueTypes.i32 : valueTypes.f32)
      .u64(value.length);
    const array = type === "i32s" ? Int32Array.from(value) : Float32Array.from(value);
    out.raw(new Uint8Array(array.buffer));
  } else if (typeof value === "number") {
    const array =
      type === "f32" ? Float32Array.of(value) : type === "u32" ? Uint32Array.of(value) : Int32Array.of(value);
    out.u32(valueTypes[type]).raw(new Uint8Array(array.buffer));
  }
}

function padded(bytes: number): number {
  return Math.ceil(bytes / alignment) * alignment;
}

/** Little-endian bytes, one after another. */
class Bytes {
  readonly #parts: Uint8Array<ArrayBuffer>[] = [];
  length = 0;
  raw(bytes: Uint8Array<ArrayBuffer>): this {
    this.#parts.push(bytes);
    this.length += bytes.length;
    return this;
  }
  u32(value: number): this {
    return this.raw(new Uint8Array(Uint32Array.of(value).buffer));
  }
  u64(value: number): this {
    return this.raw(new Uint8Array(BigUint64Array.of(BigInt(value)).buffer));
  }
  string(value: string): this {
    const bytes = new TextEncoder().encode(value);
    return this.u64(bytes.length).raw(bytes);
  }
  joined(): Uint8Array<ArrayBuffer> {
    const out = new Uint8Array(this.length);
    let at = 0;
    for (const part of this.#parts) {
      out.set(part, at);
      at += part.length;
    }
    return out;
  }
}
