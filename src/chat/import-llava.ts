// LLaVA's training data as conversations: [{id, image?, conversations: [{from, value}]}]. Whatever is wrong with a sample is told,
// and the others are read. Knows no zip and fetches nothing: a picture is a name that the caller looks up.
import * as v from "valibot";
import type { Turn } from "./conversation.ts";
import { importLimits, type ItemProblem } from "./import-problems.ts";

/** A conversation whose pictures are still names. */
export interface NamedSample {
  readonly turns: readonly NamedTurn[];
}
export type NamedTurn =
  | { readonly role: "user"; readonly text: string; readonly pictureNames: readonly string[] }
  | { readonly role: "assistant"; readonly text: string };

const Sample = v.object({
  image: v.optional(v.nullable(v.union([v.string(), v.array(v.string())]))),
  conversations: v.array(v.object({ from: v.string(), value: v.string() })),
});

const roles: ReadonlyMap<string, Turn["role"]> = new Map([
  ["human", "user"],
  ["user", "user"],
  ["gpt", "assistant"],
  ["assistant", "assistant"],
]);
const slot = "<image>";

/** Whether a parsed JSON value looks like such a list at all. */
export function isLlavaList(value: unknown): value is readonly unknown[] {
  return (
    Array.isArray(value) && value.some((item) => v.is(v.looseObject({ conversations: v.array(v.unknown()) }), item))
  );
}

/** One sample, or what is wrong with it. As in LLaVA, an answer before the first question is dropped. */
export function readLlavaSample(value: unknown): NamedSample | ItemProblem {
  const parsed = v.safeParse(Sample, value);
  if (!parsed.success) return "not-a-conversation";
  const { image, conversations } = parsed.output;
  if (conversations.length > importLimits.turns) return "too-many-turns";
  const said: { readonly role: Turn["role"]; readonly value: string }[] = [];
  for (const { from, value: text } of conversations) {
    const role = roles.get(from.toLowerCase());
    if (role === undefined) return "unknown-speaker";
    if (text.length > importLimits.textLength) return "text-too-long";
    if (said.length === 0 && role === "assistant") continue;
    if (said.at(-1)?.role === role) return "not-alternating";
    said.push({ role, value: text });
  }
  if (said.length === 0) return "no-turns";
  const names = [image ?? []].flat().filter((name) => name !== "" && name.length <= importLimits.pathLength);
  const questions = said.filter(({ role }) => role === "user");
  const slots = questions.map(({ value: text }) => text.split(slot).length - 1);
  // What no question has a place for belongs to the first one.
  const spare = Math.max(0, names.length - slots.reduce((sum, count) => sum + count, 0));
  let taken = 0;
  let question = 0;
  const turns = said.map(({ role, value: text }): NamedTurn => {
    if (role === "assistant") return { role, text };
    const count = (slots[question] ?? 0) + (question === 0 ? spare : 0);
    question++;
    const pictureNames = names.slice(taken, (taken += count));
    return { role, text: text.replaceAll(slot, "").trim(), pictureNames };
  });
  return { turns };
}
