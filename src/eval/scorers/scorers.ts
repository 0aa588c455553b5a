// Every scorer, in the order in which they are listed.
import { gqa } from "./gqa.ts";
import { llavaBench } from "./llava-bench.ts";
import { mmVet } from "./mm-vet.ts";
import { mme } from "./mme.ts";
import type { Scorer } from "./outcome.ts";
import { pope } from "./pope.ts";
import { scienceQa } from "./science-qa.ts";
import { seedBench } from "./seed-bench.ts";
import { textVqa } from "./text-vqa.ts";
import { vizwiz, vqav2 } from "./vqa.ts";

export const scorers: readonly Scorer[] = [
  vqav2, gqa, vizwiz, scienceQa, textVqa, pope, mme, seedBench, llavaBench, mmVet,
]; // prettier-ignore
