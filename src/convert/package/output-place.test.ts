// On a real file system: what a result may replace, and what stays whatever is asked for.
import { spawnSync } from "node:child_process";
import { chmod, cp, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { packageFolder } from "./folder.node.ts";
import { besideTarget, removeLeftovers } from "./half-written.node.ts";
import { outputPlace } from "./output-place.node.ts";

const pocket = fileURLToPath(new URL("../../../public/models/pocket-llava/", import.meta.url));
let root = "";
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "llava-place-"));
});
afterEach(() => rm(root, { recursive: true }));

/** A folder with these empty files. */
async function folder(name: string, ...files: string[]): Promise<string> {
  const path = join(root, name);
  await mkdir(path, { recursive: true });
  for (const file of files) await writeFile(join(path, file), "");
  return path;
}
const packageAt = async (name: string): Promise<string> => {
  await cp(pocket, join(root, name), { recursive: true });
  return join(root, name);
};
const byForce = (path: string, ...inputs: string[]) => outputPlace(path, { force: true, inputs });

describe("--force", () => {
  test("replaces a package, and an earlier result that is none", async () => {
    const target = await packageAt("package");
    await expect(outputPlace(target, { force: false })).rejects.toThrow(/exists already; add --force/);
    await expect(byForce(target)).resolves.toBe(target);

    const merged = await packageFolder(join(root, "merged"), { force: false });
    await (await merged.create("model.safetensors")).close();
    await merged.commit();
    await expect(byForce(join(root, "merged"))).resolves.toBe(join(root, "merged"));
  });

  test.each<[string, () => Promise<string>]>([
    ["a checkpoint", () => folder("checkpoint", "config.json", "model.safetensors")],
    ["documents", () => folder("docs", "letter.txt")],
    ["a folder with folders only", async () => (await folder("tree/inside"), join(root, "tree"))],
    [
      "a web app's manifest",
      async () => {
        await writeFile(join(await folder("app"), "manifest.json"), '{"name": "app", "icons": []}');
        return join(root, "app");
      },
    ],
    ["a file", async () => join(await folder("files", "one"), "one")],
    ["the root of the disk", () => Promise.resolve("/")],
    ["the home of everything", () => Promise.resolve(root)],
  ])("never replaces %s, and does not suggest it", async (_, make) => {
    const path = await make();
    await folder("something", "else");
    for (const force of [true, false]) {
      const said = await outputPlace(path, { force }).then(
        () => "nothing",
        (error: unknown) => String(error),
      );
      expect(said).toMatch(/choose another folder for the result$/);
      expect(said).not.toContain("add --force");
    }
  });

  test("never replaces a package beside whose files there are others", async () => {
    const target = await packageAt("package");
    await mkdir(join(target, "notes"));
    await writeFile(join(target, ".DS_Store"), "");
    await expect(byForce(target)).resolves.toBe(target);
    await writeFile(join(target, "notes", "mine.txt"), "");
    await expect(byForce(target)).rejects.toThrow(/not of the package: notes\/mine\.txt; move them away/);
  });

  test("never replaces an input, a folder that holds one, or one that lies in it, however it is spelled", async () => {
    const input = await packageAt("models/mine");
    const holder = join(root, "models");
    await cp(join(pocket, "manifest.json"), join(holder, "manifest.json"));
    await symlink(input, join(root, "link"));
    await symlink(holder, join(root, "linked-models"));
    const same = [
      input,
      `${input}/`,
      join(root, "link"),
      `${root}/models/../models/./mine`,
      join(root, "linked-models", "mine"),
    ];
    for (const path of same) await expect(byForce(path, input), path).rejects.toThrow(/itself, which it is made from/);
    await expect(byForce(input, join(root, "link"))).rejects.toThrow(/itself, which it is made from/);
    for (const path of [holder, join(root, "linked-models")])
      await expect(byForce(path, input), path).rejects.toThrow(/holds .*, which it is made from/);
    for (const path of [join(input, "out"), join(root, "link", "a", "b"), join(input, "onnx")])
      await expect(byForce(path, input), path).rejects.toThrow(/lies in .*, which it is made from/);
    await expect(byForce(join(root, "models", "mine-2"), input)).resolves.toMatch(/mine-2$/);
    await expect(byForce(join(holder, "out"), join(holder, "manifest.json"))).resolves.toMatch(/out$/);
  });
});

test("an empty folder is taken, a link to a package is followed, a link to nowhere is told", async () => {
  await expect(outputPlace(await folder("empty"), { force: false })).resolves.toMatch(/empty$/);
  const target = await packageAt("package");
  await symlink(target, join(root, "link"));
  await expect(byForce(join(root, "link"))).resolves.toBe(target);
  await symlink(join(root, "gone"), join(root, "dangling"));
  await expect(byForce(join(root, "dangling"))).rejects.toThrow(/is a link to nowhere/);
  await expect(byForce(" ")).rejects.toThrow(/has no name/);
});

describe("what is half written", () => {
  test("leaves the old package in place until the new one is whole", async () => {
    const target = await packageAt("package");
    const before = await readdir(target);
    const to = await packageFolder(target, { force: true });
    await (await to.create("manifest.json")).close();
    expect(await readdir(target)).toEqual(before);
    await to.discard();
    expect(await readdir(root)).toEqual(["package"]);
    const again = await packageFolder(target, { force: true });
    await (await again.create("manifest.json")).close();
    await again.commit();
    expect(await readdir(root)).toEqual(["package"]);
    expect(await readdir(target)).toEqual(["manifest.json"]);
  });

  const script = (last: string): string => `
    import { packageFolder } from ${JSON.stringify(new URL("./folder.node.ts", import.meta.url).href)};
    const to = await packageFolder(${JSON.stringify(join(root, "out"))}, { force: true });
    await (await to.create("deep/file")).close();
    ${last}`;
  const run = (last: string) =>
    spawnSync(process.execPath, ["--import", "tsx", "--input-type=module", "-e", script(last)], { encoding: "utf8" });

  test.each([
    ["an error that nobody catches", 'throw new Error("not caught")'],
    [
      "a promise that nobody awaits",
      'void Promise.reject(new Error("not caught")); await new Promise(() => setTimeout(() => {}, 5000))',
    ],
    ["process.exit", "process.exit(3)"],
  ])("goes with %s", async (_, last) => {
    expect(run(last).status).not.toBe(0);
    expect(await readdir(root)).toEqual([]);
  });

  test("of a killed process goes with the next run, that of a living one stays", async () => {
    expect(
      run('process.kill(process.pid, "SIGKILL"); await new Promise(() => setTimeout(() => {}, 5000))').signal,
    ).toBe("SIGKILL");
    expect(await readdir(root)).toHaveLength(1);
    const living = await folder(besideTarget("out", "new"));
    await folder(".out.new-12345678", "of another program");
    const to = await packageFolder(join(root, "out"), { force: false });
    await to.discard();
    expect((await readdir(root)).sort()).toEqual([".out.new-12345678", living.slice(root.length + 1)].sort());
  });

  test("a package that a killed process had just moved aside comes back", async () => {
    const target = await packageAt("package");
    const pid = spawnSync(process.execPath, ["-e", "console.log(process.pid)"], { encoding: "utf8" }).stdout.trim();
    const old = besideTarget(target, "old").replace(`-${process.pid}-`, `-${pid}-`);
    await cp(target, old, { recursive: true });
    await rm(target, { recursive: true });
    await removeLeftovers(target);
    expect(await readdir(root)).toEqual(["package"]);
  });
});

const isRoot = process.getuid?.() === 0;
if (isRoot) console.warn("NOT TRIED: a folder that may not be read, because root may read every folder");
(isRoot ? () => undefined : test)("a folder that may not be read is told", async () => {
  const closed = await folder("closed", "file");
  await chmod(closed, 0);
  await expect(byForce(closed)).rejects.toThrow(/can't be read/);
  await chmod(closed, 0o700);
});
