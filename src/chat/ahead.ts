// Work done ahead while a question is put together: a little after its last change, one at a time, and stopped as soon as plans change.
// Knows no model.

export interface Ahead {
  /** Drops what runs or waits; where there is something to do, does it when nothing else is planned for a while. */
  plan(work: ((signal: AbortSignal) => Promise<void>) | undefined): void;
}

/** With nothing planned; `afterMs` is the while. */
export function createAhead(afterMs: number): Ahead {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let abort: AbortController | undefined;
  return {
    plan(work) {
      clearTimeout(timer);
      abort?.abort();
      abort = undefined;
      if (work === undefined) return;
      const mine = new AbortController();
      abort = mine;
      timer = setTimeout(() => {
        // Nobody waits for it: what fails here fails again, and is told of, when the question is asked.
        work(mine.signal).catch(() => undefined);
      }, afterMs);
    },
  };
}
