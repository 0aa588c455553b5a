// npm run check fails for what is planted in a copy of the project: an export that nothing uses, an import that is forbidden, and documents
// that are stale.
import { execFileSync, spawnSync } from "node:child_process";
import { appendFileSync, cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";

const root = fileURLToPath(new URL("../", import.meta.url));
const copy = mkdtempSync(join(tmpdir(), "llava-check-"));
afterAll(() => rmSync(copy, { recursive: true }));

const files = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard"], {
  cwd: root,
  encoding: "utf8",
});
for (const path of files.split("\n").filter((path) => path !== "" && !/^public\/models|^training\/./.test(path)))
  cpSync(join(root, path), join(copy, path), { force: true });
symlinkSync(join(root, "node_modules"), join(copy, "node_modules"));

/** The check's exit code and all it prints. */
function check(name: string): { readonly code: number | null; readonly said: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, ["scripts/check.mjs", name], {
    cwd: copy,
    encoding: "utf8",
  });
  return { code: status, said: stdout + stderr };
}

test("an export that nothing uses fails the check, which names it", () => {
  appendFileSync(join(copy, "src/engine/errors.ts"), "\nexport const planted = 1;\n");
  const { code, said } = check("unused");
  expect(code).toBe(1);
  expect(said).toMatch(/^planted +src\/engine\/errors\.ts/m);
  expect(said).toContain("FAILED unused");
});

test("an import that the table forbids fails the lint that the check runs, which names the folders", () => {
  const planted = join(copy, "src/formats/planted.ts");
  writeFileSync(planted, 'import { texts } from "#ui/texts/texts.ts";\nexport const planted = texts;\n');
  const eslint = join(root, "node_modules/eslint/bin/eslint.js");
  const { status, stdout } = spawnSync(process.execPath, [eslint, "--max-warnings", "0", "src/formats/planted.ts"], {
    cwd: copy,
    encoding: "utf8",
  });
  rmSync(planted);
  expect(status).toBe(1);
  expect(stdout).toContain("src/formats may not import ui/texts/texts.ts");
});

test("a README whose map or speed table is stale fails the check", () => {
  const readme = join(copy, "README.md");
  const fresh = readFileSync(readme, "utf8");
  for (const [from, to] of [
    [/^ {2}zoo\/.*\n/m, ""],
    [/ \d+\.\d+ × /, " 99.9 × "],
  ] as const) {
    writeFileSync(readme, fresh.replace(from, to));
    const { code, said } = check("documents");
    expect(code).toBe(1);
    expect(said).toMatch(/README\.md: the block "(map|speed)" is stale/);
    expect(said).toContain("FAILED documents");
  }
  writeFileSync(readme, fresh);
});
