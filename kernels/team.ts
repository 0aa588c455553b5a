// AssemblyScript. Threads that run one job together, in step, over one shared memory: kernels that use it have its fields at the header's beginning.

/** The header, and its fields in bytes from there on; src/engine/kernel-memory.ts has the same. */
export const header: usize = 1024;
export const JOB: usize = 0; // changes when there is a job
export const QUIT: usize = 4;
export const THREADS: usize = 8;
export const ARRIVED: usize = 12; // threads at the barrier
export const PHASE: usize = 16; // changes when all have arrived
export const SLEEPING: usize = 20;
export const NEXT: usize = 24; // the phase's next piece of work
export function field(at: usize): i32 {
  return load<i32>(header + at);
}

export function address(at: usize): usize {
  return load<usize>(header + at);
}

/** Waits until all threads are here; the next phase's work then begins at its first piece. */
export function barrier(): void {
  const threads = field(THREADS);
  if (threads == 1) {
    store<i32>(header + NEXT, 0);
    return;
  }
  const phase = atomic.load<i32>(header + PHASE);
  if (atomic.add<i32>(header + ARRIVED, 1) == threads - 1) {
    atomic.store<i32>(header + ARRIVED, 0);
    atomic.store<i32>(header + NEXT, 0);
    atomic.add<i32>(header + PHASE, 1);
    if (atomic.load<i32>(header + SLEEPING) > 0) atomic.notify(header + PHASE, -1);
    return;
  }
  for (let i = 0; i < 20000; i++) if (atomic.load<i32>(header + PHASE) != phase) return;
  atomic.add<i32>(header + SLEEPING, 1);
  while (atomic.load<i32>(header + PHASE) == phase) atomic.wait<i32>(header + PHASE, phase, -1);
  atomic.sub<i32>(header + SLEEPING, 1);
}

export function nextPiece(): i32 {
  return atomic.add<i32>(header + NEXT, 1);
}

/** Starts a job: the helpers' nextJob returns. */
export function startJob(): void {
  if (field(THREADS) == 1) return;
  atomic.add<i32>(header + JOB, 1);
  atomic.notify(header + JOB, -1);
}

/** Waits for a job after `done`; −1 when there will be none. */
export function nextJob(done: i32): i32 {
  let job = atomic.load<i32>(header + JOB);
  for (let i = 0; job == done && i < 2000; i++) job = atomic.load<i32>(header + JOB);
  while (job == done) {
    atomic.wait<i32>(header + JOB, done, -1);
    job = atomic.load<i32>(header + JOB);
  }
  return load<i32>(header + QUIT) ? -1 : job;
}
