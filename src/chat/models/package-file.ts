// Tells whether a given file is a model package; the page asks it of every zip and folder. Small, and reads only a zip's directory.

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
