// npm run check: types per host, lint, format, and whether the made parts of the documents are fresh. Prints one line per check.
import { pathToFileURL } from "node:url";
import { checkDocuments } from "./documents.mjs";
import { ensureInstalled, runTool } from "./ensure.mjs";

/** { passed, failed, skipped }: how many of the checks hold. */
export function runChecks() {
  const checks = [
    ...["core", "web", "worker", "node"].map((host) => [
      `types, ${host}`,
      () => runTool("typescript", ["-p", `tsconfig.${host}.json`]),
    ]),
    ["lint", () => runTool("eslint", ["--max-warnings", "0", "."])],
    ["format", () => runTool("prettier", ["--check", "--log-level", "warn", "."])],
    ["documents", checkDocuments],
  ];
  let failed = 0;
  for (const [name, check] of checks) {
    const ok = check() === 0;
    console.log(`${ok ? "ok    " : "FAILED"} ${name}`);
    if (!ok) failed++;
  }
  return { passed: checks.length - failed, failed, skipped: 0 };
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  await ensureInstalled();
  process.exitCode = runChecks().failed === 0 ? 0 : 1;
}
