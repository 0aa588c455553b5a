// Opens GGUF files: one, or the parts that llama.cpp's gguf-split makes (`-00001-of-0000N`). Only headers are read.
import { badCheckpoint } from "#convert/checkpoint/bad-checkpoint.ts";
import type { CheckpointFolder } from "#convert/checkpoint/folders.ts";
import type { Tensor } from "#convert/checkpoint/checkpoint.ts";
import { GgufError } from "#formats/gguf/gguf-error.ts";
import { readGgufHeader, type GgufHeader } from "#formats/gguf/header.ts";
import { GgufMetadata } from "./gguf-metadata.ts";
import { openGgufTensor } from "./gguf-tensor.ts";
import { splitOf } from "./which-files.ts";

/** A whole model or projector. */
export interface Gguf {
  /** The file's name, or that of the first part. */
  readonly file: string;
  readonly metadata: GgufMetadata;
  /** By their names in the file. */
  readonly tensors: ReadonlyMap<string, Tensor>;
}

/** Opens the file, or all parts where it is one of several. Throws EngineError("bad-checkpoint"). */
export async function openGguf(folder: CheckpointFolder, path: string): Promise<Gguf> {
  const split = splitOf(path);
  const parts = split ? split.parts : [path];
  const tensors = new Map<string, Tensor>();
  let metadata: GgufMetadata | undefined;
  for (const [i, part] of parts.entries()) {
    const source = await folder.open(part);
    if (!source) throw badCheckpoint(missing(part, parts.length));
    const header = await readGgufHeader(source).catch((cause: unknown) => {
      throw cause instanceof GgufError ? badCheckpoint(`${part} ${cause.message}`, { cause }) : cause;
    });
    checkSplit(part, header, i, parts.length);
    metadata ??= new GgufMetadata(part, header.metadata);
    for (const entry of header.tensors) {
      if (tensors.has(entry.name))
        throw badCheckpoint(`${part} has the tensor ${entry.name}, which another part has, too`);
      tensors.set(entry.name, openGgufTensor(entry, source, part));
    }
  }
  if (!metadata) throw badCheckpoint(`${path} is no file`);
  const promised = metadata.numberIn("split.tensors.count");
  if (promised !== undefined && promised !== tensors.size) {
    throw badCheckpoint(`${path} and its parts hold ${tensors.size} tensors of ${promised}: fetch them again`);
  }
  return { file: path, metadata, tensors };
}

function missing(part: string, count: number): string {
  return count === 1
    ? `there is no file ${part}`
    : `${part} is missing: the model comes in ${count} files, and all are needed`;
}

function checkSplit(part: string, { metadata }: GgufHeader, index: number, count: number): void {
  const stated = metadata.get("split.count") ?? 1;
  const number = metadata.get("split.no") ?? 0;
  if (stated === count && number === index) return;
  // A part under another name, or an older split without numbers inside.
  if (count > 1 && !metadata.has("split.count")) return;
  throw badCheckpoint(
    `${part} says that it is part ${Number(number) + 1} of ${Number(stated)}; give the parts the names that gguf-split gave them`,
  );
}
