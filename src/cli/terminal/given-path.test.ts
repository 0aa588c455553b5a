// Paths as terminals insert them when a file is dropped, and what is said of folders that are not there.
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { givenFolder, givenPath, givenPaths } from "./given-path.ts";

let folder = "";
let cats = "";
let quoted = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "llava path's "));
  cats = join(folder, "three cats (1).png");
  quoted = join(folder, "'quoted' & #1 100%.png");
  for (const file of [cats, quoted]) await writeFile(file, "");
  await mkdir(join(folder, "checkpoint"));
});
afterAll(() => rm(folder, { recursive: true }));

const escaped = (path: string): string => path.replace(/[^\w/.-]/g, "\\$&");
const inQuotes = (path: string): string => `'${path.replaceAll("'", `'\\''`)}'`;

test.each<[string, (path: string) => string]>([
  ["as it is", (path) => path],
  ["with spaces around it", (path) => `  ${path} `],
  ["in single quotes, as GNOME inserts it", (path) => `${inQuotes(path)} `],
  ["in double quotes, as Windows inserts it", (path) => `"${path}"`],
  ["with every odd character escaped, as macOS inserts it", (path) => `${escaped(path)} `],
  ["as an address", (path) => pathToFileURL(path).href],
  ["as an address with the host named", (path) => pathToFileURL(path).href.replace("file://", "file://localhost")],
  ["as an address that nobody escaped", (path) => `file://${path}`],
  ["after PowerShell's &", (path) => `& ${inQuotes(path)}`],
])("a path %s is found", async (_, spell) => {
  expect(await givenPath(spell(cats))).toBe(cats);
  expect(await givenPath(spell(quoted))).toBe(quoted);
});

test("several files dropped at once are all found, or none", async () => {
  expect(await givenPaths(`${inQuotes(cats)} ${escaped(quoted)} `)).toEqual([cats, quoted]);
  expect(await givenPaths(cats)).toEqual([cats]);
  expect(await givenPaths(`${inQuotes(cats)} '/not/there.png'`)).toBeUndefined();
  for (const text of ["", " ", "'", "\0", "what is it?"]) expect(await givenPaths(text)).toBeUndefined();
});

test.each([
  ["llava-hf/llava-1.5-7b-hf", "llava-hf/llava-1.5-7b-hf"],
  ["https://huggingface.co/liuhaotian/llava-v1.5-7b", "liuhaotian/llava-v1.5-7b"],
  ["https://huggingface.co/liuhaotian/llava-v1.5-7b/tree/main", "liuhaotian/llava-v1.5-7b"],
  ["hf://llava-hf/bakLlava-v1-hf", "llava-hf/bakLlava-v1-hf"],
])("%s where a folder is asked is told as a hub's id, with what to do", async (text, id) => {
  await expect(givenFolder(text, "a checkpoint")).rejects.toThrow(`hf download ${id} --local-dir`);
});

test("a folder is found, a file is no folder, and a name that is not there is told with one that is like it", async () => {
  expect(await givenFolder(`'${folder.replaceAll("'", `'\\''`)}/checkpoint/'`, "a checkpoint")).toMatch(
    /checkpoint\/$/,
  );
  const gguf = join(folder, "llava-q4.gguf");
  await writeFile(gguf, "GGUF");
  await expect(givenFolder(gguf, "a checkpoint")).rejects.toThrow(/is a GGUF file; `llava convert .*--mmproj/);
  await expect(givenFolder(cats, "a checkpoint")).rejects.toThrow(/is a file; give the folder of a checkpoint/);
  await expect(givenFolder(join(folder, "chekpoint"), "a checkpoint")).rejects.toThrow(
    `did you mean ${join(folder, "checkpoint")}?`,
  );
  await expect(givenFolder(join(folder, "nothing"), "a checkpoint")).rejects.toThrow(/no folder at .*; check its path/);
  await expect(givenFolder("", "a checkpoint")).rejects.toThrow(/no folder/);
});
