// What the benches ask, in Node and on the page: the same questions to every system, in turns. Knows no page and no system.
import type { Message, Part } from "#engine/types.ts";
import { firstDifference, ratioOf, spreadOf, type Figure, type Spread, type System, type Timed } from "./measure.ts";

export type RowId = "first" | "next" | "again" | "describe" | "context";

/** What a peer has in a row. */
interface PeerFigure {
  readonly spread: Spread;
  /** Above 1 this engine is ahead; the median of the pairs. */
  readonly ratio: Spread;
  /** The first two answers that differ, if any do. */
  readonly parted?: { readonly ours: string; readonly theirs: string } | undefined;
}

export interface Row {
  readonly id: RowId;
  readonly figure: Figure;
  /** Of the prompt, where that is what the row is about. */
  readonly promptTokens?: number | undefined;
  readonly ours: Spread;
  /** By name; a system that does not answer such questions is left out. */
  readonly peers: Readonly<Record<string, PeerFigure>>;
  readonly runs: readonly { readonly ours: Timed; readonly peers: Readonly<Record<string, Timed>> }[];
}

export interface PlanSize {
  readonly pairs: number;
  /** Lengths of prompts without a picture, in tokens, about. */
  readonly contexts: readonly number[];
  /** Whether pictures are asked about, too; default true. */
  readonly pictures?: boolean | undefined;
}

export interface Systems {
  readonly ours: System<readonly Message[]>;
  readonly peers: Readonly<Record<string, System<readonly Message[]>>>;
}

interface Step {
  readonly id: RowId;
  readonly figures: readonly Figure[];
  readonly promptTokens?: number;
  readonly request: (run: number) => readonly Message[];
}

const user = (text: string, ...parts: readonly Part[]): Message => ({
  role: "user",
  parts: [...parts, { type: "text", text }],
});

/** So many words that no other run has begun with. */
function longText(words: number, run: number): string {
  const filler = Array.from({ length: words }, (_, i) => `word${(i * 7 + run * 31) % 97}`);
  return `${run}. ${filler.join(" ")} Describe the picture.`;
}

/** Words and tokens of two prompts tell how many words make so many tokens. */
async function wordsFor(ours: Systems["ours"], contexts: readonly number[]): Promise<Map<number, number>> {
  const tokensOf = async (words: number): Promise<number> =>
    (await ours([user(longText(words, 50 + words))]))?.promptTokens ?? NaN;
  const [few, many] = [await tokensOf(20), await tokensOf(60)];
  const perWord = (many - few) / 40;
  return new Map(contexts.map((tokens) => [tokens, Math.max(1, Math.round(20 + (tokens - few) / perWord))]));
}

async function stepsOf(systems: Systems, picture: Blob, contexts: readonly number[]): Promise<Step[]> {
  let made = 0;
  /** What follows a PNG's end makes another file of the same picture, so that nothing kept of it helps. */
  const fresh = (): Part => ({ type: "image", blob: new Blob([picture, `#${made++}`]) });
  const seen: readonly Message[] = [
    user("How many cats are there?", fresh()),
    { role: "assistant", parts: [{ type: "text", text: "Three." }] },
  ];
  const again = [...seen, user("Describe the picture.")];
  const words = contexts.length > 0 ? await wordsFor(systems.ours, contexts) : new Map<number, number>();
  return [
    { id: "first", figures: ["firstTokenMs"], request: () => [user("How many cats are there?", fresh())] },
    {
      id: "next",
      figures: ["firstTokenMs"],
      request: (run) => [...seen, user(["Where is the dog?", "Is there a rocket?"][run % 2] ?? "")],
    },
    { id: "again", figures: ["firstTokenMs"], request: () => again },
    { id: "describe", figures: ["decodeRate"], request: () => [user("Describe the picture.", fresh())] },
    ...[...words].map(([promptTokens, count]): Step => ({
      id: "context",
      figures: ["firstTokenMs", "decodeRate"],
      promptTokens,
      request: (run) => [user(longText(count, run))],
    })),
  ];
}

/** Threads that spin after a run, as ONNX Runtime's do for a while, must not take the next system's cores. */
function rest(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 150));
}

/** Runs in turns, A B A B, after one of each that does not count; `onStep` is told before every run. */
export async function runPlan(
  systems: Systems,
  picture: Blob,
  { pairs, contexts, pictures = true }: PlanSize,
  onStep: (done: number, of: number) => void,
): Promise<Row[]> {
  onStep(0, (4 + contexts.length) * (pairs + 1));
  const all = await stepsOf(systems, picture, contexts);
  const steps = all.filter(({ id }) => pictures || id === "context");
  const rows: Row[] = [];
  for (const [at, { id, figures, promptTokens, request }] of steps.entries()) {
    const runs: Row["runs"][number][] = [];
    for (let run = 0; run <= pairs; run++) {
      onStep(at * (pairs + 1) + run, steps.length * (pairs + 1));
      const messages = request(run);
      await rest();
      const ours = await systems.ours(messages);
      const peers: Record<string, Timed> = {};
      for (const [name, ask] of Object.entries(systems.peers)) {
        await rest();
        const found = await ask(messages);
        if (found) peers[name] = found;
      }
      if (run > 0 && ours) runs.push({ ours, peers });
    }
    for (const figure of figures) {
      const own = runs.map((run) => run.ours);
      const peers = Object.keys(systems.peers).flatMap((name): [string, PeerFigure][] => {
        const theirs = runs.flatMap((run) => run.peers[name] ?? []);
        if (theirs.length < runs.length) return [];
        const spread = spreadOf(theirs.map((one) => one[figure]));
        const parted = firstDifference(own, theirs);
        return [[name, { spread, ratio: ratioOf(own, theirs, figure), ...(parted ? { parted } : {}) }]];
      });
      const ours = spreadOf(own.map((one) => one[figure]));
      rows.push({ id, figure, promptTokens, ours, peers: Object.fromEntries(peers), runs });
    }
  }
  return rows;
}
