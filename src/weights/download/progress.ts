// Counts the bytes of a package while its shards are read from the store and fetched, and reports them.

/** Verified bytes of the whole package so far; `stored` of them were stored before. */
export interface EnsureProgress {
  readonly loaded: number;
  readonly total: number;
  readonly stored: number;
  /** How many times in a row a request has timed out without a byte; absent while bytes arrive. */
  readonly silences?: number;
}

export type OnProgress = (progress: EnsureProgress) => Promise<void> | void;

export interface ProgressReporter {
  /** A shard was found in the store. */
  addStored(bytes: number): Promise<void>;
  /** A fetched shard was verified. */
  addVerified(bytes: number): void;
  /** Bytes arrived; a negative number when bytes are discarded. Reported at most every 100 ms. */
  addArrived(bytes: number): void;
  /** Bytes that arrived at an earlier try. */
  addResumed(bytes: number): void;
  /** A request has timed out so many times in a row. */
  addSilence(times: number): void;
  /** Reports the verified bytes. */
  report(): Promise<void>;
  /** Resolves when all reports have been handled; rejects when one of them failed. */
  settled(): Promise<void>;
}

const reportEveryMs = 100;

/** For a package of `total` bytes. */
export function createProgressReporter(total: number, onProgress: OnProgress | undefined): ProgressReporter {
  let loaded = 0;
  let stored = 0;
  /** Arrived bytes, verified or not. */
  let arrived = 0;
  let silences = 0;
  let reportedAt = 0;
  let reporting = Promise.resolve();

  const report = async (): Promise<void> => await onProgress?.({ loaded, total, stored });
  const reportArrived = (): void => {
    // Bytes that turn out wrong arrive twice.
    const now = { loaded: Math.min(arrived, total), total, stored, ...(silences > 0 ? { silences } : {}) };
    reporting = reporting.then(async () => await onProgress?.(now));
  };

  return {
    report,
    async addStored(bytes) {
      loaded += bytes;
      stored += bytes;
      arrived += bytes;
      await report();
    },
    addVerified: (bytes) => void (loaded += bytes),
    addResumed: (bytes) => void (arrived += bytes),
    addArrived(bytes) {
      arrived += bytes;
      if (silences > 0) reportedAt = silences = 0;
      if (Date.now() - reportedAt < reportEveryMs) return;
      reportedAt = Date.now();
      reportArrived();
    },
    addSilence(times) {
      // Among stalled connections the longest silence counts; a byte on any of them ends it.
      silences = Math.max(silences, times);
      reportArrived();
    },
    settled: () => reporting,
  };
}
