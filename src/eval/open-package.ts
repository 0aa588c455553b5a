// Opens a model package folder on this machine's CPU, for the command line and the evaluation.
import { stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { decodeImage } from "#engine/decode.node.ts";
import { createEngine, type Engine } from "#engine/engine.ts";
import { EngineError } from "#engine/errors.ts";
import { describeHubLayout } from "#engine/hub-layout.ts";
import { packageFolder } from "#engine/package-folder.node.ts";
import type { PackageInfo } from "#engine/package.ts";
import { createNodeRuntime } from "#engine/runtime.node.ts";
import type { PackageFiles } from "#engine/types.ts";
import { manifestName, parseManifest } from "#weights/manifest.ts";

/** An engine on a package folder; throws "bad-package" when the folder holds none. */
export async function openPackage(folder: string): Promise<Engine> {
  const files = packageFolder(folder);
  const runtime = createNodeRuntime();
  const engine = await createEngine({ runtime, files, info: await packageInfo(folder, files), decodeImage });
  return {
    ...engine,
    async dispose() {
      await engine.dispose();
      await runtime.dispose();
    },
  };
}

async function packageInfo(folder: string, files: PackageFiles): Promise<PackageInfo> {
  const manifest = await stat(join(folder, manifestName)).catch(() => undefined);
  const config = await stat(join(folder, "config.json")).catch(() => undefined);
  // Hubs keep packages of the same layout without a manifest.
  if (!manifest && config) return describeHubLayout(files, basename(folder));
  const text = await (await files.blob(manifestName)).text();
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new EngineError("bad-package", `${folder}/${manifestName} is not JSON`, { cause: error });
  }
  const result = parseManifest(json);
  if (!result.ok) throw new EngineError("bad-package", `${folder}/${manifestName}: ${result.problem}`);
  return result.manifest;
}
