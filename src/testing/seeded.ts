// Random numbers of tests that should not draw the same ones every time, and yet can be run again as they failed.
import { createRandom } from "#engine/text/sampler.ts";

/** Numbers in [0, 1) from a seed of their own, for the test to print; LLAVA_SEED in the environment asks for one that was printed. */
export function seeded(): { readonly seed: number; readonly random: () => number } {
  const asked = process.env["LLAVA_SEED"];
  const seed = asked === undefined ? Date.now() % 1_000_000 : Number(asked);
  return { seed, random: createRandom(seed) };
}
