// AssemblyScript. Threads that run one job together over one shared memory: kernels that use it have its fields in the header.
// A job is a row of phases, and a phase a number of pieces that do not depend on each other. The first thread does every piece that nobody else has
// taken and waits only for pieces that someone is at, never for a thread: helpers that the system runs late, on the first one's own processor or
// not at all cost nothing but their help.

/** The header, and its fields in bytes from there on; src/engine/kernel/memory.ts has the same. */
export const header: usize = 1024;
const JOB: usize = 0; // changes when there is a job
const QUIT: usize = 4;
export const THREADS: usize = 8;
const LINGER: usize = 12; // looks for the next job before a helper goes to sleep
// What all threads write lies apart from what they read.
const TICKET: usize = 192; // i64: the phase, and in the low half its next piece
const PHASE: usize = TICKET + 4;
const DONE: usize = 200; // pieces of the phase that are done
const SLEEPING: usize = 204; // helpers that sleep until the phase changes
const WAITING: usize = 208; // whether the first thread sleeps until a piece is done
const FIRST_PHASE: usize = 212; // of the job; phases are counted over all jobs

/** Looks before a thread goes to sleep: longer than most phases, shorter than waking up takes. */
const patience = 20000;

/** This thread's own. */
let helps = false;
let alone = true;
let phase = 0;
let pieces = 0; // of the phase
let taken = 0; // of the phase, where there is one thread
let holds = false; // whether the last piece is still to be told as done

export function field(at: usize): i32 {
  return load<i32>(header + at);
}

export function address(at: usize): usize {
  return load<usize>(header + at);
}

/** The phase's next piece of `count`, of which the last one taken is done now; −1 when there is none left. */
export function nextPiece(count: i32): i32 {
  pieces = count;
  if (alone) return taken < count ? taken++ : -1;
  if (holds) tellDone();
  for (;;) {
    const ticket = atomic.load<i64>(header + TICKET);
    const piece = <i32>ticket;
    // A helper may be phases behind, and finds nothing to do until it has caught up.
    if (<i32>(ticket >> 32) != phase || piece >= count) return -1;
    if (atomic.cmpxchg<i64>(header + TICKET, ticket, ticket + 1) != ticket) continue;
    holds = true;
    return piece;
  }
}

function tellDone(): void {
  holds = false;
  atomic.add<i32>(header + DONE, 1);
  if (helps && atomic.load<i32>(header + WAITING) != 0) atomic.notify(header + DONE, 1);
}

/** Returns when all pieces of the phase are done, for a thread that has got −1. */
export function endPhase(): void {
  if (alone) {
    taken = 0;
    return;
  }
  if (helps) waitForPhase();
  else {
    waitForPieces();
    atomic.store<i32>(header + DONE, 0);
    atomic.store<i64>(header + TICKET, (<i64>(phase + 1)) << 32);
    if (atomic.load<i32>(header + SLEEPING) > 0) atomic.notify(header + PHASE, -1);
  }
  phase++;
}

function waitForPieces(): void {
  for (let i = 0; i < patience; i++) if (atomic.load<i32>(header + DONE) == pieces) return;
  atomic.store<i32>(header + WAITING, 1);
  for (;;) {
    const done = atomic.load<i32>(header + DONE);
    if (done == pieces) break;
    atomic.wait<i32>(header + DONE, done, -1);
  }
  atomic.store<i32>(header + WAITING, 0);
}

function waitForPhase(): void {
  for (let i = 0; i < patience; i++) if (atomic.load<i32>(header + PHASE) != phase) return;
  atomic.add<i32>(header + SLEEPING, 1);
  while (atomic.load<i32>(header + PHASE) == phase) atomic.wait<i32>(header + PHASE, phase, -1);
  atomic.sub<i32>(header + SLEEPING, 1);
}

/** The first thread's: what the job is has been written to the header. */
export function startJob(): void {
  helps = false;
  alone = field(THREADS) == 1;
  if (alone) return;
  phase = atomic.load<i32>(header + PHASE);
  atomic.store<i32>(header + FIRST_PHASE, phase);
  atomic.add<i32>(header + JOB, 1);
  atomic.notify(header + JOB, -1);
}

/**
 * A helper's: waits for a job after `done` and enters its first phase; −1 when there will be none. It may read a job's fields while the next
 * one's are being written: the phases of the first are over then, and it gets no piece of them.
 */
export function nextJob(done: i32): i32 {
  helps = true;
  alone = false;
  const linger = field(LINGER);
  let job = atomic.load<i32>(header + JOB);
  for (let i = 0; job == done && i < linger; i++) job = atomic.load<i32>(header + JOB);
  while (job == done) {
    atomic.wait<i32>(header + JOB, done, -1);
    job = atomic.load<i32>(header + JOB);
  }
  phase = atomic.load<i32>(header + FIRST_PHASE);
  return load<i32>(header + QUIT) ? -1 : job;
}
