// A benchmark's files in memory, for tests of scorers.
import type { DataFiles } from "#eval/files/data-files.ts";

/** Files by path; values that are not text are written as JSON, lists of rows as lines where the name ends in jsonl. */
export function memoryData(files: Readonly<Record<string, unknown>>): DataFiles {
  const texts = new Map(Object.entries(files).map(([path, value]) => [path, textOf(path, value)]));
  return {
    name: "the data folder",
    find(paths) {
      const path = paths.find((one) => texts.has(one));
      return Promise.resolve(path === undefined ? undefined : { path, text: texts.get(path) ?? "" });
    },
    list(folder) {
      const names = [...texts.keys()].filter((path) => path.startsWith(`${folder}/`)).map((path) => path.slice(folder.length + 1)); // prettier-ignore
      return Promise.resolve(names.length === 0 ? undefined : names.filter((name) => !name.includes("/")).sort());
    },
  };
}

function textOf(path: string, value: unknown): string {
  if (typeof value === "string") return value;
  const isLines = Array.isArray(value) && (path.endsWith(".jsonl") || path.startsWith("coco/"));
  return isLines ? value.map((row) => `${JSON.stringify(row)}\n`).join("") : JSON.stringify(value);
}

/** Answer lines of a model. */
export function answerLines(answers: readonly (readonly [id: string | number, text: string, prompt?: string])[]): {
  readonly name: string;
  readonly text: string;
} {
  const lines = answers.map(([question_id, text, prompt = "…"]) =>
    JSON.stringify({ question_id, prompt, text, model_id: "model" }),
  );
  return { name: "answers.jsonl", text: `${lines.join("\n")}\n` };
}
