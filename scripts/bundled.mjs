// Makes one JavaScript module of a TypeScript entry and of the project's files that it imports, and keeps it in .cache/run until one of them
// changes: a loader that takes them one by one costs the command line's 250 files a second of processor time at every start.
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const folder = join(root, ".cache", "run");
const dayMs = 24 * 60 * 60 * 1000;

/** The module's path; undefined where the packages are not installed. Several processes may ask at once. */
export async function bundled(entry) {
  const name = relative(root, entry).replaceAll(/[^\w-]/g, "-");
  const record = join(folder, `${name}.json`);
  const kept = read(record);
  if (kept?.node === process.version && kept.inputs.every(([path, state]) => stateOf(path) === state)) {
    return join(folder, kept.module);
  }
  const esbuild = await import("esbuild").catch(() => undefined);
  if (!esbuild) return undefined;
  const { code, inputs } = await bundle(esbuild, entry);
  mkdirSync(folder, { recursive: true });
  removeOld(name);
  const module = `${name}-${createHash("sha256").update(code).digest("hex").slice(0, 16)}.mjs`;
  if (stateOf(join(folder, module)) === undefined) writeWhole(join(folder, module), code);
  writeWhole(record, JSON.stringify({ node: process.version, module, inputs }));
  return join(folder, module);
}

async function bundle(esbuild, entry) {
  // Before they are read: what changes meanwhile is bundled again the next time.
  const states = new Map();
  const { outputFiles } = await esbuild.build({
    absWorkingDir: root,
    entryPoints: [entry],
    bundle: true,
    write: false,
    platform: "node",
    target: `node${process.versions.node}`,
    format: "esm",
    packages: "external",
    keepNames: true,
    sourcemap: "inline",
    sourcesContent: false,
    sourceRoot: root,
    plugins: [
      {
        name: "states-and-addresses",
        setup: (build) =>
          build.onLoad({ filter: /./ }, async ({ path }) => {
            states.set(path, stateOf(path));
            if (!/\.tsx?$/.test(path)) return undefined;
            // A file finds what lies beside it by its own address, also from within the module.
            const address = JSON.stringify(pathToFileURL(path).href);
            const contents = (await readFile(path, "utf8")).replaceAll("import.meta.url", address);
            return { contents, loader: path.endsWith("x") ? "tsx" : "ts" };
          }),
      },
    ],
  });
  return { code: outputFiles[0].contents, inputs: [...states] };
}

function stateOf(path) {
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats && `${stats.mtimeMs} ${stats.size}`;
}

/** The record, unless there is none or it is not whole; or its module is gone. */
function read(record) {
  try {
    const kept = JSON.parse(readFileSync(record, "utf8"));
    return stateOf(join(folder, kept.module)) === undefined ? undefined : kept;
  } catch {
    return undefined;
  }
}

/** Another process sees all of the file or nothing. */
function writeWhole(file, content) {
  writeFileSync(`${file}.${process.pid}`, content);
  renameSync(`${file}.${process.pid}`, file);
}

/** Modules of this entry that are a day old; another process may be about to import a younger one. */
function removeOld(name) {
  for (const module of readdirSync(folder)) {
    if (!module.startsWith(`${name}-`)) continue;
    const file = join(folder, module);
    const stats = statSync(file, { throwIfNoEntry: false });
    if (stats && Date.now() - stats.mtimeMs > dayMs) rmSync(file, { force: true });
  }
}
