// Shows answers that were made to hang a page, one after the other, and says how long each held the main thread at most: once drawn at
// once, as a kept conversation is, and once growing, as an answer that streams in. For the test and for `npm run bench -- hostile`.
import type { Page } from "@playwright/test";
import { heavyAnswers } from "#testing/markdown-heavy.ts";
import { openBundled } from "./bundle.ts";

export interface HostileResult {
  readonly name: string;
  readonly atOnceMs: number;
  readonly growingMs: number;
}

/** Every answer in turn; `onResult` hears of each. Opens a page of its own on the built app's origin. */
export async function measureHostileAnswers(
  page: Page,
  names: readonly string[],
  onResult: (result: HostileResult) => void,
): Promise<HostileResult[]> {
  await openBundled(page, new URL("../chat/markdown-page.ts", import.meta.url));
  // A browser that tells of no long task would make every answer look harmless.
  const control = await longestControlTask(page);
  if (control < 200) throw new Error(`a task of 250 ms was told as one of ${control} ms: nothing can be measured here`);
  const results: HostileResult[] = [];
  for (const name of names) {
    const text = hostileAnswer(name);
    const result = {
      name,
      atOnceMs: await longestTaskWith(page, text, 1),
      growingMs: await longestTaskWith(page, text, 40),
    };
    results.push(result);
    onResult(result);
  }
  return results;
}

/** What is told of a task that holds the main thread for 250 ms. */
function longestControlTask(page: Page): Promise<number> {
  return page.evaluate(async () => {
    let longest = 0;
    const observer = new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) longest = Math.max(longest, duration);
    });
    observer.observe({ type: "longtask" });
    await new Promise<void>((resolve) =>
      setTimeout(() => {
        const end = performance.now() + 250;
        while (performance.now() < end);
        resolve();
      }),
    );
    await new Promise((resolve) => setTimeout(resolve, 20));
    observer.disconnect();
    return Math.round(longest);
  });
}

export function hostileAnswer(name: string): string {
  const text = heavyAnswers.get(name)?.();
  if (text === undefined) throw new Error(`there is no answer "${name}"`);
  return text;
}

/** Gives the text to e2e/chat/markdown-page.ts in so many pieces, waits until it rests, and returns its longest task in milliseconds. */
export function longestTaskWith(page: Page, text: string, pieces: number): Promise<number> {
  return page.evaluate(
    async ([text, pieces]) => {
      const show: unknown = Reflect.get(globalThis, "show");
      if (typeof show !== "function") throw new Error("the page is not there");
      let longest = 0;
      const observer = new PerformanceObserver((list) => {
        for (const { duration } of list.getEntries()) longest = Math.max(longest, duration);
      });
      observer.observe({ type: "longtask" });
      for (let piece = 1; piece <= pieces; piece++) {
        Reflect.apply(show, undefined, [text.slice(0, Math.ceil((text.length * piece) / pieces))]);
        await new Promise((resolve) => setTimeout(resolve, 4));
      }
      // It rests when nothing has changed for twelve frames, or has been drawn for long enough to have met the worst.
      let seen = 0;
      const changes = new MutationObserver(() => (seen += 1));
      changes.observe(document.body, { childList: true, subtree: true, characterData: true });
      const startedAt = performance.now();
      for (let quiet = 0; quiet < 12 && performance.now() - startedAt < 6000;) {
        const before = seen;
        await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
        quiet = seen === before ? quiet + 1 : 0;
      }
      changes.disconnect();
      Reflect.apply(show, undefined, [""]);
      await new Promise((resolve) => setTimeout(resolve, 20));
      observer.disconnect();
      return Math.round(longest);
    },
    [text, pieces] as const,
  );
}
