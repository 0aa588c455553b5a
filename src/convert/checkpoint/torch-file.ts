// The places of tensors in a file written by torch.save: a zip with a pickle that describes them, and an entry per storage.
// Knows the format since PyTorch 1.6; reads no weights.
import type { EngineError } from "#engine/errors.ts";
import { badCheckpoint } from "./bad-checkpoint.ts";
import type { ByteSource } from "#formats/byte-source.ts";
import { dtypeBytes, elementsOf, type TensorEntry } from "./checkpoint.ts";
import { readPickle } from "./pickle.ts";
import { PickledTensor, type Pickled } from "./pickle-values.ts";
import { crc32 } from "#formats/crc.ts";
import { isZip } from "#formats/zip-directory.ts";
import { readTorchZip, type StoredEntry } from "./torch-zip.ts";

/** The largest pickle that is read: descriptions of tensors take about 200 bytes each. */
const maxPickleBytes = 64 * 2 ** 20;
/** Keys under which training frameworks nest the model's tensors, beside other things. */
const wrappers = ["state_dict", "model", "module"];

/** The named tensors of a file, checked as far as possible without reading their elements. */
export async function readTorchFile(source: ByteSource, file: string): Promise<TensorEntry[]> {
  if (!(await isZip(source))) throw await notZip(source, file);
  const entries = await readTorchZip(source, file);
  const pickleName = [...entries.keys()].find((name) => name === "data.pkl" || name.endsWith("/data.pkl"));
  const pickleEntry = pickleName === undefined ? undefined : entries.get(pickleName);
  if (pickleName === undefined || pickleEntry === undefined) {
    throw badCheckpoint(`${file} is a zip without data.pkl: it was not written by torch.save`);
  }
  if (pickleEntry.bytes > maxPickleBytes)
    throw badCheckpoint(`${file}: its data.pkl of ${pickleEntry.bytes} bytes is too large`);
  const root = pickleName.slice(0, -"data.pkl".length);
  await checkByteOrder(source, entries.get(`${root}byteorder`), file);

  const pickle = await source.read(pickleEntry.offset, pickleEntry.bytes);
  if (crc32(pickle) !== pickleEntry.crc32)
    throw badCheckpoint(`${file} is damaged: its data.pkl does not match its checksum`);
  const out: TensorEntry[] = [];
  for (const [name, value] of namedTensors(readPickle(pickle, file), file)) {
    const entry = entries.get(`${root}data/${value.storage.key}`);
    if (!entry) throw badCheckpoint(`${file} lacks the storage ${value.storage.key} of tensor ${name}`);
    out.push(placeTensor(name, value, entry, file));
  }
  return out;
}

function namedTensors(value: Pickled, file: string): [string, PickledTensor][] {
  if (!(value instanceof Map)) throw badCheckpoint(`${file} holds no dict of named tensors`);
  const tensors = [...value].flatMap(([name, item]): [string, PickledTensor][] =>
    typeof name === "string" && item instanceof PickledTensor ? [[name, item]] : [],
  );
  if (tensors.length > 0) return tensors;
  const inner = wrappers.map((key) => value.get(key)).find((item) => item instanceof Map);
  if (inner instanceof Map && inner !== value) {
    return [...inner].flatMap(([name, item]): [string, PickledTensor][] =>
      typeof name === "string" && item instanceof PickledTensor ? [[name, item]] : [],
    );
  }
  if (value.size === 0) return [];
  throw badCheckpoint(`${file} holds no dict of named tensors`);
}

function placeTensor(name: string, tensor: PickledTensor, entry: StoredEntry, file: string): TensorEntry {
  const { storage, offset, shape, strides } = tensor;
  const width = dtypeBytes[storage.dtype] ?? 0;
  // The last element that the view reaches, not counting along dimensions of no elements.
  const last = shape.reduce((sum, n, d) => sum + Math.max(0, n - 1) * (strides[d] ?? 0), offset);
  const reached = elementsOf(shape) === 0 ? 0 : last + 1;
  if (reached > storage.elements || storage.elements * width > entry.bytes) {
    throw badCheckpoint(`${file}: tensor ${name} reaches beyond its storage of ${entry.bytes} bytes`);
  }
  const place = { name, dtype: storage.dtype, shape, offset: entry.offset + offset * width };
  return isContiguous(shape, strides) ? place : { ...place, strides };
}

function isContiguous(shape: readonly number[], strides: readonly number[]): boolean {
  let expected = 1;
  for (let d = shape.length - 1; d >= 0; d--) {
    const n = shape[d] ?? 1;
    if (n !== 1 && strides[d] !== expected) return elementsOf(shape) === 0;
    expected *= n;
  }
  return true;
}

async function checkByteOrder(source: ByteSource, entry: StoredEntry | undefined, file: string): Promise<void> {
  if (!entry || entry.bytes > 16) return;
  const order = new TextDecoder().decode(await source.read(entry.offset, entry.bytes));
  if (order !== "little")
    throw badCheckpoint(`${file} was saved in ${order}-endian byte order; save it again on a usual machine`);
}

async function notZip(source: ByteSource, file: string): Promise<EngineError> {
  const head = source.bytes >= 16 ? await source.read(0, 16) : new Uint8Array();
  // Before PyTorch 1.6 a file began with a pickled magic number.
  const legacy = [0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9];
  if (legacy.every((byte, i) => head[i + 2] === byte)) {
    return badCheckpoint(
      `${file} is in the format from before PyTorch 1.6; load it in PyTorch and save it again with torch.save`,
    );
  }
  return badCheckpoint(`${file} is no file of torch.save, or its beginning is damaged`);
}
