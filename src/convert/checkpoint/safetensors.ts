// Reads the header of a safetensors file: the place of each tensor. Reads no weights.
import * as v from "valibot";
import { badCheckpoint } from "./bad-checkpoint.ts";
import type { ByteSource } from "#formats/byte-source.ts";
import { repeatedKey } from "#formats/json.ts";
import { parseJsonFile } from "./json-file.ts";
import { dtypeBytes, elementsOf, shapeText, type TensorEntry } from "./checkpoint.ts";

/** The format's limit. */
const maxHeaderBytes = 100_000_000;

const size = v.pipe(v.number(), v.integer(), v.minValue(0));
const Entry = v.object({ dtype: v.string(), shape: v.array(size), data_offsets: v.tuple([size, size]) });

/** The tensors of one safetensors file, with everything checked that can be without reading them. */
export async function readHeader(source: ByteSource, file: string): Promise<TensorEntry[]> {
  const { header, dataStart } = await readJsonHeader(source, file);
  const entries: TensorEntry[] = [];
  const ranges: { readonly name: string; readonly start: number; readonly end: number }[] = [];
  for (const [name, value] of Object.entries(header)) {
    if (name === "__metadata__") continue;
    const parsed = v.safeParse(Entry, value);
    if (!parsed.success) throw badCheckpoint(`${file}: tensor ${name} has a malformed header entry`);
    const { dtype, shape, data_offsets: range } = parsed.output;
    const bytes = range[1] - range[0];
    if (bytes < 0) throw badCheckpoint(`${file}: tensor ${name} ends before it begins`);
    if (dataStart + range[1] > source.bytes) {
      throw badCheckpoint(
        `${file} is truncated: tensor ${name} ends at byte ${dataStart + range[1]} of ${source.bytes}`,
      );
    }
    const needed = elementsOf(shape) * (dtypeBytes[dtype] ?? NaN);
    if (!Number.isNaN(needed) && needed !== bytes) {
      throw badCheckpoint(
        `${file}: tensor ${name} holds ${bytes} bytes; its shape ${shapeText(shape)} needs ${needed}`,
      );
    }
    entries.push({ name, dtype, shape, offset: dataStart + range[0] });
    if (bytes > 0) ranges.push({ name, start: range[0], end: range[1] });
  }
  ranges.sort((a, b) => a.start - b.start);
  for (const [i, { name, start }] of ranges.entries()) {
    const before = ranges[i - 1];
    if (before && before.end > start)
      throw badCheckpoint(`${file}: tensors ${before.name} and ${name} lie over one another`);
  }
  return entries;
}

async function readJsonHeader(source: ByteSource, file: string) {
  if (source.bytes === 0)
    throw badCheckpoint(`${file} is empty and so truncated: its download was interrupted; fetch it again`);
  if (source.bytes < 8) throw badCheckpoint(`${file} is truncated: ${source.bytes} bytes hold no header`);
  const lengthBytes = await source.read(0, 8);
  const headerBytes = Number(new DataView(lengthBytes.buffer, lengthBytes.byteOffset, 8).getBigUint64(0, true));
  if (headerBytes > maxHeaderBytes)
    throw badCheckpoint(`${file} is no safetensors file: it claims a header of ${headerBytes} bytes`);
  if (8 + headerBytes > source.bytes) throw badCheckpoint(`${file} is truncated: its header ends after the file does`);

  const text = new TextDecoder().decode(await source.read(8, headerBytes));
  const json = parseJsonFile(text, `${file}'s header`);
  const parsed = v.safeParse(v.record(v.string(), v.unknown()), json);
  if (!parsed.success || Array.isArray(json)) throw badCheckpoint(`${file}'s header is not a JSON object`);
  const twice = repeatedKey(text);
  if (twice !== undefined) throw badCheckpoint(`${file} names the tensor ${twice} twice`);
  return { header: parsed.output, dataStart: 8 + headerBytes };
}

/** The beginning of a safetensors file with these tensors, one after the other in this order. */
export function encodeHeader(
  tensors: readonly { readonly name: string; readonly dtype: string; readonly shape: readonly number[] }[],
): Uint8Array<ArrayBuffer> {
  const header: Record<string, unknown> = { __metadata__: { format: "pt" } };
  let end = 0;
  for (const { name, dtype, shape } of tensors) {
    const start = end;
    end += elementsOf(shape) * (dtypeBytes[dtype] ?? NaN);
    header[name] = { dtype, shape, data_offsets: [start, end] };
  }
  const text = new TextEncoder().encode(JSON.stringify(header));
  // Data begins at a multiple of 8, so that readers can look at it in place.
  const padded = Math.ceil(text.length / 8) * 8;
  const out = new Uint8Array(8 + padded).fill(0x20, 8);
  new DataView(out.buffer).setBigUint64(0, BigInt(padded), true);
  out.set(text, 8);
  return out;
}
