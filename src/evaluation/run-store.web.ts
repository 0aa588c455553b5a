// A run in IndexedDB, a database of its own: the run, an entry for each answer, an entry for each picture.
import { clear, createStore, del, get, getMany, keys, set, setMany, type UseStore } from "idb-keyval";
import * as v from "valibot";
import { StoredAnswer, StoredRun, type RunStore } from "./run-store.ts";

const answerKey = (place: number): string => `answer:${place}`;
const pictureKey = (path: string): string => `picture:${path}`;
/** Pictures written at a time. */
const together = 32;

/** Opens the database when it is first used. */
export function createRunStore(): RunStore {
  let opened: UseStore | undefined;
  const store = (): UseStore => (opened ??= createStore("llava-web-eval", "kv"));
  return {
    async read() {
      const run = v.safeParse(StoredRun, await get<unknown>("run", store()));
      if (!run.success) return undefined;
      const all = await keys(store());
      const own = all.filter((key): key is string => typeof key === "string" && key.startsWith("answer:"));
      const values = await getMany<unknown>(own, store());
      const answers = new Map<number, StoredAnswer>();
      for (const [i, key] of own.entries()) {
        const answer = v.safeParse(StoredAnswer, values[i]);
        if (answer.success) answers.set(Number(key.slice("answer:".length)), answer.output);
      }
      return { run: run.output, answers };
    },
    async begin(run) {
      await clear(store());
      await set("run", run, store());
    },
    note: (run) => set("run", run, store()),
    add: (place, answer) => set(answerKey(place), answer, store()),
    async keepPictures(pictures) {
      const entries = [...pictures].map(([path, blob]): [string, Blob] => [pictureKey(path), blob]);
      try {
        for (let i = 0; i < entries.length; i += together) await setMany(entries.slice(i, i + together), store());
        return true;
      } catch {
        // No room, or no Blobs: the folder is asked for again after a reload. What was written would only fill the browser.
        for (const [key] of entries) await del(key, store()).catch(() => undefined);
        return false;
      }
    },
    async picture(path) {
      const blob = await get<unknown>(pictureKey(path), store()).catch(() => undefined);
      return blob instanceof Blob ? blob : undefined;
    },
    clear: () => clear(store()),
  };
}
