// What the bench page asks, and what it makes of the times. Knows no page and no system.
import type { Message, Part } from "#engine/types.ts";
import { compare, firstDifference, spreadOf, type Spread, type System, type Timed } from "../measure.ts";

export type RowId = "first" | "next" | "again" | "short" | "long";
export type Figure = "firstTokenMs" | "decodeRate";

export interface Row {
  readonly id: RowId;
  readonly figure: Figure;
  readonly ours: Spread;
  readonly theirs?: Spread | undefined;
  /** Above 1 this engine is ahead; the median of the pairs. */
  readonly ratio?: Spread | undefined;
  /** Whether both gave the same answers; where not, the first two that differ. */
  readonly parted?: { readonly ours: string; readonly theirs: string } | undefined;
  readonly runs: readonly { readonly ours: Timed; readonly theirs?: Timed | undefined }[];
}

export interface PlanSize {
  readonly pairs: number;
  /** Of the long prompt. */
  readonly words: number;
}

export interface Systems {
  readonly ours: System<readonly Message[]>;
  readonly theirs?: System<readonly Message[]> | undefined;
}

interface Step {
  readonly id: RowId;
  readonly figures: readonly Figure[];
  readonly request: (run: number) => readonly Message[];
}

const user = (text: string, ...parts: readonly Part[]): Message => ({
  role: "user",
  parts: [...parts, { type: "text", text }],
});

function stepsOf(picture: Blob, words: number): readonly Step[] {
  let made = 0;
  /** What follows a PNG's end makes another file of the same picture, so that nothing kept of it helps. */
  const fresh = (): Part => ({ type: "image", blob: new Blob([picture, `#${made++}`]) });
  const seen: readonly Message[] = [
    user("How many cats are there?", fresh()),
    { role: "assistant", parts: [{ type: "text", text: "Three." }] },
  ];
  const again = [...seen, user("Describe the picture.")];
  const filler = Array.from({ length: words }, (_, i) => `word${i % 97}`).join(" ");
  return [
    { id: "first", figures: ["firstTokenMs"], request: () => [user("How many cats are there?", fresh())] },
    {
      id: "next",
      figures: ["firstTokenMs"],
      request: (run) => [...seen, user(["Where is the dog?", "Is there a rocket?"][run % 2] ?? "")],
    },
    { id: "again", figures: ["firstTokenMs"], request: () => again },
    { id: "short", figures: ["decodeRate"], request: () => [user("Describe the picture.", fresh())] },
    { id: "long", figures: ["decodeRate"], request: () => [user(`${filler} Describe the picture.`, fresh())] },
  ];
}

/** Runs in turns, A B A B, after one of each that does not count; `onStep` is told before every run. */
export async function runPlan(
  { ours, theirs }: Systems,
  picture: Blob,
  { pairs, words }: PlanSize,
  onStep: (done: number, of: number) => void,
): Promise<Row[]> {
  const steps = stepsOf(picture, words);
  const rows: Row[] = [];
  for (const [at, { id, figures, request }] of steps.entries()) {
    const runs: { ours: Timed; theirs?: Timed | undefined }[] = [];
    for (let run = 0; run <= pairs; run++) {
      onStep(at * (pairs + 1) + run, steps.length * (pairs + 1));
      const messages = request(run);
      const found = { ours: await ours(messages), theirs: await theirs?.(messages) };
      if (run > 0) runs.push(found);
    }
    const both = { ours: runs.map((run) => run.ours), theirs: runs.flatMap((run) => run.theirs ?? []) };
    for (const figure of figures) {
      const row = { id, figure, runs };
      if (theirs) {
        const compared = compare(both, figure);
        rows.push({ ...row, ...compared, parted: firstDifference(both) });
      } else rows.push({ ...row, ours: spreadOf(both.ours.map((one) => one[figure])) });
    }
  }
  return rows;
}
