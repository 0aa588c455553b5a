// Which examples are trained on and which are kept to see whether it was learned.
import type { TeachExample } from "./types.ts";

export interface Split {
  readonly trained: readonly TeachExample[];
  /** Not trained on; they choose the step and the strength. See choosingIn for where there are none. */
  readonly choosing: readonly TeachExample[];
  /** Not trained on; they show what was learned. */
  readonly heldOut: readonly TeachExample[];
}

/** Those that choose the step and the strength: where nothing is held out, such as with corrections alone, those that are trained on. */
export function choosingIn({ trained, choosing, heldOut }: Split): readonly TeachExample[] {
  return choosing.length > 0 ? choosing : heldOut.length > 0 ? heldOut : trained;
}

/** An answer with so many pictures can spare some that choose. */
const enoughToChoose = 6;
/** Of an answer's pictures that are not held out. */
const choosingPart = 0.15;

/** The words of a text, without what does not count when two are compared: case, punctuation, articles. */
export function wordsOf(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, " ")
    .replace(/\b(?:a|an|the)\b/g, " ")
    .replace(/\s+/g, " ")
    .trim();
}

/** Examples by what is taught: the first answer. */
export function byAnswer(examples: readonly TeachExample[]): Map<string, TeachExample[]> {
  const groups = new Map<string, TeachExample[]>();
  for (const example of examples) {
    const key = wordsOf(example.turns[0]?.answer ?? "");
    groups.set(key, [...(groups.get(key) ?? []), example]);
  }
  return groups;
}

/**
 * Holds out this part of each answer's pictures, and at least one of each that has two. Sets others aside to choose, where every answer that
 * has pictures held out can spare them. The order of all parts is that of the examples.
 */
export function split(examples: readonly TeachExample[], part: number, random: () => number): Split {
  const held = new Set<TeachExample>();
  const choosing = new Set<TeachExample>();
  const groups = [...byAnswer(examples).values()].filter(({ length }) => length >= 2);
  const spare = part > 0 && groups.every(({ length }) => length >= enoughToChoose);
  for (const group of groups) {
    const count = part === 0 ? 0 : Math.max(1, Math.floor(group.length * part));
    const chance = shuffled(group, random);
    for (const example of chance.slice(0, count)) held.add(example);
    const choose = spare ? Math.max(1, Math.round((group.length - count) * choosingPart)) : 0;
    for (const example of chance.slice(count, count + choose)) choosing.add(example);
  }
  return {
    trained: examples.filter((example) => !held.has(example) && !choosing.has(example)),
    choosing: examples.filter((example) => choosing.has(example)),
    heldOut: examples.filter((example) => held.has(example)),
  };
}

export function shuffled<T>(items: readonly T[], random: () => number): T[] {
  const out = [...items];
  for (let i = out.length - 1; i > 0; i--) {
    const other = Math.floor(random() * (i + 1));
    [out[i], out[other]] = [out[other] as T, out[i] as T];
  }
  return out;
}
