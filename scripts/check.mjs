// npm run check [-- NAME …]: types per host, lint, format, what nothing uses, and whether the made parts of the documents are fresh; with
// names only those. Two run at a time, since each keeps one core busy. Prints what a check says when it ends, and one line per check.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { pathToFileURL } from "node:url";
import { findProblems } from "./documents.mjs";
import { ensureInstalled, startTool } from "./ensure.mjs";

// Results are kept in .cache, so that a second run takes seconds; not beyond a change of what the tools are told. Lint that depends on another
// file's types can be stale there; a fresh clone, as in CI, has no cache.
const rules = [
  "package-lock.json",
  "eslint.config.js",
  "scripts/imports.json",
  "scripts/import-rule.mjs",
  "scripts/long-function-rule.mjs",
];
const hosts = ["core", "web", "worker", "node"];
const told = createHash("sha256");
for (const file of [...rules, ...["base", ...hosts].map((host) => `tsconfig.${host}.json`)])
  told.update(readFileSync(file));
const state = told.digest("hex").slice(0, 12);
const cached = (tool) => ["--cache", "--cache-strategy", "content", "--cache-location", `.cache/${tool}-${state}`];

/**
 * { passed, failed, skipped }: how many of the checks hold; of those alone that have one of the names, if there are any. `onFree` is called
 * once the last check runs alone.
 */
export async function runChecks(names = [], onFree = () => {}) {
  // Lint first: it takes as long as the others together.
  const all = [
    ["lint", () => startTool("eslint", ["--max-warnings", "0", ...cached("eslint"), "."])],
    ...hosts.map((host) => [
      `types, ${host}`,
      // The compiler in Go, four times as quick as the one in JavaScript, on which lint still depends. Not incremental: with that it kept
      // an error that was gone.
      () => startTool("typescript-native", ["-p", `tsconfig.${host}.json`]),
    ]),
    ["format", () => startTool("prettier", ["--check", "--log-level", "warn", ...cached("prettier"), "."])],
    ["unused exports, files, packages", () => startTool("knip", ["--no-progress"])],
    ["documents", documents],
  ];
  const checks = names.length === 0 ? all : all.filter(([title]) => names.some((name) => title.startsWith(name)));
  let failed = 0;
  const waiting = checks.values();
  const lane = async () => {
    for (const [name, check] of waiting) {
      const { status, said } = await check();
      if (said !== "") console.log(said.trimEnd());
      console.log(`${status === 0 ? "ok    " : "FAILED"} ${name}`);
      if (status !== 0) failed++;
    }
    onFree();
  };
  await Promise.all(Array.from({ length: Math.min(2, availableParallelism()) }, lane));
  return { passed: checks.length - failed, failed, skipped: 0 };
}

async function documents() {
  const problems = await findProblems();
  return { status: problems.length, said: problems.join("\n") };
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  await ensureInstalled();
  process.exitCode = (await runChecks(process.argv.slice(2))).failed === 0 ? 0 : 1;
}
