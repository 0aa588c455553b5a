// Expands a package's quantized files into the f32 external data of its expanded graph, following the package's recipe.
// Reads tensor by tensor; only the target files are in memory as a whole. Knows no runtime.
import * as v from "valibot";
import { EngineError } from "#engine/errors.ts";
import type { ByteRange, Expansion, ExpansionTensor } from "#engine/package.ts";
import type { ExternalData } from "#engine/runtime/runtime.ts";
import type { PackageFiles } from "#engine/types.ts";

const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const range = v.object({ path: v.string(), offset: count, bytes: count });
const ExpansionSchema: v.GenericSchema<Expansion> = v.object({
  version: v.literal(1),
  files: v.array(
    v.object({
      path: v.string(),
      bytes: count,
      tensors: v.array(
        v.variant("kind", [
          v.object({ kind: v.literal("copy"), offset: count, from: range }),
          v.object({
            kind: v.literal("quantized"),
            offset: count,
            bits: v.picklist([4, 8]),
            block: v.pipe(v.number(), v.integer(), v.minValue(2)),
            rows: count,
            cols: count,
            transpose: v.boolean(),
            data: range,
            scales: range,
            zeroPoints: v.optional(range),
            offsets: v.optional(range),
          }),
        ]),
      ),
    }),
  ),
});

/** Checks the recipe's JSON; throws "bad-package". */
export function parseExpansion(json: unknown, path: string): Expansion {
  const result = v.safeParse(ExpansionSchema, json);
  if (result.success) return result.output;
  const issue = result.issues[0];
  throw new EngineError("bad-package", `${path}: ${v.getDotPath(issue) ?? "the whole"}: ${issue.message}`);
}

/** The external data of the expanded graph, in main memory. */
export async function expand(recipe: Expansion, files: PackageFiles): Promise<ExternalData[]> {
  const read = async (from: ByteRange): Promise<Uint8Array<ArrayBuffer>> => {
    const blob = await files.blob(from.path);
    if (from.offset + from.bytes > blob.size) throw new EngineError("bad-package", `${from.path} is too short`);
    return new Uint8Array(await blob.slice(from.offset, from.offset + from.bytes).arrayBuffer());
  };
  const out: ExternalData[] = [];
  for (const file of recipe.files) {
    const data = new Uint8Array(file.bytes);
    for (const tensor of file.tensors) await fill(data, tensor, read);
    out.push({ path: file.path, data });
  }
  return out;
}

async function fill(
  target: Uint8Array<ArrayBuffer>,
  tensor: ExpansionTensor,
  read: (from: ByteRange) => Promise<Uint8Array<ArrayBuffer>>,
): Promise<void> {
  if (tensor.kind === "copy") {
    target.set(await read(tensor.from), tensor.offset);
    return;
  }
  const { rows, cols, offset } = tensor;
  if (offset % 4 !== 0 || offset + rows * cols * 4 > target.length) {
    throw new EngineError("bad-package", "the expansion recipe writes outside its file");
  }
  const scaleBytes = await read(tensor.scales);
  const offsetBytes = tensor.offsets ? await read(tensor.offsets) : undefined;
  dequantize(
    {
      ...tensor,
      data: await read(tensor.data),
      scales: new Float32Array(scaleBytes.buffer, 0, scaleBytes.length / 4),
      zeroPoints: tensor.zeroPoints ? await read(tensor.zeroPoints) : undefined,
      offsets: offsetBytes && new Float32Array(offsetBytes.buffer, 0, offsetBytes.length / 4),
    },
    new Float32Array(target.buffer, offset, rows * cols),
  );
}

/** A block-wise quantized matrix, laid out as in ExpansionTensor. */
export interface QuantizedMatrix {
  readonly bits: 4 | 8;
  readonly block: number;
  readonly rows: number;
  readonly cols: number;
  readonly transpose: boolean;
  readonly data: Uint8Array;
  readonly scales: Float32Array;
  /** Packed like `data`, each row of blocks starting at a byte. */
  readonly zeroPoints?: Uint8Array | undefined;
  /** Added to every value of a block. */
  readonly offsets?: Float32Array | undefined;
}

/** Writes the f32 values, [rows, cols] or transposed [cols, rows]. */
export function dequantize(matrix: QuantizedMatrix, out: Float32Array): void {
  const { bits, block, rows, cols, transpose, data, scales, zeroPoints, offsets } = matrix;
  const blocks = Math.ceil(cols / block);
  const blockBytes = (block * bits) / 8;
  const zeroRowBytes = Math.ceil((blocks * bits) / 8);
  if (
    data.length < rows * blocks * blockBytes ||
    scales.length < rows * blocks ||
    (offsets && offsets.length < rows * blocks)
  ) {
    throw new EngineError("bad-package", "a quantized tensor is shorter than its shape");
  }
  // A transposed matrix is written in strips of 16 rows, so that a column of a strip fills one cache line.
  const strip = transpose ? 16 : 1;
  const step = transpose ? rows : 1;
  for (let first = 0; first < rows; first += strip) {
    const last = Math.min(rows, first + strip);
    for (let b = 0; b < blocks; b++) {
      const end = Math.min(block, cols - b * block);
      for (let row = first; row < last; row++) {
        const at = row * blocks + b;
        const scale = Number(scales[at]);
        const added = offsets ? Number(offsets[at]) : 0;
        const zero = zeroPoints ? unpack(zeroPoints, row * zeroRowBytes, b, bits) : bits === 4 ? 8 : 128;
        let from = at * blockBytes;
        let to = transpose ? b * block * rows + row : row * cols + b * block;
        if (bits === 8) {
          for (let i = 0; i < end; i++) {
            out[to] = (Number(data[from++]) - zero) * scale + added;
            to += step;
          }
          continue;
        }
        for (let i = 0; i + 1 < end; i += 2) {
          const byte = Number(data[from++]);
          out[to] = ((byte & 15) - zero) * scale + added;
          out[to + step] = ((byte >> 4) - zero) * scale + added;
          to += 2 * step;
        }
        if (end % 2 === 1) out[to] = ((Number(data[from]) & 15) - zero) * scale + added;
      }
    }
  }
}

function unpack(packed: Uint8Array, start: number, index: number, bits: 4 | 8): number {
  if (bits === 8) return packed[start + index] ?? 0;
  const byte = packed[start + (index >> 1)] ?? 0;
  return (index & 1) === 0 ? byte & 15 : byte >> 4;
}
