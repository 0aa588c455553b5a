// The database of conversations in IndexedDB: its keys, transactions that end well or reject, and reading past broken records.
//   conversation:<id>  a StoredConversation     removed:<id>  one that can still be brought back
//   draft:<id>         pictures of a question that is not sent yet (drafts.web.ts)
//   picture:<key>      a picture's bytes        last          id of the conversation shown last
//   current            version 1: the only conversation
import { createStore, promisifyRequest, type UseStore } from "idb-keyval";

export const conversationKey = (id: string): string => `conversation:${id}`;
export const removedKey = (id: string): string => `removed:${id}`;
export const pictureKey = (key: string): string => `picture:${key}`;

/** All keys of a kind; ";" comes right after ":". */
export const allKeys = (kind: string): IDBKeyRange => IDBKeyRange.bound(`${kind}:`, `${kind};`, false, true);

/** The part of a key after its kind; "" where it is no text. */
export const idInKey = (key: IDBValidKey, kind: string): string =>
  typeof key === "string" ? key.slice(kind.length + 1) : "";

/** Runs `use` in one transaction: resolves when that has ended well, because before that nothing is stored. */
export type Transact = UseStore;

/** Opens the database at the first transaction. */
export function openDatabase(name: string): Transact {
  let store: UseStore | undefined;
  return (mode, use) =>
    (store ??= createStore(name, "kv"))(mode, async (objects) => {
      const done = promisifyRequest(objects.transaction);
      // An error thrown below rejects first; the abort that follows tells nothing new.
      done.catch(() => undefined);
      try {
        const result = await use(objects);
        await done;
        return result;
      } catch (error) {
        // Why a transaction was undone says more than that a request in it was.
        const cause = objects.transaction.error;
        abort(objects.transaction);
        throw cause ?? error;
      }
    });
}

/** A transaction that has ended already can't be aborted, and need not be. */
function abort(transaction: IDBTransaction): void {
  try {
    transaction.abort();
  } catch (error) {
    if (!(error instanceof DOMException && error.name === "InvalidStateError")) throw error;
  }
}

/** A value; undefined where the browser can't read its bytes any more. The transaction goes on. */
export function getReadable(objects: IDBObjectStore, key: string): Promise<unknown> {
  return readable<unknown>(objects.get(key));
}

/** All values of a kind that can be read, with their keys; one broken record hides no other. */
export async function getAllReadable(objects: IDBObjectStore, kind: string): Promise<(readonly [string, unknown])[]> {
  const keys = await promisifyRequest(objects.getAllKeys(allKeys(kind)));
  const together = await readable<unknown[]>(objects.getAll(allKeys(kind)));
  const all: (readonly [string, unknown])[] = [];
  for (const [index, key] of keys.entries()) {
    const value = together === undefined ? await readable<unknown>(objects.get(key)) : together[index];
    if (typeof key === "string") all.push([key, value]);
  }
  return all;
}

export function readable<T>(request: IDBRequest<T>): Promise<T | undefined> {
  return new Promise((resolve) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = (event) => {
      // An error event that is not handled aborts the whole transaction.
      event.preventDefault();
      event.stopPropagation();
      resolve(undefined);
    };
  });
}
