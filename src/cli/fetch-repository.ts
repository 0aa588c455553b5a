// Fetches a repository of a hub into a folder of this machine, file by file; what is there already is not fetched again.
import { mkdir, open, rename, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { openHubFolder } from "#convert/places/hub-folder.ts";
import { createProgress } from "#cli/terminal/progress.ts";

const pieceBytes = 32 * 2 ** 20;
const wanted = /\.(json|jinja|txt|model|safetensors|bin)$/;

/** Its folder in `into`. `only` names files; without, all that a checkpoint may need. */
export async function fetchRepository(
  repository: string,
  hub: string,
  into: string,
  only?: readonly string[],
): Promise<string> {
  const to = join(into, repository.replace("/", "--"));
  const token = process.env["HF_TOKEN"];
  const { folder } = await openHubFolder({ host: hub, repository, revision: "main" }, token);
  const names = (await folder.names?.()) ?? [];
  const hasSafetensors = names.some((name) => name.endsWith(".safetensors"));
  const chosen = only ?? names.filter((name) => wanted.test(name) && !name.includes("/") && !(hasSafetensors && name.endsWith(".bin"))); // prettier-ignore
  const progress = createProgress(process.stderr);
  for (const name of chosen) {
    const file = await folder.open(name);
    if (!file) throw new Error(`${repository} has no ${name}`);
    const path = join(to, name);
    if ((await stat(path).catch(() => undefined))?.size === file.bytes) continue;
    await mkdir(dirname(path), { recursive: true });
    const half = await open(`${path}.part`, "w");
    try {
      for (let at = 0; at < file.bytes; at += pieceBytes) {
        await half.write(await file.read(at, Math.min(pieceBytes, file.bytes - at)));
        progress.update({ file: `${repository}/${name}`, written: at, total: file.bytes });
      }
    } finally {
      await half.close();
    }
    await rename(`${path}.part`, path);
  }
  progress.end();
  return to;
}
