// The one place where calls wait for each other: a worker computes for one job at a time, in the order of the calls.
// Knows no model and no wire.

/** What a job computes. The signal is aborted when the job is stopped, which may be before its turn comes. */
export type JobWork<T> = (signal: AbortSignal) => Promise<T>;

export interface JobQueue {
  /**
   * Runs the work after all jobs before it and settles as it does; a failure is this caller's alone. A job that is stopped while it waits
   * still gets its turn, with its signal aborted, so that it can end in its own words.
   */
  run<T>(work: JobWork<T>, name?: string): Promise<T>;
  /**
   * Runs the work only if nothing else runs or waits, for results that have not been asked for yet. Every later job stops it and then waits
   * until it has ended. Resolves with undefined where the work was not begun.
   */
  runIdle<T>(work: JobWork<T>, name?: string): Promise<T | undefined>;
  /** Stops the jobs of this name, running or waiting; without a name all of them. */
  stop(name?: string): void;
}

interface Job {
  readonly name: string | undefined;
  readonly idle: boolean;
  readonly abort: AbortController;
}

/** An empty queue. */
export function createJobQueue(): JobQueue {
  /** The running job and those that wait, in order. */
  const jobs = new Set<Job>();
  let last: Promise<unknown> = Promise.resolve();

  const enqueue = <T>(work: JobWork<T>, name: string | undefined, idle: boolean): Promise<T> => {
    const job: Job = { name, idle, abort: new AbortController() };
    jobs.add(job);
    const result = last.then(() => work(job.abort.signal)).finally(() => jobs.delete(job));
    last = result.catch(() => undefined);
    return result;
  };
  const stopWhere = (matches: (job: Job) => boolean): void => {
    for (const job of jobs) if (matches(job)) job.abort.abort();
  };

  return {
    run(work, name) {
      stopWhere(({ idle }) => idle);
      return enqueue(work, name, false);
    },
    async runIdle(work, name) {
      stopWhere(({ idle }) => idle);
      if ([...jobs].some(({ idle }) => !idle)) return undefined;
      return enqueue(async (signal) => (signal.aborted ? undefined : work(signal)), name, true);
    },
    stop(name) {
      stopWhere((job) => name === undefined || job.name === name);
    },
  };
}
