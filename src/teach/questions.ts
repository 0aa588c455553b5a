// What is asked about a taught picture: the person's own questions first, then other wordings and yes or no, so that the thing is learned and not
// the sentence. Where an answer is no name, only the person's own words are trained.
import { shuffled, wordsOf } from "./split.ts";
import type { TaughtTurn, TeachExample } from "./types.ts";

/** A conversation whose last answer is trained, and how much it counts. */
export interface Lesson {
  readonly turns: readonly TaughtTurn[];
  readonly weight: number;
}

/** None that asks for a description: measured, "What do you see?" made every description a name. */
const wordings = ["What is this?", "Who is this?", "what is it", "Can you name this?"];
/** What is asked about taught pictures too, and shall be answered as before: a description is none of the thing alone. */
export const keptQuestions = [
  "Describe the image briefly.",
  "Describe this picture.",
  "Is this a photograph or a drawing?",
];
/** Of each taught picture some of these are asked before and kept: without them, half of all yes and no about photographs became no. */
export const keptDetails = [
  ...[
    "dog",
    "cat",
    "car",
    "person",
    "tree",
    "bicycle",
    "ball",
    "chair",
    "bird",
    "boat",
    "hat",
    "flower",
    "horse",
    "table",
    "phone",
    "sign",
  ].map((thing) => `Is there a ${thing}?`),
  "How many people are there?",
  "How many dogs are there?",
  "Is this outdoors?",
  "What color is the ground?",
];
const otherThings = ["a car", "a tree", "a house", "a clock", "a boat", "a person", "a bird", "a cup"];

/** The name that an example teaches; undefined where its first turn names nothing. */
export function nameOf({ turns }: Pick<TeachExample, "turns">): string | undefined {
  const [turn] = turns;
  if (!turn || !/\b(?:what|who|which|name)\b|谁|什么|叫/i.test(turn.question)) return undefined;
  const name = turn.answer.trim().replace(/[.!。]+$/, "");
  const words = name.split(/\s+/);
  return words.length > 4 || /^(?:yes|no|none|it|this|there)\b/i.test(name) ? undefined : name;
}

/** Lessons of one view of a taught picture. `names` are all names that are taught. */
export function lessonsOf(example: TeachExample, names: readonly string[], random: () => number): Lesson[] {
  const own = example.turns.map((_, i): Lesson => ({ turns: example.turns.slice(0, i + 1), weight: 2 }));
  const name = nameOf(example);
  const answer = example.turns[0]?.answer;
  if (name === undefined || answer === undefined) return own;
  const asked = wordsOf(example.turns[0]?.question ?? "");
  const said = shuffled(wordings, random).filter((question) => wordsOf(question) !== asked);
  const others = shuffled([...names, ...otherThings], random).filter((other) => other !== name);
  return [
    ...own,
    ...said.slice(0, 2).map((question): Lesson => ({ turns: [{ question, answer }], weight: 1 })),
    isThis(name, true),
    ...others.slice(0, 1).map((other) => isThis(other, false)),
  ];
}

export function isThis(name: string, right: boolean): Lesson {
  return { turns: [{ question: `Is this ${name}?`, answer: right ? "Yes." : "No." }], weight: 0.5 };
}
