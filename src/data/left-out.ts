// Reads what can be used, and counts everything else, to be told at the end. Nothing is left out in silence.
import type { Sample } from "#samples/sample.ts";
import { kindOfLoss } from "#data/check/finding-kinds.ts";
import { Findings, type Finding } from "#data/check/findings.ts";
import { readEntries, type DataFile, type Entry, type ReadOptions } from "./data-file.ts";

export interface UsableEntry extends Entry {
  readonly sample: Sample;
}

/** What of some files was not used. */
export class LeftOut {
  /** Whole items. */
  readonly items = new Findings(1);
  /** Parts of conversations that the reader does not keep. */
  readonly parts = new Findings(1);

  /** A line for each kind; `parts` says what became of the parts. */
  notes(parts: "left out" | "kept as they are"): string[] {
    const told = (finding: Finding, how: string): string => `${how}: ${told1(finding)}`;
    return [
      ...this.items.list().map((finding) => told(finding, "left out")),
      ...this.parts.list().map((finding) => told(finding, parts)),
    ];
  }
}

function told1({ count, title, examples: [first] }: Finding): string {
  const where = first === undefined ? "" : ` (first: ${first.file}, item ${first.item}, line ${first.line})`;
  return `${count.toLocaleString("en")} × ${title}${where}`;
}

/** The conversations of a file that can be read; throws a sentence where the JSON is broken, or nothing can be read at all. */
export async function* usableEntries(
  file: DataFile,
  leftOut: LeftOut,
  options: ReadOptions = {},
): AsyncGenerator<UsableEntry> {
  let used = 0;
  const own = new Findings(1);
  for await (const entry of readEntries(file, options)) {
    const { sample, item, line } = entry;
    const place = { file: file.name, item, line };
    if (sample === "broken") throw new Error(broken(entry));
    if (typeof sample === "string") {
      leftOut.items.add(sample, place);
      own.add(sample, place);
      continue;
    }
    for (const [loss, count] of sample.lost) leftOut.parts.add(kindOfLoss[loss], place, "", count);
    if ((entry.aside ?? 0) > 0) leftOut.items.add("aside", place, "", entry.aside);
    if ((entry.unanswered ?? 0) > 0) leftOut.items.add("unanswered", place, "", entry.unanswered);
    used++;
    yield { ...entry, sample };
  }
  const [why] = own.list();
  if (used === 0)
    throw new Error(`nothing in ${file.name} can be used: ${why === undefined ? "it is empty" : told1(why)}`);
}

const broken = ({ file, item, line }: Entry): string =>
  `${file.name} is broken in item ${item}, which begins in line ${line}: the JSON is invalid or breaks off. Mend that line and run the command again`;
