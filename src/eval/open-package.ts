// Opens a model package folder on this machine's CPU, for the command line and the evaluation.
import { stat } from "node:fs/promises";
import { basename, join } from "node:path";
import type { AdapterPackage } from "#engine/model/adapter.ts";
import { decodeImage } from "#engine/picture/decode.node.ts";
import { createEngine, type Engine } from "#engine/engine.ts";
import { EngineError } from "#engine/errors.ts";
import { describeHubLayout } from "#engine/model/hub-layout.ts";
import { packageFolder } from "#engine/package-folder.node.ts";
import type { PackageInfo } from "#engine/package.ts";
import { createNodeRuntime } from "#engine/runtime/runtime.node.ts";
import type { PackageFiles } from "#engine/types.ts";
import { isAdapterManifest, manifestName, parsePackageManifest } from "#weights/manifest.ts";

/**
 * An engine on the package in a folder, with an adapter from another folder; throws "bad-package" where a folder does not hold one. It takes all
 * processors unless `threads` says otherwise.
 */
export async function openPackage(
  folder: string,
  adapterFolder?: string,
  options: { readonly threads?: number } = {},
): Promise<Engine> {
  const files = packageFolder(folder);
  const info = await packageInfo(folder, files);
  const adapter = adapterFolder === undefined ? undefined : await openAdapter(adapterFolder);
  const runtime = createNodeRuntime(options);
  const engine = await createEngine({ runtime, files, info, decodeImage, adaptable: adapter !== undefined });
  if (adapter) {
    try {
      await engine.setAdapter(adapter);
    } catch (error) {
      await engine.dispose();
      await runtime.dispose();
      throw error;
    }
  }
  return {
    ...engine,
    async dispose() {
      await engine.dispose();
      await runtime.dispose();
    },
  };
}

async function openAdapter(folder: string): Promise<AdapterPackage> {
  const files = packageFolder(folder);
  const result = parsePackageManifest(await readManifest(folder, files));
  if (!result.ok) throw new EngineError("bad-package", `${folder}/${manifestName}: ${result.problem}`);
  if (isAdapterManifest(result.manifest)) return { info: result.manifest, files };
  throw new EngineError("bad-package", `${folder} is a whole model and no adapter; give it to --model`);
}

async function packageInfo(folder: string, files: PackageFiles): Promise<PackageInfo> {
  const manifest = await stat(join(folder, manifestName)).catch(() => undefined);
  const config = await stat(join(folder, "config.json")).catch(() => undefined);
  // Packages on hubs have the same layout without a manifest.
  if (!manifest && config) return describeHubLayout(files, basename(folder));
  const result = parsePackageManifest(await readManifest(folder, files));
  if (!result.ok) throw new EngineError("bad-package", `${folder}/${manifestName}: ${result.problem}`);
  const { manifest: found } = result;
  if ("graphs" in found) return found;
  const what = isAdapterManifest(found)
    ? `an adapter of ${found.adapter.baseName}; give it to --adapter, and that package to --model`
    : "a model of a hub's library, which only the page runs";
  throw new EngineError("bad-package", `${folder} is ${what}`);
}

async function readManifest(folder: string, files: PackageFiles): Promise<unknown> {
  const text = await (await files.blob(manifestName)).text();
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new EngineError("bad-package", `${folder}/${manifestName} is not JSON`, { cause: error });
  }
}
