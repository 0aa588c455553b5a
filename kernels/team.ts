// AssemblyScript. Threads that run one job together over one shared memory: kernels that use it have its fields in the header.
// A job is a row of phases, and a phase a number of pieces that do not depend on each other. The first thread does every piece that nobody else has
// taken and waits only for pieces that someone is at, never for a thread: helpers that the system runs late, on the first one's own processor or
// not at all cost nothing but their help.
import * as layout from "../src/engine/kernel/layout/team";
import { header } from "../src/engine/kernel/layout/team";

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
    const ticket = atomic.load<i64>(header + layout.ticket);
    const piece = <i32>ticket;
    // A helper may be phases behind, and finds nothing to do until it has caught up.
    if (<i32>(ticket >> 32) != phase || piece >= count) return -1;
    if (atomic.cmpxchg<i64>(header + layout.ticket, ticket, ticket + 1) != ticket) continue;
    holds = true;
    return piece;
  }
}

function tellDone(): void {
  holds = false;
  atomic.add<i32>(header + layout.done, 1);
  if (helps && atomic.load<i32>(header + layout.waiting) != 0) atomic.notify(header + layout.done, 1);
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
    atomic.store<i32>(header + layout.done, 0);
    atomic.store<i64>(header + layout.ticket, (<i64>(phase + 1)) << 32);
    if (atomic.load<i32>(header + layout.sleeping) > 0) atomic.notify(header + layout.phase, -1);
  }
  phase++;
}

function waitForPieces(): void {
  for (let i = 0; i < patience; i++) if (atomic.load<i32>(header + layout.done) == pieces) return;
  atomic.store<i32>(header + layout.waiting, 1);
  for (;;) {
    const done = atomic.load<i32>(header + layout.done);
    if (done == pieces) break;
    atomic.wait<i32>(header + layout.done, done, -1);
  }
  atomic.store<i32>(header + layout.waiting, 0);
}

function waitForPhase(): void {
  for (let i = 0; i < patience; i++) if (atomic.load<i32>(header + layout.phase) != phase) return;
  atomic.add<i32>(header + layout.sleeping, 1);
  while (atomic.load<i32>(header + layout.phase) == phase) atomic.wait<i32>(header + layout.phase, phase, -1);
  atomic.sub<i32>(header + layout.sleeping, 1);
}

/** The first thread's: what the job is has been written to the header. */
export function startJob(): void {
  helps = false;
  alone = field(layout.threads) == 1;
  if (alone) return;
  phase = atomic.load<i32>(header + layout.phase);
  atomic.store<i32>(header + layout.firstPhase, phase);
  atomic.add<i32>(header + layout.job, 1);
  atomic.notify(header + layout.job, -1);
}

/**
 * A helper's: waits for a job after `done` and enters its first phase; −1 when there will be none. It may read a job's fields while the next
 * one's are being written: the phases of the first are over then, and it gets no piece of them.
 */
export function nextJob(done: i32): i32 {
  helps = true;
  alone = false;
  const linger = field(layout.idleSpins);
  let job = atomic.load<i32>(header + layout.job);
  for (let i = 0; job == done && i < linger; i++) job = atomic.load<i32>(header + layout.job);
  while (job == done) {
    atomic.wait<i32>(header + layout.job, done, -1);
    job = atomic.load<i32>(header + layout.job);
  }
  phase = atomic.load<i32>(header + layout.firstPhase);
  return load<i32>(header + layout.quit) ? -1 : job;
}
