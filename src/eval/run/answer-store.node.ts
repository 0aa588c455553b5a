// A run's answers on disk. While it runs, lines are added to FILE.partial in the order in which they come; at the end FILE is written in the order of
// the questions. Either file is where a later run goes on.
import { closeSync, fsyncSync, openSync, writeSync } from "node:fs";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import * as v from "valibot";
import { answerLine, shortId, type Question } from "#eval/benchmarks/benchmark.ts";
import { parseJsonLines } from "#eval/files/json-lines.ts";
import { dumps } from "#eval/files/python.ts";
import { createIdentities } from "./order.ts";

const Line = v.looseObject({
  question_id: v.union([v.string(), v.number()]),
  prompt: v.string(),
  text: v.string(),
  round_id: v.optional(v.number()),
  model_id: v.optional(v.string()),
  metadata: v.optional(v.looseObject({ error: v.optional(v.string()) })),
});

export interface AnswerStore {
  /** Places of the questions that earlier runs have answered. */
  readonly answered: ReadonlySet<number>;
  /** Writes an answer down at once. */
  add(place: number, text: string): void;
  /** Says why a question is not answered; a later run asks it again. */
  addError(place: number, error: string): void;
  /** Writes the answers in the order of the questions. */
  finish(): Promise<void>;
  close(): void;
}

/** Reads what earlier runs left. Throws a sentence where the file holds another model's answers, or none to these questions. */
export async function openAnswerStore(
  file: string,
  questions: readonly Question[],
  modelId: string,
): Promise<AnswerStore> {
  const partial = `${file}.partial`;
  const nameOf = createIdentities();
  const places = new Map(questions.map((question, place) => [nameOf(question.id, question.prompt, question.afterId?.["round_id"]), place])); // prettier-ignore
  const lines = new Map<number, Readonly<Record<string, unknown>>>();
  for (const path of [file, partial]) {
    const text = await readFile(path, "utf8").catch(() => undefined);
    if (text !== undefined) takeOver(path, text, places, modelId, lines);
  }
  const answered = new Set(lines.keys());
  const errors = new Map<number, string>();
  await mkdir(dirname(file), { recursive: true });
  let output: number | undefined;
  const close = (): void => {
    if (output !== undefined) closeSync(output);
    output = undefined;
  };
  return {
    answered,
    add(place, text) {
      const question = questions[place];
      if (!question) return;
      const line = answerLine(question, text, { answerId: shortId(), modelId });
      lines.set(place, line);
      errors.delete(place);
      output ??= openForLines(partial);
      writeSync(output, `${dumps(line)}\n`);
    },
    addError: (place, error) => void errors.set(place, error),
    async finish() {
      if (output !== undefined) fsyncSync(output);
      const all = questions.map((question, place) => {
        const error = errors.get(place) ?? "not asked";
        return lines.get(place) ?? answerLine(question, "", { answerId: shortId(), modelId, error });
      });
      const temporary = `${file}.new`;
      await writeFile(temporary, all.map((line) => `${dumps(line)}\n`).join(""));
      await rename(temporary, file);
      close();
      await rm(partial, { force: true });
    },
    close,
  };
}

/** Opens a file to add lines to. What a killed process left of a line gets a line of its own. */
function openForLines(path: string): number {
  const output = openSync(path, "a+");
  writeSync(output, "\n");
  return output;
}

function takeOver(
  path: string,
  text: string,
  places: ReadonlyMap<string, number>,
  modelId: string,
  lines: Map<number, Readonly<Record<string, unknown>>>,
): void {
  const nameOf = createIdentities();
  let [kept, strange] = [0, 0];
  for (const { value } of parseJsonLines(text).rows) {
    const parsed = v.safeParse(Line, value);
    if (!parsed.success) {
      strange++;
      continue;
    }
    const line = parsed.output;
    if (line.model_id !== undefined && line.model_id !== modelId)
      throw new Error(
        `${path} holds answers of ${line.model_id}, and this run is of ${modelId}. Give another --out, or --model-id ${line.model_id} to go on with them.`,
      );
    const place = places.get(nameOf(line.question_id, line.prompt, line.round_id));
    if (place === undefined) {
      strange++;
      continue;
    }
    kept++;
    if (line.metadata?.error === undefined) lines.set(place, line);
  }
  if (kept === 0 && strange > 0)
    throw new Error(
      `${path} is there and holds no answers to these questions. Give another --out, or remove it if nobody needs it.`,
    );
}
