// Lazy reader of safetensors checkpoints, one file or sharded with an index: headers first, tensors in rows when asked.
// Knows no model: which tensors there should be is the caller's business.
import * as v from "valibot";
import { EngineError } from "#engine/errors.ts";
import { readText, type ByteSource, type CheckpointFolder } from "./byte-source.ts";
import { bf16ToF32, f16ToF32 } from "./float.ts";

export const singleFileName = "model.safetensors";
export const indexFileName = "model.safetensors.index.json";

/** The largest header we believe; the format's own limit. */
const maxHeaderBytes = 100_000_000;
const elementBytes = { F32: 4, F16: 2, BF16: 2 } as const;
type FloatDtype = keyof typeof elementBytes;

const size = v.pipe(v.number(), v.integer(), v.minValue(0));
const Entry = v.object({ dtype: v.string(), shape: v.array(size), data_offsets: v.tuple([size, size]) });
const Index = v.object({ weight_map: v.record(v.string(), v.string()) });

/** One tensor of a checkpoint, not read yet. */
export interface TensorEntry {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  /** Where its bytes begin in its file. */
  readonly offset: number;
  readonly bytes: number;
}

/** Tensors by name over all files of a checkpoint. */
export class Checkpoint {
  readonly tensors: ReadonlyMap<string, { readonly entry: TensorEntry; readonly source: ByteSource }>;
  constructor(tensors: ReadonlyMap<string, { readonly entry: TensorEntry; readonly source: ByteSource }>) {
    this.tensors = tensors;
  }

  has(name: string): boolean {
    return this.tensors.has(name);
  }

  /** The tensor, checked to be a float tensor of exactly this shape. */
  tensor(name: string, shape: readonly number[]): CheckpointTensor {
    const found = this.tensors.get(name);
    if (!found) throw bad(`the checkpoint has no tensor ${name}`);
    const { entry, source } = found;
    if (entry.shape.length !== shape.length || entry.shape.some((n, i) => n !== shape[i])) {
      throw bad(`tensor ${name} has shape [${entry.shape.join(", ")}]; config.json asks for [${shape.join(", ")}]`);
    }
    const dtype = floatDtype(entry.dtype);
    if (!dtype) throw bad(`tensor ${name} is ${entry.dtype}; only F32, F16 and BF16 can be converted`);
    return new CheckpointTensor(entry, dtype, source);
  }
}

/** A float tensor that reads itself in runs of elements. */
export class CheckpointTensor {
  readonly entry: TensorEntry;
  readonly #dtype: FloatDtype;
  readonly #source: ByteSource;
  constructor(entry: TensorEntry, dtype: FloatDtype, source: ByteSource) {
    this.entry = entry;
    this.#dtype = dtype;
    this.#source = source;
  }

  /** `count` elements from element `start`, as f32; throws on NaN and infinity, which no healthy checkpoint holds. */
  async read(start: number, count: number): Promise<Float32Array<ArrayBuffer>> {
    const width = elementBytes[this.#dtype];
    const bytes = await this.#source.read(this.entry.offset + start * width, count * width);
    const aligned = bytes.byteOffset % width === 0 ? bytes : bytes.slice();
    const { buffer, byteOffset } = aligned;
    const values =
      this.#dtype === "F32"
        ? new Float32Array(buffer, byteOffset, count)
        : this.#dtype === "F16"
          ? f16ToF32(new Uint16Array(buffer, byteOffset, count))
          : bf16ToF32(new Uint16Array(buffer, byteOffset, count));
    for (let i = 0; i < count; i++) {
      const value = values[i] ?? NaN;
      if (!Number.isFinite(value)) throw bad(`tensor ${this.entry.name} holds ${value}: the checkpoint is damaged`);
    }
    return values;
  }
}

/** Opens `model.safetensors`, or the shards named by `model.safetensors.index.json`. */
export async function openCheckpoint(folder: CheckpointFolder): Promise<Checkpoint> {
  const single = await folder.open(singleFileName);
  if (single) return new Checkpoint(await readFiles(new Map([[singleFileName, single]])));

  const indexText = await readText(folder, indexFileName);
  if (indexText === undefined) {
    throw bad(`the checkpoint folder has neither ${singleFileName} nor ${indexFileName}`);
  }
  const index = v.safeParse(Index, parseJson(indexText, indexFileName));
  if (!index.success) throw bad(`${indexFileName} has no usable weight_map`);
  const sources = new Map<string, ByteSource>();
  for (const file of new Set(Object.values(index.output.weight_map))) {
    if (file.includes("/") || file.includes("\\"))
      throw bad(`${indexFileName} names a file outside the folder: ${file}`);
    const source = await folder.open(file);
    if (!source) throw bad(`${file} is missing; ${indexFileName} needs it`);
    sources.set(file, source);
  }
  const tensors = await readFiles(sources);
  for (const [name, file] of Object.entries(index.output.weight_map)) {
    if (!tensors.has(name)) throw bad(`${file} lacks the tensor ${name} that ${indexFileName} promises`);
  }
  return new Checkpoint(tensors);
}

async function readFiles(sources: ReadonlyMap<string, ByteSource>) {
  const tensors = new Map<string, { entry: TensorEntry; source: ByteSource }>();
  for (const [file, source] of sources) {
    for (const entry of await readHeader(source, file)) tensors.set(entry.name, { entry, source });
  }
  return tensors;
}

/** The tensors of one safetensors file, with everything checked that can be without reading them. */
export async function readHeader(source: ByteSource, file: string): Promise<TensorEntry[]> {
  if (source.bytes < 8) throw bad(`${file} is truncated: ${source.bytes} bytes hold no header`);
  const lengthBytes = await source.read(0, 8);
  const headerBytes = Number(new DataView(lengthBytes.buffer, lengthBytes.byteOffset, 8).getBigUint64(0, true));
  if (headerBytes > maxHeaderBytes)
    throw bad(`${file} is no safetensors file: it claims a header of ${headerBytes} bytes`);
  if (8 + headerBytes > source.bytes) throw bad(`${file} is truncated: its header ends after the file does`);

  const header = parseJson(new TextDecoder().decode(await source.read(8, headerBytes)), `${file}'s header`);
  if (typeof header !== "object" || header === null || Array.isArray(header)) {
    throw bad(`${file}'s header is not a JSON object`);
  }
  const dataStart = 8 + headerBytes;
  const entries: TensorEntry[] = [];
  for (const [name, value] of Object.entries(header)) {
    if (name === "__metadata__") continue;
    const parsed = v.safeParse(Entry, value);
    if (!parsed.success) throw bad(`${file}: tensor ${name} has a malformed header entry`);
    const { dtype, shape, data_offsets: range } = parsed.output;
    const bytes = range[1] - range[0];
    if (bytes < 0) throw bad(`${file}: tensor ${name} ends before it begins`);
    if (dataStart + range[1] > source.bytes) {
      throw bad(`${file} is truncated: tensor ${name} ends at byte ${dataStart + range[1]} of ${source.bytes}`);
    }
    const width = floatDtype(dtype) && elementBytes[floatDtype(dtype) ?? "F32"];
    const count = shape.reduce((product, n) => product * n, 1);
    if (width !== undefined && count * width !== bytes) {
      throw bad(`${file}: tensor ${name} holds ${bytes} bytes; its shape [${shape.join(", ")}] needs ${count * width}`);
    }
    entries.push({ name, dtype, shape, offset: dataStart + range[0], bytes });
  }
  return entries;
}

function floatDtype(dtype: string): FloatDtype | undefined {
  return dtype === "F32" || dtype === "F16" || dtype === "BF16" ? dtype : undefined;
}

function parseJson(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new EngineError("bad-checkpoint", `${what} is not JSON`, { cause: error });
  }
}

function bad(message: string): EngineError {
  return new EngineError("bad-checkpoint", message);
}
