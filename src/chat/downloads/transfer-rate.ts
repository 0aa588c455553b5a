// The rate of a transfer over the last seconds, from how many bytes had arrived at which time. Pure.

interface TransferRate {
  /** Adds a sample; the result is in bytes per second, undefined while the samples span too little time. */
  add(atMs: number, bytes: number): number | undefined;
}

const windowMs = 5_000;
/** Samples that span less time give no rate. */
const shortestSpanMs = 500;

/** `bytes` may count from any start, because only differences matter; where it decreases the measurement starts anew. */
export function createTransferRate(): TransferRate {
  let samples: { readonly atMs: number; readonly bytes: number }[] = [];
  return {
    add(atMs, bytes) {
      const last = samples.at(-1);
      if (last !== undefined && bytes < last.bytes) samples = [];
      samples.push({ atMs, bytes });
      // The newest sample beyond the window stays: without it a slow connection would have nothing to compare with.
      while (samples[1] !== undefined && atMs - samples[1].atMs >= windowMs) samples.shift();
      const first = samples[0];
      if (first === undefined || atMs - first.atMs < shortestSpanMs) return undefined;
      return ((bytes - first.bytes) / (atMs - first.atMs)) * 1000;
    },
  };
}
