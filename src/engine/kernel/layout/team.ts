// The header of a kernel's shared memory, in bytes. kernels/team.ts and memory.ts are both made from it, so this file is AssemblyScript, too:
// constants without types, nothing else.

/** Address of the header. */
export const header = 1024;
export const headerBytes = 256;

// Fields, from `header` on. The host writes these.

/** The current job's number; it changes when there is a new job. */
export const job = 0;
/** Not 0 when the helpers shall end. */
export const quit = 4;
/** Threads, with the first one. */
export const threads = 8;
/** How often a helper looks for the next job before it sleeps. */
export const idleSpins = 12;
/** The kernel's own fields begin here. */
export const kernelFields = 28;

// The work queue, which all threads write: on a cache line of its own, apart from what they only read.

/** u32: the next work item of the phase; the low half of an i64 whose high half is `phase`. */
export const ticket = 192;
/** u32: the phase, counted over all jobs. */
export const phase = 196;
/** Work items of the phase that are done. */
export const done = 200;
/** Helpers that sleep until the phase changes. */
export const sleeping = 204;
/** Not 0 while the first thread sleeps until a work item is done. */
export const waiting = 208;
/** The first phase of the current job. */
export const firstPhase = 212;
