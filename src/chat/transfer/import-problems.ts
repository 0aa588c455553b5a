// Everything that can be wrong with an imported file, and how much one may hold; the page has a sentence for each problem. Knows no file.
import { sampleLimits } from "#samples/limits.ts";
import type { Loss, SampleProblem } from "#samples/sample.ts";
import type { ZipProblem } from "#formats/import-zip.ts";

/** What is wrong with a whole file. */
export type FileProblem =
  | ZipProblem
  | "too-large"
  | "not-readable"
  | "not-json"
  | "breaks-off"
  | "unknown-format"
  | "newer-version"
  | "empty"
  | "too-many"
  | "pictures-too-large";

/** Why one conversation of a file was left out. */
export type ItemProblem = SampleProblem | "starts-with-answer" | "broken-links";

/** What has been left out of a conversation that was opened; "system" because a conversation of this page has no system prompt. */
export type ItemLoss = Loss | "system";

/** Why a picture is missing in a conversation that was opened. */
export type PictureTrouble = "missing" | "elsewhere" | "broken" | "too-large";

/** `item` counts from 1; `more` is how many others like this one are not listed. */
export type ImportProblem = { readonly more?: number } & (
  | { readonly kind: "file"; readonly problem: FileProblem; readonly file: string }
  | { readonly kind: "item"; readonly problem: ItemProblem; readonly file: string; readonly item: number }
  | {
      readonly kind: "loss";
      readonly problem: ItemLoss;
      readonly file: string;
      readonly item: number;
      readonly count: number;
    }
  | { readonly kind: "picture"; readonly problem: PictureTrouble; readonly picture: string; readonly item: number }
);

export interface ProblemList {
  add(problem: ImportProblem): void;
  /** In the order in which they were added. */
  list(): ImportProblem[];
}

/** Lists three of each kind and counts the others, because a file can have millions. */
export function createProblemList(): ProblemList {
  const groups = new Map<string, { readonly shown: ImportProblem[]; count: number }>();
  const order: ImportProblem[] = [];
  return {
    add(problem) {
      const key = `${problem.kind} ${problem.problem} ${"file" in problem ? problem.file : ""}`;
      const group = groups.get(key) ?? { shown: [], count: 0 };
      groups.set(key, group);
      group.count++;
      if (group.shown.length === shownOfAKind) return;
      group.shown.push(problem);
      order.push(problem);
    },
    list() {
      const more = new Map<ImportProblem | undefined, number>();
      for (const { shown, count } of groups.values()) more.set(shown.at(-1), count - shown.length);
      return order.map((problem) => {
        const others = more.get(problem) ?? 0;
        return others === 0 ? problem : { ...problem, more: others };
      });
    },
  };
}
const shownOfAKind = 3;

/** How much an import may hold; sizes in bytes. */
export const importLimits = {
  /** Of a file with text in a zip. */
  jsonBytes: 512 * 2 ** 20,
  pictureBytes: 64 * 2 ** 20,
  conversations: 2000,
  /** Of one conversation, and of all together, in UTF-16 units: the list holds every word for its search. */
  conversationText: 4 * 2 ** 20,
  allText: 16 * 2 ** 20,
  /** How many values are read, whether or not they are conversations. */
  items: 50_000,
  turns: sampleLimits.turns,
  /** Of one turn, in UTF-16 units. */
  textLength: sampleLimits.textLength,
  pathLength: sampleLimits.pathLength,
} as const;
