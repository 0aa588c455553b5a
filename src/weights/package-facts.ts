// What decides whether a package fits a device, read from its manifest, or from a hub's listing. The verdict is fit.ts's.
import type { PackageFacts } from "./fit.ts";
import { isAdapterManifest, isHubManifest, packageBytes, type HubDtype, type PackageManifest } from "./manifest.ts";

/** The facts of a package. Its largest weight is the embedding table. */
export function packageFacts(manifest: PackageManifest): PackageFacts {
  if (isHubManifest(manifest)) return hubFacts({ files: manifest.files, dtypes: manifest.model.dtypes });
  const bytes = packageBytes(manifest);
  if (isAdapterManifest(manifest)) return { bytes, needsF16: false, largestBytes: 0 };
  const { vision, embed, decoder } = manifest.graphs;
  const needsF16 = [vision, embed, decoder].some(({ bits }) => bits === 16);
  return { bytes, needsF16, largestBytes: largestFile(manifest.files, (path) => embed.data.includes(path)) };
}

/** The facts of a hub's files, whether they are only planned or in a package. */
export function hubFacts({ files, dtypes }: HubFiles): PackageFacts {
  return {
    bytes: files.reduce((sum, file) => sum + file.bytes, 0),
    needsF16: Object.values(dtypes).some((dtype) => dtype.endsWith("16")),
    largestBytes: largestFile(files, (path) => path.includes("embed_tokens")),
  };
}

interface HubFiles {
  readonly files: readonly SizedFile[];
  /** By part of the model. */
  readonly dtypes: Readonly<Record<string, HubDtype>>;
}

interface SizedFile {
  readonly path: string;
  readonly bytes: number;
}

/** Bytes of the largest of the files; 0 when there is none. */
function largestFile(files: readonly SizedFile[], isCounted: (path: string) => boolean): number {
  return Math.max(0, ...files.filter(({ path }) => isCounted(path)).map((file) => file.bytes));
}
