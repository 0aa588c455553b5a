// Runs of elements of a GGUF tensor as f32. Reads no files.
import { bf16ToF32, f16ToF32 } from "#formats/float.ts";
import { unpackedBlock, type BlockType, type GgufType } from "./block-types.ts";

/** Whether elements of this type can be read. */
export function isReadable({ name, blocks }: GgufType): boolean {
  return blocks !== undefined || name in floats;
}

const floats: Readonly<Record<string, (bytes: Uint8Array<ArrayBuffer>) => Float32Array<ArrayBuffer>>> = {
  F32: ({ buffer, byteOffset, byteLength }) => new Float32Array(buffer, byteOffset, byteLength / 4),
  F64: ({ buffer, byteOffset, byteLength }) => Float32Array.from(new Float64Array(buffer, byteOffset, byteLength / 8)),
  F16: ({ buffer, byteOffset, byteLength }) => f16ToF32(new Uint16Array(buffer, byteOffset, byteLength / 2)),
  BF16: ({ buffer, byteOffset, byteLength }) => bf16ToF32(new Uint16Array(buffer, byteOffset, byteLength / 2)),
};

/** The elements of whole blocks. `isReadable` must have said yes to the type. */
export function dequantizeGguf(type: GgufType, bytes: Uint8Array<ArrayBuffer>): Float32Array<ArrayBuffer> {
  if (type.blocks) return dequantizeBlocks(type.blocks, type, bytes);
  const read = floats[type.name];
  if (!read) throw new RangeError(`elements of the type ${type.name} are not read`);
  return read(bytes.byteOffset % type.bytes === 0 ? bytes : bytes.slice());
}

function dequantizeBlocks(kind: BlockType, type: GgufType, bytes: Uint8Array): Float32Array<ArrayBuffer> {
  const { zero, offsets: hasOffsets, run } = kind;
  const { elements } = type;
  const count = bytes.length / type.bytes;
  const out = new Float32Array(count * elements);
  const block = unpackedBlock();
  const { q, scales, offsets } = block;
  for (let b = 0, to = 0; b < count; b++) {
    kind.unpack(bytes, b * type.bytes, block);
    for (let start = 0; start < elements; start += run) {
      const scale = scales[start / run] ?? 0;
      const offset = hasOffsets ? (offsets[start / run] ?? 0) : 0;
      for (let i = start; i < start + run; i++) out[to++] = ((q[i] ?? 0) - zero) * scale + offset;
    }
  }
  return out;
}
