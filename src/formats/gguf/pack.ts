// Blocks of GGUF in the layout of ONNX Runtime's MatMulNBits, integer by integer: value = (q − middle) · scale + offset, where the middle is
// 8 at 4 bits and 128 at 8. Nothing is rounded but an offset, to f32.
import { unpackedBlock, type BlockType, type GgufType } from "./block-types.ts";

/** How small integers lie in a row. */
export interface BlockForm {
  readonly bits: 4 | 8;
  /** Elements that share a scale. */
  readonly run: 16 | 32;
  readonly offsets: boolean;
}

/** Whole blocks in a form. */
export interface PackedBlocks {
  /** At 4 bits the first of two neighbours in the low nibble. */
  readonly data: Uint8Array<ArrayBuffer>;
  /** One per run. */
  readonly scales: Float32Array<ArrayBuffer>;
  /** One per run, where the form has them. */
  readonly offsets?: Float32Array<ArrayBuffer>;
}

/** The smallest form that holds both exactly. */
export function joinedForm(a: BlockForm, b: BlockForm): BlockForm {
  return {
    bits: a.bits === 4 && b.bits === 4 ? 4 : 8,
    run: a.run === 32 && b.run === 32 ? 32 : 16,
    offsets: a.offsets || b.offsets,
  };
}

/** Runs of rows in one form, one after the other. */
export function joinPacked(parts: readonly PackedBlocks[]): PackedBlocks {
  const floats = (arrays: readonly Float32Array<ArrayBuffer>[]): Float32Array<ArrayBuffer> => {
    const out = new Float32Array(arrays.reduce((sum, { length }) => sum + length, 0));
    arrays.reduce((at, array) => (out.set(array, at), at + array.length), 0);
    return out;
  };
  const data = new Uint8Array(parts.reduce((sum, part) => sum + part.data.length, 0));
  parts.reduce((at, part) => (data.set(part.data, at), at + part.data.length), 0);
  const offsets = parts.flatMap((part) => part.offsets ?? []);
  const scales = floats(parts.map((part) => part.scales));
  return { data, scales, ...(offsets.length > 0 ? { offsets: floats(offsets) } : {}) };
}

/** The form that holds blocks of a type exactly. */
export function formOf({ bits, run, offsets }: BlockType): BlockForm {
  return { bits, run, offsets };
}

/** Whole blocks of a type in a form that holds them. */
export function packBlocks(
  kind: BlockType,
  { elements, bytes: blockBytes }: GgufType,
  bytes: Uint8Array,
  form: BlockForm,
): PackedBlocks {
  const count = bytes.length / blockBytes;
  const total = count * elements;
  const data = new Uint8Array((total * form.bits) / 8);
  const scales = new Float32Array(total / form.run);
  const offsets = form.offsets ? new Float32Array(total / form.run) : undefined;
  const block = unpackedBlock();
  const { q } = block;
  // Where a type counts from its least value, 4 bits are full and the difference goes into the offset.
  const shift = form.bits === 4 && kind.offsets ? 0 : (form.bits === 4 ? 8 : 128) - kind.zero;
  const left = form.bits === 4 && kind.offsets ? 8 - kind.zero : 0;
  for (let b = 0; b < count; b++) {
    kind.unpack(bytes, b * blockBytes, block);
    const first = b * elements;
    if (form.bits === 8) for (let i = 0; i < elements; i++) data[first + i] = (q[i] ?? 0) + shift;
    else
      for (let i = 0; i < elements; i += 2)
        data[(first + i) >> 1] = ((q[i] ?? 0) + shift) | (((q[i + 1] ?? 0) + shift) << 4);
    for (let at = 0; at < elements; at += form.run) {
      const run = Math.floor(at / kind.run);
      const scale = block.scales[run] ?? 0;
      scales[(first + at) / form.run] = scale;
      if (offsets) offsets[(first + at) / form.run] = (kind.offsets ? (block.offsets[run] ?? 0) : 0) + left * scale;
    }
  }
  return { data, scales, ...(offsets ? { offsets } : {}) };
}
