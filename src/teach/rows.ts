// Conversations about one picture as rows to train on: packed behind what they have in common, which is then computed once for all.
import type { Spoken } from "./pupil.ts";
import type { PackedRow } from "#teach/training/shape.ts";

/** A conversation with what its answer's tokens count together. */
export interface Weighted extends Spoken {
  readonly weight: number;
}

export interface Packed extends Omit<PackedRow, "input"> {
  readonly slots: readonly number[];
  /** The sum of all weights. */
  readonly weight: number;
}

/** Packs conversations of one picture in rows of at most `mostRows` each; none alone may be longer. */
export function packRows(spoken: readonly Weighted[], mostRows: number): Packed[] {
  const packs: Packed[] = [];
  let group: Weighted[] = [];
  for (const next of spoken) {
    if (group.length > 0 && lengthOf([...group, next]) > mostRows) {
      packs.push(pack(group));
      group = [];
    }
    group.push(next);
  }
  if (group.length > 0) packs.push(pack(group));
  return packs;
}

/** Leading slots that all have in common; each keeps at least the one that predicts its first answer token. */
function sharedBy(group: readonly Spoken[]): number {
  const [first] = group;
  if (!first || group.length === 1) return 0;
  const most = Math.min(...group.map(({ slots, answerTokens }) => slots.length - answerTokens - 1));
  let shared = 0;
  while (shared < most && group.every(({ slots }) => slots[shared] === first.slots[shared])) shared++;
  return shared;
}

function lengthOf(group: readonly Spoken[]): number {
  const shared = sharedBy(group);
  // The last token predicts nothing.
  return group.reduce((sum, { slots }) => sum + slots.length - 1 - shared, shared);
}

function pack(group: readonly Weighted[]): Packed {
  const start = sharedBy(group);
  const slots = group[0]?.slots.slice(0, start) ?? [];
  const positions = slots.map((_, i) => i);
  const shared = slots.map(() => 0);
  const first = slots.map(() => 0);
  const [predicting, targets, weights]: [number[], number[], number[]] = [[], [], []];
  for (const { slots: all, answerTokens, weight } of group) {
    const from = slots.length;
    const answerAt = all.length - answerTokens;
    for (let i = start; i + 1 < all.length; i++) {
      if (i + 1 >= answerAt) {
        predicting.push(slots.length);
        targets.push(all[i + 1] as number);
        weights.push(weight / answerTokens);
      }
      slots.push(all[i] as number);
      positions.push(i);
      shared.push(start);
      first.push(from);
    }
  }
  return {
    slots,
    positions: Int32Array.from(positions),
    shared: Int32Array.from(shared),
    first: Int32Array.from(first),
    predicting: Int32Array.from(predicting),
    targets: Int32Array.from(targets),
    weights: Float32Array.from(weights),
    weight: group.reduce((sum, { weight }) => sum + weight, 0),
  };
}
