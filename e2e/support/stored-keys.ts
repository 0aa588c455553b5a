// What the page's store of weights holds, by its keys.
import type { Page } from "@playwright/test";

/** All keys in the store of weights. */
export function storedKeys(page: Page): Promise<string[]> {
  return page.evaluate(
    () =>
      new Promise<string[]>((resolve, reject) => {
        const opening = indexedDB.open("llava-weights");
        opening.onerror = () => reject(new Error("no database"));
        opening.onsuccess = () => {
          const request = opening.result.transaction("shards").objectStore("shards").getAllKeys();
          request.onsuccess = () => resolve(request.result.map(String));
          request.onerror = () => reject(new Error("no keys"));
        };
      }),
  );
}
