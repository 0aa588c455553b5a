// Opens the weights of a checkpoint folder: safetensors or PyTorch files, in one piece or in shards with an index.
// Only headers are read; tensors come in runs when asked. Which tensors there should be is the caller's business.
import * as v from "valibot";
import { badCheckpoint } from "./bad-checkpoint.ts";
import { readText, type CheckpointFolder } from "./folders.ts";
import type { ByteSource } from "#formats/byte-source.ts";
import { describeFolder, refuseQuantizedTensors } from "./kind.ts";
import { parseJsonFile } from "./json-file.ts";
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
    const tensors = name.endsWith(".json") ? await readShards(folder, name) : await readTensors(source, name);
    refuseQuantizedTensors(tensors.keys(), folder.name);
    return new Checkpoint(tensors);
  }
  return undefined;
}

/** The model's weights, which have to be there. */
export async function openCheckpoint(folder: CheckpointFolder): Promise<Checkpoint> {
  const found = await findCheckpoint(folder);
  if (found) return found;
  const kind = await describeFolder(folder);
  throw badCheckpoint(kind ?? `${folder.name} holds no weights: none of ${modelFiles.join(", ")} is there`);
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
  const index = v.safeParse(Index, parseJsonFile((await readText(folder, indexFile)) ?? "", indexFile));
  if (!index.success) throw badCheckpoint(`${indexFile} has no usable weight_map`);
  const map = new Map(Object.entries(index.output.weight_map));
  const files = [...new Set(map.values())];
  const sources = new Map<string, ByteSource>();
  for (const file of files) {
    if (file.includes("/") || file.includes("\\"))
      throw badCheckpoint(`${indexFile} names a file outside the folder: ${file}`);
    const source = await folder.open(file);
    if (source) sources.set(file, source);
  }
  const missing = files.filter((file) => !sources.has(file));
  if (missing.length > 0) {
    const [are, they] = missing.length === 1 ? ["is", "it"] : ["are", "them"];
    throw badCheckpoint(
      `${missing.slice(0, 8).join(", ")}${missing.length > 8 ? " and more" : ""} ${are} missing; ${indexFile} needs ${they}: ` +
        `the download was interrupted (${sources.size} of ${files.length} files are here), so let it go on`,
    );
  }
  const all = new Map<string, Tensor>();
  let twice: string | undefined;
  for (const [file, source] of sources) {
    for (const [name, tensor] of await readTensors(source, file)) {
      const [other, own] = [all.get(name), map.get(name)];
      if (other && own === undefined) twice ??= `the tensor ${name} is in ${other.origin} and in ${file}`;
      // Where two files have a tensor of the same name, the index decides.
      if (!other || own === file) all.set(name, tensor);
    }
  }
  for (const [name, file] of map) {
    if (!all.has(name)) throw badCheckpoint(`${file} lacks the tensor ${name} that ${indexFile} promises`);
  }
  if (twice !== undefined) throw badCheckpoint(twice);
  return all;
}

async function readTensors(source: ByteSource, file: string): Promise<Map<string, Tensor>> {
  await refuseOtherFiles(source, file);
  const entries: readonly TensorEntry[] = file.endsWith(".safetensors")
    ? await readHeader(source, file)
    : await readTorchFile(source, file);
  return new Map(entries.map((entry) => [entry.name, storedTensor(entry, source, file)]));
}

/** How files begin that lie where weights should be. */
const beginnings: readonly { readonly bytes: readonly number[]; readonly is: string }[] = [
  { bytes: [0x1f, 0x8b], is: "is compressed (gzip) and not the file itself; unpack it first" },
  { bytes: [0x28, 0xb5, 0x2f, 0xfd], is: "is compressed (zstd) and not the file itself; unpack it first" },
  { bytes: [0xfd, 0x37, 0x7a, 0x58, 0x5a], is: "is compressed (xz) and not the file itself; unpack it first" },
  { bytes: [0x37, 0x7a, 0xbc, 0xaf], is: "is an archive (7z) and not the file itself; unpack it first" },
  {
    bytes: [0x47, 0x47, 0x55, 0x46],
    is: "is a GGUF file of llama.cpp's under another name; take the checkpoint's own",
  },
];

/** A clone without Git LFS has a few lines of text in the place of every big file, and a failed download a web page. */
async function refuseOtherFiles(source: ByteSource, file: string): Promise<void> {
  const start = await source.read(0, Math.min(source.bytes, 32));
  const text = new TextDecoder().decode(start);
  if (text.startsWith("version https://git-lfs")) {
    throw badCheckpoint(`${file} is a Git LFS pointer and not the file itself; fetch it with \`git lfs pull\``);
  }
  if (/^\s*<(!doctype|html)/i.test(text)) {
    throw badCheckpoint(
      `${file} is a web page and not the file itself: its download got an answer of another kind; fetch it again`,
    );
  }
  const other = beginnings.find(({ bytes }) => bytes.every((byte, i) => start[i] === byte));
  if (other) throw badCheckpoint(`${file} ${other.is}`);
  // PyTorch's own files are zips, too.
  if (file.endsWith(".safetensors") && text.startsWith("PK\u0003\u0004")) {
    throw badCheckpoint(
      `${file} is a zip and no safetensors file; unpack it, or call it pytorch_model.bin if PyTorch wrote it`,
    );
  }
}
