// `llava eval` as a command, on the built-in model and a POPE-shaped set of the repository's held-out pictures, and on a server.
import { spawn } from "node:child_process";
import { appendFile, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { startFakeServer } from "#testing/servers/fake-server.node.ts";

const root = fileURLToPath(new URL("../../../", import.meta.url));
let folder: string;

interface Ending {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the command; `stopAt` sends SIGINT once a file has so many lines. */
function evaluate(
  args: readonly string[],
  stopAt?: { readonly file: string; readonly lines: number },
): Promise<Ending> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ["scripts/run.mjs", "src/cli/main.ts", "eval", ...args], { cwd: root });
    let [stdout, stderr, told] = ["", "", false];
    child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString("utf8")));
    child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString("utf8")));
    const watch = stopAt && setInterval(() => {
      void readFile(stopAt.file, "utf8").then((text) => {
        if (text.trim().split("\n").length >= stopAt.lines && !told) {
            told = true;
            child.kill("SIGINT");
          }
      }, () => undefined);
    }, 5); // prettier-ignore
    child.on("close", (code) => {
      clearInterval(watch);
      resolve({ code, stdout, stderr });
    });
  });
}

const categories = ["adversarial", "popular", "random"];
const perCategory = 16;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "llava-eval-"));
  await mkdir(join(folder, "pope/coco"), { recursive: true });
  await symlink(join(root, "training/heldout/pictures"), join(folder, "pope/val2014"));
  const text = await readFile(join(root, "training/heldout/questions.jsonl"), "utf8");
  const yesNo = text.split("\n").filter((line) => line.includes('"kind": "yesno"')).map((line) => JSON.parse(line) as { image: string; text: string; answers: string[] }); // prettier-ignore
  for (const [c, category] of categories.entries()) {
    const own = yesNo.slice(c * perCategory, (c + 1) * perCategory);
    const labels = own.map(({ image, text, answers }, i) => ({ question_id: i + 1, image, text, label: answers[0] }));
    const lines = own.map(({ image, text }, i) => ({ question_id: 100 * (c + 1) + i, image, text, category }));
    await writeFile(join(folder, `pope/coco/coco_pope_${category}.json`), labels.map((row) => `${JSON.stringify(row)}\n`).join("")); // prettier-ignore
    await appendFile(
      join(folder, "pope/llava_pope_test.jsonl"),
      lines.map((row) => `${JSON.stringify(row)}\n`).join(""),
    );
  }
});
afterAll(() => rm(folder, { recursive: true }));

const run = (out: string, ...more: readonly string[]): string[] =>
  ["run", "pope", "--model", "pocket-llava", "--data", folder, "--out", join(folder, out), "--max-new-tokens", "12", ...more]; // prettier-ignore

async function report(
  ...answers: readonly string[]
): Promise<{ models: { figures: { name: string; value: number }[]; notes: string[] }[] }> {
  const files = answers.map((name) => join(folder, name));
  const { stdout } = await evaluate([
    "score",
    "pope",
    "--answers",
    ...files,
    "--data",
    folder,
    "--json",
    "--resamples",
    "50",
  ]);
  return JSON.parse(stdout) as Awaited<ReturnType<typeof report>>;
}

describe("a run of POPE on the built-in model", () => {
  test("stopped and resumed, in two chunks, and by two workers gives the figure of one go", async () => {
    const whole = await evaluate(run("whole.jsonl"));
    expect(whole.stderr).toContain("48 answers of 48 in");
    expect(whole.code).toBe(0);

    const partial = join(folder, "stopped.jsonl.partial");
    const stopped = await evaluate(run("stopped.jsonl"), { file: partial, lines: 5 });
    expect(stopped.stderr).toMatch(
      /stopped: \d+ questions of 48 are done and kept; the same command goes on from there/,
    );
    expect(stopped.code).toBe(130);
    const kept = (await readFile(partial, "utf8")).trim().split("\n").length;
    const resumed = await evaluate(run("stopped.jsonl", "--workers", "2"));
    expect(resumed.stderr).toContain(`${kept} questions of 48 were answered before.`);
    expect(resumed.code).toBe(0);

    for (const k of ["0", "1"]) expect((await evaluate(run(`chunk${k}.jsonl`, "--num-chunks", "2", "--chunk-idx", k))).code).toBe(0); // prettier-ignore
    const chunks = await Promise.all(
      ["chunk0.jsonl", "chunk1.jsonl"].map((name) => readFile(join(folder, name), "utf8")),
    );
    await writeFile(join(folder, "merge.jsonl"), chunks.join(""));

    const { models } = await report("whole.jsonl", "stopped.jsonl", "merge.jsonl");
    const [first, ...others] = models.map(({ figures }) => figures.map(({ name, value }) => [name, value]));
    expect(others).toEqual([first, first]);
    expect(models[0]?.figures[0]).toMatchObject({ name: "mean F1" });
    expect(models[0]?.figures[0]?.value).toBeGreaterThan(0.8);
    expect(models.flatMap(({ notes }) => notes)).toEqual([]);
  });
});

test("a model of a hub is asked by its name, as llava chat asks it", async () => {
  // Its package is where an earlier fetch has left it.
  await mkdir(join(folder, "packages"));
  await symlink(join(root, "public/models/pocket-llava"), join(folder, "packages/owner--pocket"));
  vi.stubEnv("LLAVA_HOME", join(folder, "packages"));
  try {
    const out = join(folder, "hub.jsonl");
    const args = ["run", "pope", "--model", "owner/pocket", "--data", folder, "--out", out, "--limit", "1"];
    const { code, stderr } = await evaluate(args);
    expect(stderr).toContain("1 answer of 1 in");
    expect(code).toBe(0);
    expect(JSON.parse(await readFile(out, "utf8"))).toMatchObject({ model_id: "owner/pocket" });
  } finally {
    vi.unstubAllEnvs();
  }
});

describe("a server", () => {
  test("is asked with the picture and the benchmark's text, by several workers at once", async () => {
    const server = await startFakeServer({ models: ["big"], answer: (question) => (question.includes("heart") ? "No" : "Yes") }); // prettier-ignore
    try {
      const args = [
        "run",
        "pope",
        "--model",
        `${server.url}#big`,
        "--data",
        folder,
        "--out",
        join(folder, "server.jsonl"),
      ];
      const { code, stderr } = await evaluate([...args, "--workers", "4", "--limit", "8"]);
      expect(stderr).toContain("8 answers of 8 in");
      expect(code).toBe(0);
      const lines = (await readFile(join(folder, "server.jsonl"), "utf8")).trim().split("\n").map((line) => JSON.parse(line) as { text: string; prompt: string; model_id: string }); // prettier-ignore
      for (const { text, prompt, model_id } of lines) expect([text, model_id]).toEqual([prompt.includes("heart") ? "No" : "Yes", "big"]); // prettier-ignore
      const unknown = await evaluate([
        "run",
        "pope",
        "--model",
        `${server.url}#small`,
        "--data",
        folder,
        "--out",
        join(folder, "x.jsonl"),
      ]);
      expect(unknown.stderr).toContain('has no model "small". It has: big.');
      expect(unknown.code).toBe(1);
    } finally {
      await server.stop();
    }
  });
});

describe("what is wrong is said in a sentence", () => {
  test.each([
    [["run", "hope", "--model", "x", "--out", "y"], /There is no benchmark "hope". There are: vqav2,/],
    [["run", "pope", "--model", "pocket-llava", "--out", "y"], /Say where POPE is: --data FOLDER/],
    [
      ["run", "pope", "--model", "pocket-llava", "--data", "/nowhere", "--out", "y"],
      /there is no llava_pope_test.jsonl/,
    ],
    [
      ["run", "gqa", "--model", "pocket-llava", "--data", ".", "--out", "y", "--chunk-idx", "3"],
      /--chunk-idx counts from 0/,
    ],
    [["run", "gqa", "--model", "pocket-llava", "--data", ".", "--out", "y", "--split", "test"], /GQA has no splits/],
    [["score", "pope", "--answers", "nowhere.jsonl", "--data", "/nowhere"], /There is no folder \/nowhere/],
    [["score", "pope", "--answers", "nowhere.jsonl"], /Say where POPE's labels are/],
    [
      ["review", "--questions", "x", "--answers", "a", "--judge", "https://host/v1#m", "--out", "y"],
      /Give two files to --answers/,
    ],
    [
      ["review", "--questions", "x", "--answers", "a", "b", "--judge", "https://host/v1", "--out", "y"],
      /Name the judge after its server's address/,
    ],
    [["summary", "training/fixtures/evaluation/gqa/answers.jsonl"], /holds no reviews: no line has two scores/],
    [
      ["submit", "pope", "--answers", "training/fixtures/evaluation/pope/answers.jsonl", "--out", "y"],
      /pope is not handed in anywhere/,
    ],
    [["score", "mmbench", "--answers", "x", "--data", "."], /There is no scorer for "mmbench"/],
  ])("%s", async (args, message) => {
    const { code, stderr } = await evaluate(args);
    expect(stderr).toMatch(message);
    expect(code).toBe(1);
  });
});
