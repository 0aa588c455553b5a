// npm run check: types per host, lint, format, and whether the README's map is true. Prints one line per check.
import { readdirSync, readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { ensureInstalled, root, runTool } from "./ensure.mjs";

/** { passed, failed, skipped }: how many of the checks hold. */
export function runChecks() {
  const checks = [
    ...["core", "web", "worker", "node"].map((host) => [
      `types, ${host}`,
      () => runTool("typescript", ["-p", `tsconfig.${host}.json`]),
    ]),
    ["lint", () => runTool("eslint", ["--max-warnings", "0", "."])],
    ["format", () => runTool("prettier", ["--check", "--log-level", "warn", "."])],
    ["README map", checkMap],
  ];
  let failed = 0;
  for (const [name, check] of checks) {
    const ok = check() === 0;
    console.log(`${ok ? "ok    " : "FAILED"} ${name}`);
    if (!ok) failed++;
  }
  return { passed: checks.length - failed, failed, skipped: 0 };
}

/** Every folder at the top and in src has exactly one line in the map, and the map names no other. */
function checkMap() {
  const readme = readFileSync(`${root}README.md`, "utf8");
  const block = /## Map\s+```\n([\s\S]*?)```/.exec(readme)?.[1] ?? "";
  const named = { top: [], src: [] };
  for (const line of block.split("\n")) {
    const match = /^( *)([\w-]+)\/ {2,}\S/.exec(line);
    if (match) named[match[1] === "" ? "top" : "src"].push(match[2]);
  }
  const ignored = new Set(["node_modules", "test-results", "playwright-report", "coverage"]);
  const folders = (path) =>
    readdirSync(path, { withFileTypes: true })
      .filter((e) => e.isDirectory() && !e.name.startsWith(".") && !e.name.startsWith("dist") && !ignored.has(e.name))
      .map((e) => e.name);
  let wrong = 0;
  for (const [key, path] of [
    ["top", root],
    ["src", `${root}src`],
  ]) {
    const there = folders(path);
    for (const name of there.filter((n) => named[key].filter((m) => m === n).length !== 1)) {
      console.error(`README.md: the map needs one line for ${key === "src" ? "src/" : ""}${name}/`);
      wrong++;
    }
    for (const name of named[key].filter((n) => !there.includes(n))) {
      console.error(`README.md: the map names ${key === "src" ? "src/" : ""}${name}/, which is not there`);
      wrong++;
    }
  }
  return wrong;
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  await ensureInstalled();
  process.exitCode = runChecks().failed === 0 ? 0 : 1;
}
