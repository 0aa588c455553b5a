// For tests: the golden vectors that training/make_golden.py writes from the PyTorch reference, and one prompt run against them.
import * as v from "valibot";
import { greedyIds, largestDifference, promptRows, type GraphRunner } from "./graph-runner.ts";

const numbers = v.array(v.number());

/** One prompt: `ids` hold one image token per picture; `logits` are those after the prompt, at `positions`. */
export const GoldenPrompt = v.object({ ids: numbers, positions: numbers, logits: numbers, greedy: numbers });
export type GoldenPrompt = v.InferOutput<typeof GoldenPrompt>;

/** What a model that is right stays within, in logits. */
export const tolerance = 1e-3;

/** The prompt's ids with each image token repeated for every row of its picture's features. */
function spreadImageTokens(ids: readonly number[], imageToken: number, imageTokens: number): number[] {
  return ids.flatMap((id) => (id === imageToken ? new Array<number>(imageTokens).fill(id) : [id]));
}

/** How far the graphs are from the reference on one prompt: the worst logit, and the greedy ids they give. */
export async function runGolden(
  runner: GraphRunner,
  prompt: GoldenPrompt,
  picture: { readonly pixels: Float32Array; readonly size: number },
  image: { readonly token: number; readonly tokens: number },
): Promise<{ readonly worst: number; readonly greedy: readonly number[] }> {
  const ids = spreadImageTokens(prompt.ids, image.token, image.tokens);
  const rows = await promptRows(runner, ids, image.token, await runner.features(picture.pixels, picture.size));
  const { logits } = await runner.decode(rows, ids.length, undefined, 0, 1);
  const actual = prompt.positions.map((position) => logits[position] ?? NaN);
  return {
    worst: largestDifference(actual, prompt.logits),
    greedy: await greedyIds(runner, rows, ids.length, prompt.greedy.length),
  };
}
