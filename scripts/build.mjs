// Builds the app into a folder unless its inputs are the ones it was built from. Built-ins of Node only.
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fail, root, runTool } from "./ensure.mjs";

const inputs = ["src", "public", "index.html", "vite.config.ts", "package-lock.json", "NOTICE"];

function* files(path) {
  const full = join(root, path);
  if (!existsSync(full)) return;
  const entries = path.includes(".") || path === "NOTICE" ? null : readdirSync(full, { withFileTypes: true });
  if (!entries) return yield path;
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const inner = `${path}/${entry.name}`;
    if (entry.isDirectory()) yield* folderFiles(inner);
    else yield inner;
  }
}

function* folderFiles(path) {
  for (const entry of readdirSync(join(root, path), { withFileTypes: true }).sort((a, b) =>
    a.name < b.name ? -1 : 1,
  )) {
    if (entry.isDirectory()) yield* folderFiles(`${path}/${entry.name}`);
    else yield `${path}/${entry.name}`;
  }
}

/** Builds into `folder` (relative to the project) when anything that goes into the build has changed. */
export function buildInto(folder) {
  const hash = createHash("sha256");
  for (const input of inputs) {
    for (const file of files(input)) {
      if (/\.test\.tsx?$/.test(file)) continue;
      hash.update(file).update(readFileSync(join(root, file)));
    }
  }
  const digest = hash.digest("hex");
  const stamp = join(root, folder, ".built-from");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === digest) return;
  const status = runTool("vite", ["build", "--outDir", folder, "--emptyOutDir", "--logLevel", "warn"]);
  if (status !== 0) fail("The app could not be built; the lines above say why.");
  writeFileSync(stamp, digest);
}
