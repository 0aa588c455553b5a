// Shares the main thread between everything that draws answers: each frame has a few milliseconds and a number of elements for it, and
// what does not fit waits for the next. So no answer, however long or odd, keeps the page from scrolling or a button from answering.

/** Making elements, and the page's layout above all, take several times as long afterwards. */
const sliceMs = 8;
const sliceSize = 1_000;

let lateAt: number | undefined;
let spent = 0;
let planned = false;
const waiting = new Set<() => void>();

/** Notes what was just done, in elements, and tells whether this frame has no room for more. */
export function isLate(size = 0): boolean {
  if (lateAt === undefined) {
    lateAt = performance.now() + sliceMs;
    spent = 0;
    plan(0);
  }
  spent += size;
  return spent >= sliceSize || performance.now() >= lateAt;
}

/** Does the work in a coming frame, in turn; returns what calls it off. */
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
