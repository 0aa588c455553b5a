// How the bytes of weights are made: in steps, each of which reads a part of the checkpoint and makes parts of one weight or of several
// (some rows' data, scales and zero points). Steps are independent of one another, so whoever writes a package chooses their order.
import type { Span } from "#convert/checkpoint/checkpoint.ts";

/** Bytes of a weight. */
interface WeightPart {
  readonly weight: string;
  readonly at: number;
  readonly bytes: number;
}

/** Makes some bytes. */
export interface WeightStep {
  /** What of the checkpoint's files it reads; undefined where that is not known, because values are computed. */
  readonly reads: readonly Span[] | undefined;
  /** What it makes; the parts of one weight follow one another over the weight's steps. */
  readonly writes: readonly WeightPart[];
  /** The bytes, in the order of `writes`. */
  readonly make: () => Promise<readonly Uint8Array[]>;
}

/** The one step of a weight that is made at once. */
export function wholeStep(
  weight: { readonly name: string; readonly bytes: number },
  reads: readonly Span[] | undefined,
  make: () => Promise<Uint8Array>,
): WeightStep {
  return {
    reads,
    writes: [{ weight: weight.name, at: 0, bytes: weight.bytes }],
    make: async () => [await make()],
  };
}

/** Rows of a matrix and how they are divided into steps. */
interface StepRows {
  readonly count: number;
  readonly perStep: number;
  /** Rows before which a step must end: a matrix of several tensors is read tensor by tensor. */
  readonly breaks?: readonly number[] | undefined;
}

/** A step per run of rows. `parts` names the weights that are made and the bytes of each that belong to one row. */
export function rowSteps(
  { count: all, perStep, breaks = [] }: StepRows,
  parts: readonly { readonly weight: string; readonly bytesPerRow: number }[],
  reads: (start: number, count: number) => readonly Span[] | undefined,
  make: (start: number, count: number) => Promise<readonly Uint8Array[]>,
): WeightStep[] {
  const steps: WeightStep[] = [];
  for (let start = 0; start < all;) {
    const next = breaks.find((row) => row > start) ?? all;
    const [from, count] = [start, Math.min(perStep, next - start)];
    steps.push({
      reads: reads(from, count),
      writes: parts.map(({ weight, bytesPerRow }) => ({ weight, at: from * bytesPerRow, bytes: count * bytesPerRow })),
      make: () => make(from, count),
    });
    start += count;
  }
  return steps;
}

/** What steps made, in their order, with up to `width` of them under way. Ends only when none is under way any more. */
export async function* makeAhead(
  steps: readonly WeightStep[],
  width: number,
): AsyncGenerator<{ readonly step: WeightStep; readonly made: readonly Uint8Array[] }> {
  const underWay: { readonly step: WeightStep; readonly made: Promise<readonly Uint8Array[]> }[] = [];
  try {
    for (const step of steps) {
      underWay.push({ step, made: step.make() });
      if (underWay.length < width) continue;
      const first = underWay[0];
      if (!first) continue;
      const made = await first.made;
      void underWay.shift();
      yield { step: first.step, made };
    }
    for (let first = underWay[0]; first; first = underWay[0]) {
      const made = await first.made;
      void underWay.shift();
      yield { step: first.step, made };
    }
  } finally {
    await Promise.allSettled(underWay.map(({ made }) => made));
  }
}
