// `llava eval`: asks a model the questions of LLaVA's benchmarks, scores answer files, and makes the files that benchmark servers take.
import type { Command } from "commander";
import { addEvalReview, addEvalSummary } from "./eval-review.ts";
import { addEvalRun } from "./eval-run.ts";
import { addEvalScore } from "./eval-score.ts";
import { addEvalSubmit } from "./eval-submit.ts";

/** Adds `eval` with its own commands to the program. */
export function addEval(program: Command): void {
  const group = program
    .command("eval")
    .description("Evaluate models on LLaVA's benchmarks: run, score, submit, review, summary.");
  for (const add of [addEvalRun, addEvalScore, addEvalSubmit, addEvalReview, addEvalSummary]) add(group);
}
