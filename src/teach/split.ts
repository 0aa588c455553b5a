// Which examples are trained on and which are kept to see whether it was learned.
import type { TeachExample } from "./types.ts";

export interface Split {
  readonly trained: readonly TeachExample[];
  readonly heldOut: readonly TeachExample[];
}

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

/** Holds out this part of each answer's pictures, and at least one of each that has two. The order of both parts is that of the examples. */
export function split(examples: readonly TeachExample[], part: number, random: () => number): Split {
  const held = new Set<TeachExample>();
  for (const group of byAnswer(examples).values()) {
    const count = group.length < 2 || part === 0 ? 0 : Math.max(1, Math.floor(group.length * part));
    for (const example of shuffled(group, random).slice(0, count)) held.add(example);
  }
  return {
    trained: examples.filter((example) => !held.has(example)),
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
