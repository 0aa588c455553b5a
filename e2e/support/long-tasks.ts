// Watches the page's main thread for tasks that would make it stutter.
import type { Page } from "@playwright/test";

/** Call before the page opens. */
export async function watchLongTasks(page: Page): Promise<void> {
  await page.addInitScript(() => {
    const tasks: number[] = [];
    Object.assign(globalThis, { llavaLongTasks: tasks });
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) tasks.push(entry.duration);
    }).observe({ type: "longtask", buffered: true });
  });
}

/** The longest task so far in milliseconds; 0 when none took 50 ms, the shortest that browsers tell of. */
export async function longestTask(page: Page): Promise<number> {
  return page.evaluate(() => {
    const tasks: unknown = Reflect.get(globalThis, "llavaLongTasks");
    return Array.isArray(tasks) ? Math.max(0, ...tasks.map(Number)) : NaN;
  });
}
