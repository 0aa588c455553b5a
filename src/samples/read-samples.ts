// Streams all conversations of a file; a value that can't be read is yielded as the reason. Values that hold no conversation are yielded
// too, because the caller may know them (a backup of the page is one).
import { readJsonItems } from "./json-items.ts";
import { sampleLimits } from "./limits.ts";
import { isMessage, looksLikeSample, readSample, wrappedSamples } from "./read-sample.ts";
import type { Sample, SampleProblem } from "./sample.ts";
import { decodeText } from "./text-chunks.ts";

export interface ReadSample {
  /** Counts from 1. */
  readonly item: number;
  /** The line on which it begins, and whether it is an element of a list. */
  readonly line: number;
  readonly inList: boolean;
  /** "broken" is the last one: the file breaks off or is no JSON. */
  readonly sample: Sample | SampleProblem | "too-large" | "broken";
  /** What was parsed. */
  readonly json: unknown;
}

/** The conversations in a file's bytes, in order. */
export async function* readSamples(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<ReadSample> {
  let count = 0;
  /** Turns that stand in a list by themselves are one conversation. */
  let bare: { readonly list: number | undefined; readonly line: number; readonly turns: unknown[] } | undefined;
  const at = (line: number, inList: boolean, json: unknown): ReadSample => ({
    item: ++count,
    line,
    inList,
    sample: readSample(json),
    json,
  });
  for await (const { line, list, value } of readJsonItems(decodeText(chunks))) {
    const inList = list !== undefined;
    const isTurn = typeof value !== "string" && isMessage(value.json);
    if (bare !== undefined && !(isTurn && bare.list === list)) {
      yield at(bare.line, false, bare.turns);
      bare = undefined;
    }
    if (typeof value === "string") {
      yield { item: ++count, line, inList, sample: value, json: undefined };
    } else if (isTurn) {
      bare ??= { list, line, turns: [] };
      // One more than the limit, so that the excess is reported.
      if (bare.turns.length <= sampleLimits.turns) bare.turns.push(value.json);
    } else if (looksLikeSample(value.json)) {
      yield at(line, inList, value.json);
    } else {
      const wrapped = wrappedSamples(value.json);
      if (wrapped === undefined) yield at(line, inList, value.json);
      else for (const json of wrapped) yield at(line, true, json);
    }
  }
  if (bare !== undefined) yield at(bare.line, false, bare.turns);
}
