// The last file of a package.
import type { PackageFolder } from "#convert/checkpoint/folders.ts";
import { manifestName, type PackageManifest } from "#weights/manifest.ts";

/** Writes the manifest, which lists all other files. */
export async function writeManifest(to: PackageFolder, manifest: PackageManifest): Promise<void> {
  const file = await to.create(manifestName);
  await file.write(new TextEncoder().encode(`${JSON.stringify(manifest, null, 1)}\n`));
  await file.close();
}
