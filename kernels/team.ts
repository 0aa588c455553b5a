// AssemblyScript. Threads that run one job together over one shared memory. Its header has their work queue (layout/team.ts).
// A job is a sequence of phases, and a phase a number of work items that do not depend on each other. Threads take items one by one. The first thread
// does every item that nobody else has taken, and waits only for items that are being computed, never for a thread. So a helper that the system
// runs late, on the first thread's own processor or not at all costs nothing but its help.
import * as layout from "../src/engine/kernel/layout/team";
import { header } from "../src/engine/kernel/layout/team";

/** Times that a thread spins before it sleeps: longer than most phases, shorter than waking up takes. */
const spinLimit = 20000;

// This thread's state; each thread has an instance of the module.
let isHelper = false;
let singleThreaded = true;
let phase = 0;
let items = 0; // of the phase
let taken = 0; // items of the phase, where there is one thread
let hasItem = false; // whether the item taken last has not been reported as done

/** A field of the header. */
export function field(at: usize): i32 {
  return load<i32>(header + at);
}

/** A field of the header that is an address, or a number of bytes. */
export function address(at: usize): usize {
  return load<usize>(header + at);
}

/** Reports the item taken last as done and takes the next one of the phase's `count`; −1 when there is none left. */
export function nextItem(count: i32): i32 {
  items = count;
  if (singleThreaded) return taken < count ? taken++ : -1;
  if (hasItem) reportDone();
  for (;;) {
    const ticket = atomic.load<i64>(header + layout.ticket);
    const item = <i32>ticket;
    // A helper that is phases behind finds nothing to do until it has caught up.
    if (<i32>(ticket >> 32) != phase || item >= count) return -1;
    if (atomic.cmpxchg<i64>(header + layout.ticket, ticket, ticket + 1) != ticket) continue;
    hasItem = true;
    return item;
  }
}

function reportDone(): void {
  hasItem = false;
  atomic.add<i32>(header + layout.done, 1);
  if (isHelper && atomic.load<i32>(header + layout.waiting) != 0) atomic.notify(header + layout.done, 1);
}

/** Returns when all items of the phase are done; to be called once `nextItem` has returned −1. */
export function finishPhase(): void {
  if (singleThreaded) {
    taken = 0;
    return;
  }
  if (isHelper) waitForPhase();
  else {
    waitForItems();
    atomic.store<i32>(header + layout.done, 0);
    atomic.store<i64>(header + layout.ticket, (<i64>(phase + 1)) << 32);
    if (atomic.load<i32>(header + layout.sleeping) > 0) atomic.notify(header + layout.phase, -1);
  }
  phase++;
}

function waitForItems(): void {
  for (let i = 0; i < spinLimit; i++) if (atomic.load<i32>(header + layout.done) == items) return;
  atomic.store<i32>(header + layout.waiting, 1);
  for (;;) {
    const done = atomic.load<i32>(header + layout.done);
    if (done == items) break;
    atomic.wait<i32>(header + layout.done, done, -1);
  }
  atomic.store<i32>(header + layout.waiting, 0);
}

function waitForPhase(): void {
  for (let i = 0; i < spinLimit; i++) if (atomic.load<i32>(header + layout.phase) != phase) return;
  atomic.add<i32>(header + layout.sleeping, 1);
  while (atomic.load<i32>(header + layout.phase) == phase) atomic.wait<i32>(header + layout.phase, phase, -1);
  atomic.sub<i32>(header + layout.sleeping, 1);
}

/** Starts the job that has been written to the header; for the first thread. */
export function startJob(): void {
  isHelper = false;
  singleThreaded = field(layout.threads) == 1;
  if (singleThreaded) return;
  phase = atomic.load<i32>(header + layout.phase);
  atomic.store<i32>(header + layout.firstPhase, phase);
  atomic.add<i32>(header + layout.job, 1);
  atomic.notify(header + layout.job, -1);
}

/**
 * Waits for a job after the one numbered `done` and enters its first phase; −1 when there will be none. For helpers. A helper may read a job's fields
 * while the next job's are being written: all phases of the first job are over then, and the helper gets no item of them.
 */
export function nextJob(done: i32): i32 {
  isHelper = true;
  singleThreaded = false;
  const spins = field(layout.idleSpins);
  let job = atomic.load<i32>(header + layout.job);
  for (let i = 0; job == done && i < spins; i++) job = atomic.load<i32>(header + layout.job);
  while (job == done) {
    atomic.wait<i32>(header + layout.job, done, -1);
    job = atomic.load<i32>(header + layout.job);
  }
  phase = atomic.load<i32>(header + layout.firstPhase);
  return load<i32>(header + layout.quit) ? -1 : job;
}
