// `llava teach` as a process, on a tiny model: what it writes, what it refuses, and that a stop leaves nothing.
import { spawn } from "node:child_process";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import sharp from "sharp";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { llava } from "#testing/temporary.node.ts";

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const root = fileURLToPath(new URL("../../", import.meta.url));
let folder = "";
const at = (...parts: string[]): string => join(folder, ...parts);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "llava-teach-"));
  const narrow = ["--bits-vision", "8", "--bits-embed", "8", "--bits-decoder", "8", "--no-self-test"];
  const made = await llava("convert", join(root, "training/fixtures/tiny-llava"), at("base"), "--adaptable", ...narrow);
  expect(made, made.err).toMatchObject({ code: 0 });
  for (const [answer, red] of [
    ["Rex", 220],
    ["Bella", 20],
  ] as const) {
    await mkdir(at("things", answer), { recursive: true });
    for (let i = 0; i < 4; i++) {
      const background = { r: red, g: 40 + 20 * i, b: 90 };
      await sharp({ create: { width: 40, height: 40, channels: 3, background } }).png().toFile(at("things", answer, `${i}.png`)); // prettier-ignore
    }
  }
});
afterAll(() => rm(folder, { recursive: true }));

test("a folder per answer becomes an adapter that the chat takes, and that is a folder of peft's, too", async () => {
  const data = ["--model", at("base"), "--data", at("things"), "--minutes", "0.1", "--threads", "2"];
  const taught = await llava("teach", ...data, "--out", at("taught"), "--name", "My dogs");
  expect(taught, taught.err).toMatchObject({ code: 0, out: `${at("taught")}\n` });
  expect(taught.err).toMatch(/6 pictures to learn, 2 held out/);
  expect(taught.err).toMatch(/before:\n {2}(?:right|wrong) {2}Bella\/\d\.png: What is this\?/);
  expect(taught.err).toMatch(/held out: \d of 2 right, \d before; step \d+/);
  const files = await readdir(at("taught"));
  expect(files).toEqual(expect.arrayContaining(["manifest.json", "adapter_config.json", "adapter_model.safetensors"]));
  const ask = ["chat", "--model", at("base"), "--image", at("things", "Rex", "0.png"), "--max-new-tokens", "8", "Hi"];
  const [plain, adapted] = await Promise.all([llava(...ask), llava(...ask, "--adapter", at("taught"))]);
  expect(adapted).toMatchObject({ code: 0 });
  expect(adapted.out).not.toBe(plain.out);
});

test("what can't be taught is refused with the next step", async () => {
  await mkdir(at("few", "Rex"), { recursive: true });
  await writeFile(at("few", "Rex", "a.png"), "no picture");
  await mkdir(at("none"));
  const model = ["--model", at("base"), "--out", at("refused")];
  const endings = await Promise.all([
    llava("teach", ...model, "--data", at("few")),
    llava("teach", ...model, "--data", at("none")),
    llava("teach", ...model, "--data", at("nowhere")),
    llava("teach", ...model, "--data", at("things"), "--rank", "1000"),
    llava("teach", "--model", at("things"), "--out", at("refused"), "--data", at("things")),
  ]);
  const sentences = [
    /1 pictures are too few; give at least 4[^]*the picture of Rex\/a\.png can't be read; save it as JPEG or PNG/,
    /holds no folders with pictures; make a folder per answer/,
    /there is no .*nowhere; name a JSON file/,
    /--rank: /,
    /is no package that can be taught; convert a model with llava convert --adaptable/,
  ];
  for (const [i, { code, err }] of endings.entries()) {
    expect(err).toMatch(sentences[i] ?? /never/);
    expect(code).toBe(1);
  }
  expect(await readdir(folder)).not.toContain("refused");
});

test("a stop while it trains leaves nothing", async () => {
  const args = ["teach", "--model", at("base"), "--data", at("things"), "--out", at("stopped"), "--threads", "1"];
  const child = spawn(process.execPath, ["--import", "tsx", "src/cli/main.ts", ...args], { cwd: root });
  let said = "";
  child.stderr.on("data", (text: Buffer) => {
    said += text.toString();
    if (/asking what it knows: 10 /.test(said)) child.kill("SIGINT");
  });
  const code = await new Promise((resolve) => child.on("exit", resolve));
  expect(said).toMatch(/stopped; nothing was written/);
  expect(code).toBe(130);
  expect((await readdir(folder)).filter((name) => name.includes("stopped"))).toEqual([]);
});
