// Questions that are not sent yet, so that a reload loses none: their texts in localStorage, where a write is over when the call returns,
// their pictures in IndexedDB beside the conversations. What finds no room is dropped without a message.
import { createStore, del, get, set, type UseStore } from "idb-keyval";
import * as v from "valibot";
import { fromStoredBlob, toBlobBytes } from "#weights/store/blob-values.ts";
import type { Picture } from "#chat/conversation/conversation.ts";
import type { Drafts } from "./drafts.ts";

const prefix = "llava-web-draft:";
const longestText = 20_000;
const mostDrafts = 30;

const Text = v.object({ text: v.string(), at: v.number() });
const Pictures = v.array(v.object({ id: v.string(), name: v.string(), blob: v.unknown() }));

/** In the browser's own storage by default; reading `localStorage` throws where a browser stores nothing. */
export function createDrafts(storage: () => Storage = () => localStorage, databaseName = "llava-web-chat"): Drafts {
  let store: UseStore | undefined;
  const place = (): UseStore => (store ??= createStore(databaseName, "kv"));
  const keyOf = (id: string): string => `draft:${id}`;
  const parse = (text: string | null): v.InferOutput<typeof Text> | undefined => {
    try {
      return v.parse(Text, JSON.parse(text ?? ""));
    } catch {
      return undefined;
    }
  };
  const writeText = (id: string, text: string): void => {
    try {
      const all = storage();
      const before = all.getItem(prefix + id);
      if (text === "") return all.removeItem(prefix + id);
      if (before === null) forgetOldest(all);
      all.setItem(prefix + id, JSON.stringify({ text: text.slice(0, longestText), at: Date.now() }));
    } catch {
      // Full, or not allowed.
    }
  };
  const forgetOldest = (all: Storage): void => {
    const keys = Array.from({ length: all.length }, (_, i) => all.key(i) ?? "").filter((key) => key.startsWith(prefix));
    const age = (key: string): number => parse(all.getItem(key))?.at ?? 0;
    for (const key of keys.sort((a, b) => age(b) - age(a)).slice(mostDrafts - 1)) all.removeItem(key);
  };
  /** The pictures that are stored, as far as this page knows, so that typing does not write them again. */
  const stored = new Map<string, readonly Picture[]>();
  let queue: Promise<unknown> = Promise.resolve();
  const writePictures = async (id: string, pictures: readonly Picture[]): Promise<void> => {
    if (pictures.length === 0) return del(keyOf(id), place());
    await set(keyOf(id), [...pictures], place()).catch(async () => {
      // Private windows of WebKit store no Blobs.
      const asBytes = pictures.map(async ({ blob, ...picture }) => ({ ...picture, blob: await toBlobBytes(blob) }));
      await set(keyOf(id), await Promise.all(asBytes), place());
    });
  };
  return {
    text(id) {
      try {
        return parse(storage().getItem(prefix + id))?.text ?? "";
      } catch {
        return "";
      }
    },
    async pictures(id) {
      await queue;
      const parsed = v.safeParse(Pictures, await get<unknown>(keyOf(id), place()).catch(() => undefined));
      const pictures = (parsed.success ? parsed.output : []).flatMap(({ blob, ...picture }) => {
        const bytes = fromStoredBlob(blob);
        return bytes === undefined ? [] : [{ ...picture, blob: bytes }];
      });
      if (parsed.success) stored.set(id, pictures);
      return pictures;
    },
    write(id, { text, pictures }) {
      writeText(id, text);
      if (pictures === undefined) return;
      const held = stored.get(id) ?? [];
      if (held.length === pictures.length && held.every(({ blob }, i) => blob === pictures[i]?.blob)) return;
      stored.set(id, pictures);
      queue = queue.then(() => writePictures(id, pictures)).catch(() => undefined);
    },
  };
}
