// Puts a conversation where the page keeps its last one, so that a test of the page needs no model to say something special.
import type { Page } from "@playwright/test";

/** What is kept of a conversation; the form is `src/chat/persistence/stored-conversation.ts`. */
export interface SavedTurn {
  readonly role: "user" | "assistant";
  readonly id: string;
  readonly text: string;
  readonly [key: string]: unknown;
}

/** Saves the turns and the pictures they name (id to base64 of a PNG), then opens the page again, which shows them. */
export async function openSavedChat(
  page: Page,
  turns: readonly SavedTurn[],
  pictures: Readonly<Record<string, string>> = {},
): Promise<void> {
  await page.getByTestId("empty-state").waitFor();
  await page.evaluate(
    async ([turns, pictures]) => {
      const database = await new Promise<IDBDatabase>((resolve, reject) => {
        const request = indexedDB.open("llava-web-chat");
        request.onupgradeneeded = () => request.result.createObjectStore("kv");
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(new Error("the chat's database could not be opened"));
      });
      const write = database.transaction("kv", "readwrite");
      write.objectStore("kv").put({ version: 1, id: "saved", turns }, "current");
      for (const [id, base64] of Object.entries(pictures)) {
        const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
        write.objectStore("kv").put(new Blob([bytes], { type: "image/png" }), `picture:${id}`);
      }
      await new Promise((resolve) => (write.oncomplete = resolve));
      database.close();
    },
    [turns, pictures] as const,
  );
  await page.reload();
  await page.getByTestId("conversation").waitFor();
}

/** A question with a picture and an answer with figures. */
export const answeredTurns: readonly SavedTurn[] = [
  { role: "user", id: "q1", text: "What is this?", pictures: [{ id: "p1", name: "red.png" }] },
  {
    role: "assistant",
    id: "a1",
    text: "It is a **red** picture.\n\n| Colour | Share |\n| --- | --- |\n| red | all |\n\n```\nplain code\n```\n\n1. one\n2. [two](https://example.com/)",
    status: "done",
    device: "wasm",
    reason: "eos",
    usage: { promptTokens: 120, cachedTokens: 0, imageTokens: 100, newTokens: 12 },
    timings: { imageMs: 9, visionMs: 200, prefillMs: 90, decodeMs: 500, firstTokenMs: 300, totalMs: 800 },
  },
];

/** 2×2 pixels of red. */
export const redPng =
  "iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAIAAAD91JpzAAAAEElEQVR4nGP4z8AARAwQCgAf7gP9i18U1AAAAABJRU5ErkJggg==";
