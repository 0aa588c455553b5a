// Which questions a run asks, and in which order. Knows no model and no files.
import type { Question } from "#eval/benchmarks/benchmark.ts";

/** The k-th of n chunks as LLaVA cuts them: whole lists of ⌈length / n⌉, so that the last ones may be shorter or empty. */
export function chunkOf<T>(list: readonly T[], n: number, k: number): readonly T[] {
  const size = Math.ceil(list.length / n);
  return list.slice(k * size, (k + 1) * size);
}

/** A question with its place in the file. */
export interface Placed {
  readonly place: number;
  readonly question: Question;
}

/** Questions about one picture together, in the order in which pictures first appear: each picture is encoded and prefilled once. */
export function byPicture(questions: readonly Placed[]): readonly (readonly Placed[])[] {
  const groups = new Map<string, Placed[]>();
  for (const placed of questions) {
    const key = pictureKey(placed.question) ?? `alone ${placed.place}`;
    const group = groups.get(key);
    if (group) group.push(placed);
    else groups.set(key, [placed]);
  }
  return [...groups.values()];
}

function pictureKey({ picture }: Question): string | undefined {
  if (!picture) return undefined;
  return picture.kind === "file" ? `file ${picture.path}` : `bytes ${picture.base64}`;
}

/** What tells one question from another: ids alone come several times in some files (MME asks two questions of one id). */
function identity(id: string | number, prompt: string, round: unknown): string {
  return JSON.stringify([String(id), prompt, typeof round === "number" ? round : 0]);
}

/** The identity of a question, to which each repetition adds its number. */
export function createIdentities(): (id: string | number, prompt: string, round: unknown) => string {
  const seen = new Map<string, number>();
  return (id, prompt, round) => {
    const own = identity(id, prompt, round);
    const times = seen.get(own) ?? 0;
    seen.set(own, times + 1);
    return times === 0 ? own : `${own} ${times}`;
  };
}
