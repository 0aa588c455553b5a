// Asks a judge on a server about two answers to each question, and writes LLaVA's review lines. Goes on after a stop, with a limit on tries.
import { appendFile, mkdir, readFile } from "node:fs/promises";
import { dirname } from "node:path";
import * as v from "valibot";
import type { GenerateRequest } from "#engine/types.ts";
import { parseJsonLines } from "#eval/files/json-lines.ts";
import { dumps } from "#eval/files/python.ts";
import { generateRemote } from "#remote/generate.ts";
import { RemoteError } from "#remote/http/errors.ts";
import type { Server, ServerModel } from "#remote/http/server.ts";
import { judgeSystem, readScores, type ReviewTask } from "./review.ts";

const Kept = v.looseObject({
  question_id: v.union([v.number(), v.string()]),
  tuple: v.array(v.number()),
  swapped: v.optional(v.boolean(), false),
});

export interface JudgeOptions {
  readonly server: Server;
  readonly model: ServerModel;
  readonly tasks: readonly ReviewTask[];
  readonly file: string;
  /** Shows the candidate first. Scores are still written as [reference, candidate], and the line says `swapped`. */
  readonly swapped: boolean;
  readonly maxTokens: number;
  /** Waits in milliseconds before each further try of a request. */
  readonly waitsMs: readonly number[];
  readonly onReview: (done: number, total: number) => void;
  readonly signal: AbortSignal;
}

/** What a run of reviews came to. */
export interface JudgeSummary {
  readonly before: number;
  readonly asked: number;
  /** Reviews whose scores could not be read. */
  readonly unread: number;
  /** Of the judge, as the server counts them. */
  readonly promptTokens: number;
  readonly newTokens: number;
}

/** Reviews what the file lacks, in the order of the tasks. Rejects where the judge fails after all tries; the file keeps what there is. */
export async function judgeAnswers(options: JudgeOptions): Promise<JudgeSummary> {
  const { tasks, file, swapped, onReview } = options;
  const kept = await keptReviews(file, swapped);
  let [asked, unread, promptTokens, newTokens] = [0, 0, 0, 0];
  await mkdir(dirname(file), { recursive: true });
  for (const [i, task] of tasks.entries()) {
    if (kept.has(String(task.questionId))) continue;
    const review = await askJudge(options, task.content(swapped));
    const [first, second] = readScores(review.text);
    const tuple = swapped ? [second, first] : [first, second];
    const line = {
      id: i + 1,
      question_id: task.questionId,
      answer1_id: task.answerIds[0],
      answer2_id: task.answerIds[1],
      category: task.category,
      content: review.text,
      tuple,
      ...(swapped ? { swapped: true } : {}),
    };
    await appendFile(file, `${dumps(line)}\n`);
    asked++;
    if (first === -1) unread++;
    promptTokens += review.promptTokens;
    newTokens += review.newTokens;
    onReview(kept.size + asked, tasks.length);
  }
  return { before: kept.size, asked, unread, promptTokens, newTokens };
}

/** Ids that the file has reviews of. Throws a sentence where they are of the other order. */
async function keptReviews(file: string, swapped: boolean): Promise<ReadonlySet<string>> {
  const text = await readFile(file, "utf8").catch(() => "");
  if (text !== "" && !text.endsWith("\n"))
    throw new Error(`The last line of ${file} is cut off. Remove it, and the same command goes on.`);
  const ids = new Set<string>();
  for (const { value } of parseJsonLines(text).rows) {
    const parsed = v.safeParse(Kept, value);
    if (!parsed.success) throw new Error(`${file} holds something else than reviews. Give another --out.`);
    if (parsed.output.swapped !== swapped) throw new Error(`${file} holds reviews in ${swapped ? "the usual" : "swapped"} order. Give another --out.`); // prettier-ignore
    ids.add(String(parsed.output.question_id));
  }
  return ids;
}

async function askJudge(
  { server, model, maxTokens, waitsMs, signal }: JudgeOptions,
  content: string,
): Promise<{ readonly text: string; readonly promptTokens: number; readonly newTokens: number }> {
  const request: GenerateRequest = {
    messages: [
      { role: "system", parts: [{ type: "text", text: judgeSystem }] },
      { role: "user", parts: [{ type: "text", text: content }] },
    ],
    sampling: { temperature: 0.2, topK: 0, topP: 1, minP: 0, repetitionPenalty: 1 },
    maxNewTokens: maxTokens,
    stop: [],
  };
  for (let tries = 0; ; tries++) {
    try {
      let [text, promptTokens, newTokens] = ["", 0, 0];
      for await (const event of generateRemote(server, model, request, signal, noPictures)) {
        if (event.type === "text") text += event.text;
        else if (event.type === "done") ({ promptTokens, newTokens } = event.usage);
      }
      signal.throwIfAborted();
      return { text, promptTokens, newTokens };
    } catch (error) {
      signal.throwIfAborted();
      const waitMs = waitsMs[tries];
      if (!(error instanceof RemoteError) || waitMs === undefined || /key|address|insecure|not-found|redirect/.test(error.code)) throw error; // prettier-ignore
      await new Promise((resolve) => setTimeout(resolve, waitMs));
    }
  }
}

/** A judge is sent text alone. */
const noPictures = (): Promise<never> => Promise.reject(new Error("a judge is sent no pictures"));
