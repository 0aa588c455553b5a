// Every signal that ends a program takes along what a command has half written.
import { spawn } from "node:child_process";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";

const root = fileURLToPath(new URL("../../../", import.meta.url));
let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "llava-stop-"));
  // Long enough that the command is still at it when the signal comes.
  const lines = Array.from({ length: 400 }, (_, i) => JSON.stringify({ text: `${i} ${"cats ".repeat(40)}` }));
  await writeFile(join(folder, "calibration.jsonl"), lines.join("\n"));
});
afterAll(() => rm(folder, { recursive: true }));

/** Starts a conversion, sends the signals once it has begun to write, and tells how it ended. */
async function stopped(...signals: NodeJS.Signals[]): Promise<{ code: number | null; err: string }> {
  const parameters = ["convert", "training/fixtures/tiny-llava", join(folder, "out")];
  const calibrate = ["--calibrate", join(folder, "calibration.jsonl")];
  const child = spawn(process.execPath, ["scripts/run.mjs", "src/cli/main.ts", ...parameters, ...calibrate], {
    cwd: root,
  });
  let err = "";
  child.stderr.on("data", (chunk: Buffer) => (err += chunk.toString()));
  const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
  const begun = async (): Promise<boolean> => (await readdir(folder)).some((name) => name.includes(`-${child.pid}-`));
  while (!(await begun())) await new Promise((resolve) => setTimeout(resolve, 5));
  for (const signal of signals) child.kill(signal);
  return { code: await ended, err };
}

test.each(["SIGINT", "SIGTERM", "SIGHUP"] as const)(
  "%s leaves nothing, says so, and is the exit code",
  async (signal) => {
    const { code, err } = await stopped(signal);
    expect(err).toBe("llava: stopped; nothing was written\n");
    expect(code).toBe(128 + constants.signals[signal]);
    expect(await readdir(folder)).toEqual(["calibration.jsonl"]);
  },
);

test("what SIGKILL leaves goes with the next run", async () => {
  await stopped("SIGKILL");
  expect(await readdir(folder)).not.toEqual(["calibration.jsonl"]);
  await stopped("SIGTERM", "SIGTERM");
  expect(await readdir(folder)).toEqual(["calibration.jsonl"]);
});
