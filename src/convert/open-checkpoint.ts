// Opens the weights of a checkpoint folder: safetensors or PyTorch files, in one piece or in shards with an index.
// Only headers are read; tensors come in runs when asked. Which tensors there should be is the caller's business.
import * as v from "valibot";
import { EngineError } from "#engine/errors.ts";
import { readText, type ByteSource, type CheckpointFolder } from "./byte-source.ts";
import { Checkpoint, storedTensor, type Tensor, type TensorEntry } from "./checkpoint.ts";
import { readHeader } from "./safetensors.ts";
import { readTorchFile } from "./torch-file.ts";

/** What the weights of a whole model are called, in the order they are looked for. */
const modelFiles = [
  "model.safetensors",
  "model.safetensors.index.json",
  "pytorch_model.bin",
  "pytorch_model.bin.index.json",
] as const;

const Index = v.object({ weight_map: v.record(v.string(), v.string()) });

/** The model's weights; `undefined` when the folder holds none of the files they may lie in. */
export async function findCheckpoint(folder: CheckpointFolder): Promise<Checkpoint | undefined> {
  for (const name of modelFiles) {
    const source = await folder.open(name);
    if (!source) continue;
    return new Checkpoint(name.endsWith(".json") ? await readShards(folder, name) : await readTensors(source, name));
  }
  return undefined;
}

/** The model's weights, which have to be there. */
export async function openCheckpoint(folder: CheckpointFolder): Promise<Checkpoint> {
  const found = await findCheckpoint(folder);
  if (found) return found;
  throw bad(`${folder.name} holds no weights: none of ${modelFiles.join(", ")} is there`);
}

/** The tensors of the first of these files that is there, or undefined. */
export async function openTensorFile(
  folder: CheckpointFolder,
  names: readonly string[],
): Promise<Checkpoint | undefined> {
  for (const name of names) {
    const source = await folder.open(name);
    if (source) return new Checkpoint(await readTensors(source, name));
  }
  return undefined;
}

async function readShards(folder: CheckpointFolder, indexFile: string): Promise<Map<string, Tensor>> {
  const index = v.safeParse(Index, parseJson((await readText(folder, indexFile)) ?? "", indexFile));
  if (!index.success) throw bad(`${indexFile} has no usable weight_map`);
  const all = new Map<string, Tensor>();
  for (const file of new Set(Object.values(index.output.weight_map))) {
    if (file.includes("/") || file.includes("\\")) throw bad(`${indexFile} names a file outside the folder: ${file}`);
    const source = await folder.open(file);
    if (!source) throw bad(`${file} is missing; ${indexFile} needs it`);
    for (const [name, tensor] of await readTensors(source, file)) all.set(name, tensor);
  }
  for (const [name, file] of Object.entries(index.output.weight_map)) {
    if (!all.has(name)) throw bad(`${file} lacks the tensor ${name} that ${indexFile} promises`);
  }
  return all;
}

async function readTensors(source: ByteSource, file: string): Promise<Map<string, Tensor>> {
  await refusePointer(source, file);
  const entries: readonly TensorEntry[] = file.endsWith(".safetensors")
    ? await readHeader(source, file)
    : await readTorchFile(source, file);
  return new Map(entries.map((entry) => [entry.name, storedTensor(entry, source, file)]));
}

/** A clone without Git LFS has a few lines of text in the place of every big file. */
async function refusePointer(source: ByteSource, file: string): Promise<void> {
  const start = "version https://git-lfs";
  if (source.bytes > 1024 || source.bytes < start.length) return;
  if (new TextDecoder().decode(await source.read(0, start.length)) !== start) return;
  throw bad(`${file} is a Git LFS pointer and not the file itself; fetch it with \`git lfs pull\``);
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
