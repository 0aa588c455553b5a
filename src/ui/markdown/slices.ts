// A work queue on the main thread for everything that draws answers. Each frame has a budget of a few milliseconds and a number of
// elements; work that does not fit waits for the next frame. So no answer, however long, blocks scrolling or buttons.

/** Creating the elements and laying out the page take several times as long afterwards. */
const sliceMs = 8;
const sliceSize = 1_000;

let lateAt: number | undefined;
let spent = 0;
let planned = false;
const waiting = new Set<() => void>();

/** Counts `size` elements against this frame's budget; returns whether the budget is used up. */
export function isLate(size = 0): boolean {
  if (lateAt === undefined) {
    lateAt = performance.now() + sliceMs;
    spent = 0;
    plan(0);
  }
  spent += size;
  return spent >= sliceSize || performance.now() >= lateAt;
}

/** Queues the work for a coming frame; returns a function that cancels it. */
export function later(work: () => void): () => void {
  waiting.add(work);
  plan(0);
  return () => waiting.delete(work);
}

function plan(delayMs: number): void {
  if (planned) return;
  planned = true;
  if (delayMs > 0) setTimeout(() => requestAnimationFrame(slice), delayMs);
  else requestAnimationFrame(slice);
}

function slice(): void {
  const startedAt = performance.now();
  lateAt = startedAt + sliceMs;
  spent = 0;
  for (const work of waiting) {
    waiting.delete(work);
    work();
    if (isLate()) break;
  }
  // This comes after the frame has been laid out and painted: as long as that took, the page is left alone.
  setTimeout(() => {
    lateAt = undefined;
    planned = false;
    if (waiting.size > 0) plan(performance.now() - startedAt);
  });
}
