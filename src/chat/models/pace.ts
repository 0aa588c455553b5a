// How fast something arrives, from how much had arrived when. Pure.

export interface Pace {
  /** Bytes per second over the last seconds; undefined while there is too little to tell. */
  add(atMs: number, bytes: number): number | undefined;
}

const windowMs = 5_000;
const tellAfterMs = 500;

/** `bytes` counts from anywhere: only differences matter; one that shrinks starts anew. */
export function createPace(): Pace {
  let samples: { readonly atMs: number; readonly bytes: number }[] = [];
  return {
    add(atMs, bytes) {
      const last = samples.at(-1);
      if (last !== undefined && bytes < last.bytes) samples = [];
      samples.push({ atMs, bytes });
      // The newest one that is old enough stays: without it a slow connection would have nothing to compare with.
      while (samples[1] !== undefined && atMs - samples[1].atMs >= windowMs) samples.shift();
      const first = samples[0];
      if (first === undefined || atMs - first.atMs < tellAfterMs) return undefined;
      return ((bytes - first.bytes) / (atMs - first.atMs)) * 1000;
    },
  };
}
