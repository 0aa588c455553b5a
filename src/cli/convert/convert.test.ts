import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { llava } from "#testing/temporary.node.ts";
import { parseManifest } from "#weights/manifest.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "llava-cli-"));
});
afterAll(() => rm(folder, { recursive: true }));

test(
  "a checkpoint becomes a package with a self-test, and a second time only by force",
  { timeout: 60_000 },
  async () => {
    const out = join(folder, "tiny");
    const run = (...more: string[]) =>
      llava("convert", "training/fixtures/tiny-llava", out, "--license", "Apache-2.0", "--name", "Tiny LLaVA", ...more);
    const first = await run();
    expect(first).toMatchObject({ code: 0, out: "" });
    expect(first.err).toMatch(/MB in \d+ files/);
    expect(first.err).toMatch(/^template: the checkpoint's own \(chat_template\.jinja\)$/m);

    const parsed = parseManifest(JSON.parse(await readFile(join(out, "manifest.json"), "utf8")));
    if (!parsed.ok) throw new Error(parsed.problem);
    expect(parsed.manifest.model).toMatchObject({ id: "tiny-llava", name: "Tiny LLaVA", license: "Apache-2.0" });
    expect(parsed.manifest.selfTest).toBe("onnx/self_test.json");
    expect(Object.values(parsed.manifest.graphs).map((graph) => graph.bits)).toEqual([8, 4, 4]);

    const recipe = join(out, "onnx/decoder_model_merged_f32.json");
    expect(await readFile(recipe, "utf8")).toContain('"zeroPoints"');

    expect(await run()).toMatchObject({ code: 1, err: expect.stringMatching(/^llava: .* --force/) as unknown });
    expect((await run("--force", "--bits", "32")).code).toBe(0);
    expect((await run("--force", "--scheme", "symmetric")).code).toBe(0);
    expect(await readFile(recipe, "utf8")).not.toContain('"zeroPoints"');
  },
);

test("what goes wrong is one sentence and exit code 1, and leaves nothing", { timeout: 60_000 }, async () => {
  const out = join(folder, "none");
  const missing = await llava("convert", join(folder, "nowhere"), out);
  expect(missing).toMatchObject({ code: 1, out: "" });
  expect(missing.err.trim()).toBe(`llava: there is no folder at ${join(folder, "nowhere")}; check its path`);
  const template = await llava("convert", "training/fixtures/tiny-llava", out, "--template", "nonsense");
  expect(template).toMatchObject({
    code: 1,
    err: expect.stringMatching(/nonsense is not known.*vicuna_v1/) as unknown,
  });
  const calibration = await llava(
    "convert",
    "training/fixtures/tiny-llava",
    out,
    "--calibrate",
    join(folder, "nowhere.json"),
  );
  expect(calibration).toMatchObject({ code: 1, err: expect.stringMatching(/nowhere.json can't be opened/) as unknown });
  await writeFile(join(folder, "calibration.jsonl"), `{"text": "${"sea ".repeat(20_000)}"}`);
  const long = await llava(
    "convert",
    "training/fixtures/tiny-llava",
    out,
    "--calibrate",
    join(folder, "calibration.jsonl"),
  );
  expect(long).toMatchObject({
    code: 1,
    err: expect.stringMatching(/^llava: entry 1 of .* can't be used: the prompt has/m) as unknown,
  });
  expect(await readdir(folder)).toEqual(["calibration.jsonl", "tiny"]);
  expect((await llava("convert", "a", out, "--bits", "5")).err).toMatch(/must be 4, 8, 16 or 32/);
  expect(await readdir(folder)).not.toContain("none");
});
