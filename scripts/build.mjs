// Builds the app into a folder unless its inputs are the ones it was built from. Built-ins of Node only.
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fail, root, runTool, withLock } from "./ensure.mjs";

const bench = [
  "index.html",
  "clock.ts",
  "gpu-meter.ts",
  "library.ts",
  "measure.ts",
  "ours.ts",
  "plan.ts",
  "table.ts",
  "page",
].map((name) => `bench/${name}`);
const inputs = [
  "src",
  "public",
  "index.html",
  "eval",
  "review",
  ...bench,
  "vite.config.ts",
  "package-lock.json",
  "NOTICE",
];

/** Builds into `folder` (relative to the project) when anything that goes into the build has changed. */
export async function buildInto(folder) {
  await withLock(`build-${folder}`, () => {
    const hash = inputHash();
    const stamp = join(root, folder, ".built-from");
    if (existsSync(stamp) && readFileSync(stamp, "utf8") === hash) return;
    console.log("Building the app…");
    const status = runTool("vite", ["build", "--outDir", folder, "--emptyOutDir", "--logLevel", "warn"]);
    if (status !== 0) fail("The app could not be built; the lines above say why.");
    writeFileSync(stamp, hash);
  });
}

function inputHash() {
  const hash = createHash("sha256").update(process.version);
  for (const file of inputs.flatMap(filesUnder)) {
    if (!/\.test\.tsx?$/.test(file)) hash.update(`${file}\0`).update(readFileSync(join(root, file)));
  }
  return hash.digest("hex");
}

/** The file itself, or all files in the folder in a fixed order; relative to the project. */
function filesUnder(path) {
  const full = join(root, path);
  if (!existsSync(full)) return [];
  if (!statSync(full).isDirectory()) return [path];
  return readdirSync(full)
    .sort()
    .flatMap((name) => filesUnder(`${path}/${name}`));
}
