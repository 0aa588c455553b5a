// The commands, as processes: a base with room for adapters, an adapter beside it, and a chat with both.
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { llava } from "#testing/temporary.node.ts";
import { randomAdapter } from "#testing/adapter-fixture.ts";
import { checkpointFolder } from "#convert/package/folder.node.ts";

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const root = fileURLToPath(new URL("../../", import.meta.url));
const checkpoint = join(root, "training/fixtures/tiny-llava");
let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "llava-adapter-"));
  const { files } = await randomAdapter(checkpointFolder(checkpoint));
  await mkdir(join(folder, "tiny-lora"));
  for (const [path, content] of files) await writeFile(join(folder, "tiny-lora", path), content);
});
afterAll(() => rm(folder, { recursive: true }));

test("a base is converted with room, an adapter beside it, and the chat's answers are the adapter's", async () => {
  const [base, plain, adapter] = ["base", "plain", "adapter"].map((name) => join(folder, name));
  if (base === undefined || plain === undefined || adapter === undefined) throw new Error("no folders");
  const made = await Promise.all([
    llava("convert", checkpoint, base, "--adaptable"),
    llava("convert", checkpoint, plain, "--no-self-test"),
  ]);
  expect(made.map(({ code }) => code)).toEqual([0, 0]);
  const unmerged = ["convert", join(folder, "tiny-lora"), adapter, "--unmerged", "--name", "Tiny LoRA"];
  expect(await llava(...unmerged, "--base", base)).toMatchObject({ code: 0 });

  const ask = ["--max-new-tokens", "12", "Hello"];
  const questions = join(folder, "questions.jsonl");
  await writeFile(questions, JSON.stringify({ question_id: 1, text: "Hello" }));
  const answers = (name: string): string => join(folder, `${name}.jsonl`);
  const asked = (name: string, ...more: string[]): Promise<unknown> =>
    llava("eval", "run", "custom", "--model", base, "--questions", questions, "--images", folder, "--out", answers(name), "--max-new-tokens", "12", ...more); // prettier-ignore
  const [without, with_, roomless, asModel, ...refused] = await Promise.all([
    llava("chat", "--model", base, ...ask),
    llava("chat", "--model", base, "--adapter", adapter, ...ask),
    llava("chat", "--model", plain, "--adapter", adapter, ...ask),
    llava("chat", "--model", adapter, ...ask),
    llava(...unmerged, "--force"),
    llava(...unmerged, "--force", "--base", base, "--bits", "4"),
    llava(...unmerged, "--force", "--base", plain),
  ]);
  expect(without).toMatchObject({ code: 0 });
  expect(with_).toMatchObject({ code: 0 });
  expect(with_.out).not.toBe(without.out);
  // A benchmark's questions are asked with the adapter, too, in this process and in workers.
  const runs = [asked("alone", "--adapter", adapter), asked("workers", "--adapter", adapter, "--workers", "2")];
  expect(await Promise.all(runs)).toMatchObject([{ code: 0 }, { code: 0 }]);
  for (const name of ["alone", "workers"]) {
    const line: unknown = JSON.parse(await readFile(answers(name), "utf8"));
    expect(line).toMatchObject({ text: with_.out.trim(), model_id: "base+adapter" });
  }
  expect(roomless).toMatchObject({ code: 1, out: "" });
  expect(roomless.err).toMatch(/tiny-llava has no room for an adapter/);
  expect(asModel.err).toMatch(/is an adapter of tiny-llava; give it to --adapter/);
  const sentences = [
    /name the adaptable package .* with --base/,
    /at 16 or 32 bits/,
    /plain has no room .*--adaptable/,
  ];
  for (const [i, { code, err }] of refused.entries()) {
    expect(err).toMatch(sentences[i] ?? /never/);
    expect(code).toBe(1);
  }
  // Refusals leave what was there.
  expect((await stat(join(adapter, "manifest.json"))).isFile()).toBe(true);
});
