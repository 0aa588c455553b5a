// The command itself, as a process, on a tiny random package: what it prints, where, and how it ends.
import { spawn } from "node:child_process";
import { copyFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { convert } from "#convert/convert.ts";
import { checkpointFolder, packageFolder } from "#convert/package/folder.node.ts";

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const root = fileURLToPath(new URL("../../", import.meta.url));
let folder: string;
let model: string;
let picture: string;

interface Ending {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function llava(args: readonly string[], options: { stdin?: string; interruptAfterMs?: number } = {}): Promise<Ending> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ["scripts/run.mjs", "src/cli/main.ts", "chat", ...args], { cwd: root });
    let stdout = "";
    let stderr = "";
    child.stdout.on("data", (chunk: Buffer) => {
      if (stdout === "" && options.interruptAfterMs !== undefined) {
        setTimeout(() => child.kill("SIGINT"), options.interruptAfterMs);
      }
      stdout += chunk.toString("utf8");
    });
    child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString("utf8")));
    child.on("close", (code) => resolve({ code, stdout, stderr }));
    child.stdin.end(options.stdin ?? "");
  });
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "llava-chat-"));
  model = join(folder, "package");
  picture = join(folder, "red.png");
  await convert(
    checkpointFolder(join(root, "training/fixtures/tiny-llava")),
    await packageFolder(model, { force: false }),
    { bits: { vision: 8, embed: 8, decoder: 4 }, template: "vicuna_v1" },
  );
  await sharp({ create: { width: 60, height: 40, channels: 3, background: "red" } }).toFile(picture);
});
afterAll(() => rm(folder, { recursive: true }));

describe("one question", () => {
  test("is answered on stdout, with timings on stderr when asked for", async () => {
    const options = ["--max-new-tokens", "8", "--verbose"];
    const { code, stdout, stderr } = await llava(["--model", model, "--image", picture, ...options, "What is it?"]);
    expect(code).toBe(0);
    expect(stdout.trim()).not.toBe("");
    expect(stderr).toMatch(/prefill \d+ ms .* first token \d+ ms/);
  });

  test("with the same seed twice gives the same answer", async () => {
    const options = ["--temperature", "1", "--seed", "5", "--max-new-tokens", "16"];
    const ask = () => llava(["--model", model, "--image", picture, ...options, "What is it?"]);
    const [first, second] = [await ask(), await ask()];
    expect(second.stdout).toBe(first.stdout);
  });

  test("stops at Ctrl+C with what was said so far, and exit code 130", async () => {
    const { code, stdout } = await llava(["--model", model, "--max-new-tokens", "100000", "Go on"], {
      interruptAfterMs: 20,
    });
    expect(code).toBe(130);
    expect(stdout.endsWith("\n")).toBe(true);
  });
});

test("questions on stdin are turns of one conversation", async () => {
  const options = ["--max-new-tokens", "4", "--verbose"];
  const { code, stderr } = await llava(["--model", model, "--image", picture, ...options], {
    stdin: "What is it?\nAnd now?\n",
  });
  expect(code).toBe(0);
  const held = [...stderr.matchAll(/(\d+) held/g)].map(([, count]) => Number(count));
  expect(held).toHaveLength(2);
  expect(held[0]).toBe(0);
  expect(held[1]).toBeGreaterThan(50);
});

test("a question whose answer ended before its first word is not a turn, and its picture stays for the next", async () => {
  const options = ["--model", model, "--image", picture, "--max-new-tokens", "4"];
  const { stdout } = await llava([...options, "What is it?"]);
  const [firstLetter = ""] = stdout.trim();
  const { code, stderr } = await llava([...options, "--verbose", "--stop", firstLetter], {
    stdin: "What is it?\nWhat is it?\n",
  });
  expect(code).toBe(0);
  const prompts = [...stderr.matchAll(/\((\d+) tokens, \d+ held\)/g)].map(([, count]) => Number(count));
  expect(prompts).toHaveLength(2);
  expect(prompts[1]).toBe(prompts[0]);
});

test("pictures are added as a terminal inserts their paths, after /image or alone on a line", async () => {
  const spaced = join(folder, "three cats.png");
  await copyFile(picture, spaced);
  const options = ["--model", model, "--max-new-tokens", "4", "--verbose"];
  const escaped = spaced.replaceAll(" ", "\\ ");
  const lines = [`/image '${spaced}' `, `/image ${escaped}`, `file://${spaced.replaceAll(" ", "%20")}`, `"${spaced}"`];
  const { code, stderr } = await llava(options, { stdin: `${lines.join("\n")}\nWhat is it?\n` });
  expect(code).toBe(0);
  const counts = async (pictures: number): Promise<number> => {
    const images = Array.from({ length: pictures }, () => ["--image", spaced]).flat();
    const said = await llava([...options, ...images, "What is it?"]);
    return Number(/\((\d+) tokens/.exec(said.stderr)?.[1]);
  };
  expect(Number(/\((\d+) tokens/.exec(stderr)?.[1])).toBe(await counts(4));
});

describe("what can't be done is said in a sentence, with exit code 1", () => {
  test.each<[string, () => string[], RegExp]>([
    [
      "a picture that is not there",
      () => ["--model", model, "--image", join(folder, "no.png"), "Q"],
      /can't be opened/,
    ],
    ["a file that is no picture", () => ["--model", model, "--image", join(folder, "text.png"), "Q"], /can't be read/],
    ["a model nobody knows", () => ["--model", "nonesuch", "Q"], /no model package at nonesuch.*pocket-llava/],
    ["a folder without a package", () => ["--model", folder, "Q"], /manifest.json is missing.*llava convert/],
    ["a temperature below zero", () => ["--model", model, "--temperature", "-1", "Q"], /temperature must be 0 or more/],
    ["a picture's address", () => ["--model", model, "--image", "https://a.example/b.png", "Q"], /Save the picture/],
    ["a folder as a picture", () => ["--model", model, "--image", folder, "Q"], /is a folder. Give a picture in it/],
    ["an empty question", () => ["--model", model, " "], /question is empty/],
    ["a number that is none", () => ["--model", model, "--top-k", "many", "Q"], /must be a number/],
  ])("%s", async (_, args, message) => {
    await writeFile(join(folder, "text.png"), "no picture");
    const { code, stdout, stderr } = await llava(args());
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/\n\s+at /);
    expect(stdout).toBe("");
    expect(code).toBe(1);
  });
});
