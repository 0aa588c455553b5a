// `llava eval review` and `llava eval summary`: a stronger model judges two answers to each question, and what its scores come to.
import { readFile } from "node:fs/promises";
import { InvalidArgumentError, type Command } from "commander";
import * as v from "valibot";
import { count } from "#eval/files/problems.ts";
import { fixed } from "#eval/files/python.ts";
import { judgeAnswers } from "#eval/judge/judge.node.ts";
import { reviewTasks } from "#eval/judge/review.ts";
import { serverModel } from "#eval/run/server-asker.node.ts";
import { scoreReviews } from "#eval/scorers/llava-bench.ts";
import { parseServerUrl, type Server } from "#remote/http/server.ts";
import { sentenceFor } from "#cli/terminal/sentences.ts";
import { stopOnSignals } from "#cli/terminal/stop.ts";

const Flags = v.object({
  questions: v.string(),
  context: v.optional(v.string()),
  answers: v.pipe(
    v.array(v.string()),
    v.length(2, "Give two files to --answers: the reference's and the candidate's."),
  ),
  judge: v.string(),
  out: v.string(),
  swap: v.optional(v.boolean(), false),
  maxTokens: v.number(),
  tries: v.number(),
  priceIn: v.optional(v.number()),
  priceOut: v.optional(v.number()),
  keyFrom: v.string(),
});
type Flags = v.InferOutput<typeof Flags>;

/** Adds `review` to `llava eval`. */
export function addEvalReview(group: Command): void {
  group
    .command("review")
    .description(
      "Let a stronger model on a server score two answers to each question, in LLaVA's blocks; goes on after a stop.",
    )
    .requiredOption("--questions <file>", "question lines")
    .option("--context <file>", "descriptions of the pictures: captions, with or without boxes")
    .requiredOption("--answers <files...>", "the reference's answers and the candidate's")
    .requiredOption("--judge <address#model>", "server and model that judges")
    .requiredOption("--out <file>", "review lines")
    .option("--swap", "show the candidate first, to measure how much the order sways the judge")
    .option("--max-tokens <n>", "longest review", number, 1024)
    .option("--tries <n>", "of each request", number, 4)
    .option("--price-in <p>", "price of a million tokens read, to count the cost", number)
    .option("--price-out <p>", "price of a million tokens written", number)
    .option("--key-from <variable>", "environment variable with the server's key", "LLAVA_SERVER_KEY")
    .action(async (raw: unknown) => {
      try {
        await review(v.parse(Flags, raw));
      } catch (error) {
        throw new Error(sentenceFor(error), { cause: error });
      }
    });
}

async function review(flags: Flags): Promise<void> {
  const { stderr } = process;
  const [address, name] = flags.judge.split("#");
  if (address === undefined || name === undefined)
    throw new Error("Name the judge after its server's address: https://host/v1#model.");
  const [reference = "", candidate = ""] = flags.answers;
  const tasks = reviewTasks({
    questions: await readText(flags.questions),
    context: flags.context === undefined ? undefined : await readText(flags.context),
    reference: await readText(reference),
    candidate: await readText(candidate),
  });
  const server: Server = { url: parseServerUrl(address), key: process.env[flags.keyFrom] };
  const waitsMs = Array.from({ length: Math.max(0, flags.tries - 1) }, (_, i) => 1000 * 3 ** i);
  const made = await judgeAnswers({
    server,
    model: await serverModel(server, name),
    tasks,
    file: flags.out,
    swapped: flags.swap,
    maxTokens: flags.maxTokens,
    waitsMs,
    onReview: (done, total) => stderr.write(stderr.isTTY ? `\r${done} of ${total} reviews` : ""),
    signal: stopOnSignals(),
  });
  if (stderr.isTTY) stderr.write("\n");
  stderr.write(`${count(made.asked, "review")} in ${flags.out}, ${made.before} from before; ${made.promptTokens.toLocaleString("en")} tokens read, ${made.newTokens.toLocaleString("en")} written`); // prettier-ignore
  const { priceIn = 0, priceOut = 0 } = flags;
  if (priceIn > 0 || priceOut > 0) stderr.write(`, cost ${((made.promptTokens * priceIn + made.newTokens * priceOut) / 1e6).toFixed(2)}`); // prettier-ignore
  stderr.write(".\n");
  if (made.unread > 0) stderr.write(`The scores of ${count(made.unread, "review")} could not be read from the judge's words.\n`); // prettier-ignore
}

/** Adds `summary` to `llava eval`. */
export function addEvalSummary(group: Command): void {
  group
    .command("summary")
    .description("Relative scores of reviews by category: candidate in percent of reference, and both means times ten.")
    .argument("<files...>", "review lines, of the usual order or swapped")
    .option("--as-published", "let reviews whose scores could not be read count as −1, as LLaVA's script does")
    .action(async (files: string[], raw: unknown) => {
      const { asPublished = false } = v.parse(v.object({ asPublished: v.optional(v.boolean()) }), raw);
      for (const name of files) {
        const outcome = scoreReviews({ name, text: await readText(name) }, !asPublished);
        const figures = outcome.figures(outcome.items);
        process.stdout.write(`${name}\n`);
        for (let i = 0; i < figures.length; i += 3) {
          const row = figures.slice(i, i + 3).map(({ value }) => fixed(value, 1).padStart(6));
          process.stdout.write(
            `${(figures[i]?.name ?? "").padEnd(22)}${row.join("  ")}  (${figures[i]?.items ?? 0})\n`,
          );
        }
        for (const note of outcome.notes) process.stderr.write(`${note}\n`);
      }
    });
}

async function readText(file: string): Promise<string> {
  return readFile(file, "utf8").catch((cause: unknown) => {
    throw new Error(`The file ${file} can't be read. Check its path.`, { cause });
  });
}

function number(value: string): number {
  const parsed = Number(value);
  if (value.trim() === "" || !Number.isFinite(parsed) || parsed < 0)
    throw new InvalidArgumentError("It must be a number, 0 or more.");
  return parsed;
}
