// Tells whether a given file is a model package, or files are a checkpoint; the page asks it of everything that is given. Small, and reads
// only a zip's directory.

/** Where a package's manifest may lie: at the top, or in the one folder that was packed. */
const manifestPath = /^(?:[^/]+\/)?manifest\.json$/;

/** A graph, or the index of an adapter, which may have no graph. */
const modelFile = /\.onnx$|^(?:[^/]+\/)?adapter\.json$/;

/** Whether a file's name allows it to be a package. */
export function mayBePackage(file: Pick<File, "name">): boolean {
  return /\.zip$/i.test(file.name);
}

/** Whether the zip holds a model package; false for what is no zip. */
export async function isPackageZip(file: Blob): Promise<boolean> {
  const { openZip } = await import("#formats/import-zip.ts");
  const entries = await openZip(file);
  return typeof entries !== "string" && isPackageFolder([...entries.keys()]);
}

/** Whether these paths are those of a model package. */
export function isPackageFolder(paths: readonly string[]): boolean {
  return paths.some((path) => manifestPath.test(path)) && paths.some((path) => modelFile.test(path));
}

/** Whether these paths are those of a checkpoint that can be converted: weights, and no package's manifest. */
export function isCheckpoint(paths: readonly string[]): boolean {
  return !isPackageFolder(paths) && paths.some(holdsWeights);
}

/** Whether a file's name says that it holds a model's weights. */
function holdsWeights(path: string): boolean {
  return /\.(?:safetensors|gguf)$|(?:^|\/)(?:pytorch_model|adapter_model|mm_projector)[\w.-]*\.bin$/i.test(path);
}
