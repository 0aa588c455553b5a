// A GGUF file of this machine, its other parts and its projector as one checkpoint folder, wherever they lie.
import { readdir, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { CheckpointFolder } from "#convert/checkpoint/folders.ts";
import { ggufModels, onlyGguf, splitOf } from "#convert/gguf/which-files.ts";
import { checkpointFolder } from "#convert/package/folder.node.ts";
import { givenPath } from "#cli/terminal/given-path.ts";

export interface GivenGguf {
  readonly from: CheckpointFolder;
  /** Names in `from`: the model's, and the projector's where there is one. */
  readonly gguf: readonly string[];
  /** What must not be overwritten. */
  readonly inputs: readonly string[];
  /** For people: a choice that was made for them. */
  readonly note: string | undefined;
}

/** The files that the texts name; undefined where `model` is no GGUF file. Throws a sentence where the projector is not there. */
export async function givenGguf(model: string, mmproj: string | undefined): Promise<GivenGguf | undefined> {
  const path = await givenPath(model);
  if (path === undefined || !/\.gguf$/i.test(path) || !(await stat(path)).isFile()) {
    if (mmproj === undefined) return undefined;
    throw new Error(
      `--mmproj goes with a GGUF file, and ${model} is none${path === undefined ? ": check its path" : ""}`,
    );
  }
  const stated = mmproj === undefined ? undefined : await givenProjector(mmproj);
  const beside = stated === undefined ? await projectorBeside(path) : undefined;
  const projector = stated ?? beside;
  const name = basename(path);
  const places = new Map((splitOf(name)?.parts ?? [name]).map((part) => [part, join(dirname(path), part)]));
  const projectorName = projector === undefined ? undefined : nameBeside(basename(projector), name);
  if (projector !== undefined && projectorName !== undefined) places.set(projectorName, projector);
  return {
    from: {
      name: modelName(path),
      async open(file) {
        const place = places.get(file);
        return place === undefined ? undefined : checkpointFolder(dirname(place)).open(basename(place));
      },
      names: () => Promise.resolve([...places.keys()]),
    },
    gguf: [name, projectorName].filter((file) => file !== undefined),
    inputs: [...places.values()],
    note:
      beside === undefined
        ? undefined
        : `projector: ${basename(beside)}, which lies beside the model (--mmproj names another)`,
  };
}

/** The projector's name; two files may have the same name in two folders. */
function nameBeside(projector: string, model: string): string {
  return projector === model ? `mmproj/${projector}` : projector;
}

async function givenProjector(text: string): Promise<string> {
  const path = await givenPath(text);
  if (path !== undefined && (await stat(path)).isFile()) return path;
  throw new Error(`there is no file at ${text}; name the model's mmproj file with --mmproj`);
}

/** The projector in the model's folder that its name says is the model's. */
async function projectorBeside(path: string): Promise<string | undefined> {
  const names = await readdir(dirname(path));
  const models = ggufModels(names.map((name) => ({ path: name, bytes: 0 })));
  const own = models.find(({ files }) => files.some((file) => file.path === basename(path)));
  const found = own?.projectors[0]?.path;
  return found === undefined ? undefined : join(dirname(path), found);
}

/** The file's name; with its folder's where the name says nothing, as "ggml-model-q4_k" does. */
function modelName(path: string): string {
  const name = basename(path).replace(/\.gguf$/i, "");
  const stem = splitOf(basename(path))?.name ?? name;
  return /^(ggml[-_]?)?model\b/i.test(stem) ? `${basename(dirname(path))}-${stem}` : stem;
}

/**
 * Which of a repository's GGUF files "owner/name:Q4_K_M" means; undefined where it holds no choice. Throws a sentence that lists them where
 * the text names none of several.
 */
export async function hubGguf(
  folder: CheckpointFolder,
  repository: string,
  quantization: string | undefined,
): Promise<readonly string[] | undefined> {
  const names = (await folder.names?.()) ?? [];
  const models = onlyGguf(names) ? ggufModels(names.map((path) => ({ path, bytes: 0 }))) : [];
  if (models.length < 2 && quantization === undefined) return undefined;
  const wanted = quantization?.toLowerCase();
  const found = models.find((model) => model.quantization?.toLowerCase() === wanted);
  const [first, projector] = [found?.files[0], found?.projectors[0]];
  if (first && wanted !== undefined) return [first.path, ...(projector ? [projector.path] : [])];
  const list = models.flatMap((model) =>
    model.quantization === undefined ? [] : `${repository}:${model.quantization}`,
  );
  throw new Error(
    list.length === 0
      ? `${repository} holds no GGUF files that ":${quantization ?? ""}" could choose from; leave it out`
      : `${repository} holds ${models.length} models; name one of them: ${list.join(", ")}`,
  );
}
