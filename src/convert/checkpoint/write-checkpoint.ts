// Writes a checkpoint folder: tensors as safetensors, sharded with an index where they are large, beside small files.
// Holds a few megabytes at a time, whatever the tensors are computed from; knows no model.
import { badCheckpoint } from "./bad-checkpoint.ts";
import type { PackageFolder } from "./folders.ts";
import { bytesOf, elementsOf, requireFloat, type Checkpoint, type Tensor } from "./checkpoint.ts";
import { encodeFloats } from "#formats/float.ts";
import { encodeHeader } from "./safetensors.ts";

/** No file grows past this unless a single tensor is larger. */
const maxFileBytes = 4e9;
const chunkElements = 2 ** 21;

export interface WriteOptions {
  /** Name of the weights without extension; `model` by default. */
  readonly base?: string;
  readonly maxFileBytes?: number;
  /** Bytes of weights written, of all there will be. */
  readonly onProgress?: ((progress: { file: string; written: number; total: number }) => void) | undefined;
  /** Ends the writing between two chunks; its reason is thrown. */
  readonly signal?: AbortSignal | undefined;
}

/** Writes all float tensors of a checkpoint and the small files; ends the folder, whatever happens. Returns the files of weights. */
export async function writeCheckpoint(
  checkpoint: Checkpoint,
  smallFiles: ReadonlyMap<string, Uint8Array>,
  to: PackageFolder,
  options: WriteOptions = {},
): Promise<readonly { readonly file: string; readonly bytes: number }[]> {
  try {
    const files = await writeAll(checkpoint, smallFiles, to, options);
    await to.commit();
    return files;
  } catch (error) {
    await to.discard();
    throw error;
  }
}

async function writeAll(
  checkpoint: Checkpoint,
  smallFiles: ReadonlyMap<string, Uint8Array>,
  to: PackageFolder,
  options: WriteOptions,
) {
  // Buffers (positions, rotary frequencies) follow from the config; loaders recompute them.
  const tensors = [...checkpoint.tensors].filter(([name, tensor]) => !isBuffer(name, tensor));
  if (tensors.length === 0) throw badCheckpoint("there is no tensor to write");
  for (const [name, { dtype }] of tensors) requireFloat({ name, dtype });
  const shards = split(tensors, options.maxFileBytes ?? maxFileBytes);
  const total = tensors.reduce((sum, [, tensor]) => sum + bytesOf(tensor), 0);
  await to.reserve(total + 2 ** 20);

  const base = options.base ?? "model";
  const map: Record<string, string> = {};
  const files: { file: string; bytes: number }[] = [];
  let written = 0;
  for (const [i, shard] of shards.entries()) {
    const number = (n: number) => String(n).padStart(5, "0");
    const file = `${base}${shards.length === 1 ? "" : `-${number(i + 1)}-of-${number(shards.length)}`}.safetensors`;
    const header = encodeHeader(shard.map(([name, { dtype, shape }]) => ({ name, dtype, shape })));
    const writer = await to.create(file);
    await writer.write(header);
    for (const [name, tensor] of shard) {
      map[name] = file;
      for await (const bytes of chunks(tensor)) {
        options.signal?.throwIfAborted();
        await writer.write(bytes);
        written += bytes.length;
        options.onProgress?.({ file, written, total });
      }
    }
    await writer.close();
    files.push({ file, bytes: header.length + shard.reduce((sum, [, tensor]) => sum + bytesOf(tensor), 0) });
  }
  if (shards.length > 1) {
    const index = JSON.stringify({ metadata: { total_size: total }, weight_map: map }, null, 2);
    await writeWhole(to, `${base}.safetensors.index.json`, new TextEncoder().encode(`${index}\n`));
  }
  for (const [path, bytes] of smallFiles) await writeWhole(to, path, bytes);
  return files;
}

function isBuffer(name: string, { dtype }: Tensor): boolean {
  return (dtype === "I64" && name.endsWith("position_ids")) || name.endsWith("rotary_emb.inv_freq");
}

function split(tensors: readonly [string, Tensor][], limit: number): [string, Tensor][][] {
  const shards: [string, Tensor][][] = [];
  let bytes = Infinity;
  for (const named of tensors) {
    const size = bytesOf(named[1]);
    if (bytes + size > limit) {
      shards.push([]);
      bytes = 0;
    }
    shards.at(-1)?.push(named);
    bytes += size;
  }
  return shards;
}

/** A tensor's bytes in its own type, in runs of whole rows. */
async function* chunks(tensor: Tensor): AsyncGenerator<Uint8Array> {
  const dtype = requireFloat(tensor);
  const total = elementsOf(tensor.shape);
  const row = tensor.shape.length > 1 ? total / (tensor.shape[0] ?? 1) : 1;
  const step = Math.max(1, Math.floor(chunkElements / row)) * row;
  for (let start = 0; start < total; start += step) {
    yield encodeFloats(await tensor.read(start, Math.min(step, total - start)), dtype);
  }
}

async function writeWhole(to: PackageFolder, path: string, bytes: Uint8Array): Promise<void> {
  const writer = await to.create(path);
  await writer.write(bytes);
  await writer.close();
}
