// The last conversation in IndexedDB. A picture is written once, under its own key: putting a Blob again copies its bytes again.
import { createStore, delMany, get, getMany, keys, set, setMany } from "idb-keyval";
import type { Conversation } from "./conversation.ts";
import { fromStored, parseStored, pictureIds, toStored, type ChatPersistence } from "./persistence.ts";

const currentKey = "current";
const pictureKey = (id: string): string => `picture:${id}`;

/** Keeps one conversation in a database of its own; opens it at the first call. */
export function createWebPersistence(databaseName = "llava-web-chat"): ChatPersistence {
  let store: ReturnType<typeof createStore> | undefined;
  const open = (): ReturnType<typeof createStore> => (store ??= createStore(databaseName, "kv"));
  let queue: Promise<void> = Promise.resolve();
  const written = new Set<string>();

  const write = async (conversation: Conversation): Promise<void> => {
    const kept = toStored(conversation);
    const pictures = conversation.turns.flatMap((turn) => (turn.role === "user" ? turn.pictures : []));
    const fresh = pictures.filter((picture) => !written.has(picture.id));
    if (fresh.length > 0) {
      await setMany(
        fresh.map((picture): [string, Blob] => [pictureKey(picture.id), picture.blob]),
        open(),
      );
      for (const picture of fresh) written.add(picture.id);
    }
    await set(currentKey, kept, open());
    await dropPicturesExcept(new Set(pictures.map((picture) => picture.id)));
  };

  const dropPicturesExcept = async (wanted: ReadonlySet<string>): Promise<void> => {
    if ([...written].every((id) => wanted.has(id))) return;
    const all = await keys<string>(open());
    const orphans = all.filter((key) => key !== currentKey && !wanted.has(key.slice(pictureKey("").length)));
    await delMany(orphans, open());
    for (const id of [...written]) if (!wanted.has(id)) written.delete(id);
  };

  return {
    async load() {
      const kept = parseStored(await get<unknown>(currentKey, open()));
      if (kept === undefined) return undefined;
      const ids = pictureIds(kept);
      const values = await getMany<unknown>(ids.map(pictureKey), open());
      const blobs = new Map<string, Blob>();
      ids.forEach((id, index) => {
        const value = values[index];
        if (!(value instanceof Blob)) return;
        blobs.set(id, value);
        written.add(id);
      });
      return fromStored(kept, blobs);
    },
    save(conversation) {
      const done = queue.then(() => write(conversation));
      queue = done.catch(() => undefined);
      return done;
    },
  };
}
