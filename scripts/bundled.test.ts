// What scripts/run.mjs runs: one module, made again when a file in it changes, and only then.
import { spawnSync } from "node:child_process";
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { afterAll, expect, test } from "vitest";
import { temporaryFolder } from "#testing/temporary.node.ts";
import { bundled } from "./bundled.mjs";

const folder = temporaryFolder();
const made = new Set<string>();
afterAll(() => {
  folder.remove();
  for (const path of made) rmSync(path, { force: true });
});

async function make(entry: string): Promise<string> {
  const module = await bundled(entry);
  if (module === undefined) throw new Error("esbuild is not installed");
  made.add(module);
  made.add(module.replace(/-[0-9a-f]{16}\.mjs$/, ".json"));
  return module;
}

const load = async (module: string): Promise<unknown> => (await import(pathToFileURL(module).href)) as unknown;

test("a change in a file that the entry imports makes another module; without one it is the same", async () => {
  const entry = folder.write("entry.ts", 'import { word } from "./word.ts";\nexport const said: string = word;\n');
  folder.write("word.ts", 'export const word = "one";\n');
  const first = await make(entry);
  expect(await load(first)).toMatchObject({ said: "one" });
  expect(await make(entry)).toBe(first);
  folder.write("word.ts", 'export const word = "two and more";\n');
  const second = await make(entry);
  expect(second).not.toBe(first);
  expect(await load(second)).toMatchObject({ said: "two and more" });
});

test("a module or a record that is gone or broken is made again", async () => {
  const entry = folder.write("broken.ts", "export const answer: number = 42;\n");
  const module = await make(entry);
  rmSync(module);
  expect(await make(entry)).toBe(module);
  expect(existsSync(module)).toBe(true);
  writeFileSync(module.replace(/-[0-9a-f]{16}\.mjs$/, ".json"), '{"node":');
  expect(await make(entry)).toBe(module);
});

test("a file finds what lies beside it, and an error names the line of the TypeScript", async () => {
  const entry = folder.write(
    "address.ts",
    "interface Unused {\n  a: string;\n}\nexport const address = import.meta.url;\n",
  );
  expect(await load(await make(entry))).toMatchObject({ address: pathToFileURL(entry).href });
  const bad = folder.write("bad.ts", "interface Unused {\n  a: string;\n}\n\nthrow new Error('as meant');\n");
  const root = fileURLToPath(new URL("../", import.meta.url));
  const { stderr } = spawnSync(process.execPath, ["scripts/run.mjs", bad], { cwd: root, encoding: "utf8" });
  await make(bad);
  expect(stderr).toContain(`${join(folder.path, "bad.ts")}:5`);
});
