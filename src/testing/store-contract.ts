// What every shard store must do, as named checks that throw when it does not. Knows no test runner: the in-memory store runs
// them under Node, the real one in a browser.
import type { ShardStore } from "#weights/store/store.ts";

export interface ContractCheck {
  readonly name: string;
  /** The store is empty at first. */
  readonly run: (store: ShardStore) => Promise<void>;
}

const blobOf = (...bytes: number[]): Blob => new Blob([Uint8Array.from(bytes)]);

async function expectBytes(blob: Blob | undefined, ...bytes: number[]): Promise<void> {
  const found = blob && [...new Uint8Array(await blob.arrayBuffer())];
  expectEqual(found, bytes);
}

function expectEqual(found: unknown, wanted: unknown): void {
  if (JSON.stringify(found) !== JSON.stringify(wanted)) {
    throw new Error(`expected ${JSON.stringify(wanted)}, found ${JSON.stringify(found)}`);
  }
}

/** Run each on an empty store. */
export const storeContract: readonly ContractCheck[] = [
  {
    name: "what was put comes back with the same bytes",
    run: async (store) => {
      await store.put("a", blobOf(1, 2, 3));
      await expectBytes(await store.get("a"), 1, 2, 3);
    },
  },
  {
    name: "a key that was never put gives undefined",
    run: async (store) => expectEqual(await store.get("nothing"), undefined),
  },
  {
    name: "putting again replaces",
    run: async (store) => {
      await store.put("a", blobOf(1));
      await store.put("a", blobOf(2, 2));
      await expectBytes(await store.get("a"), 2, 2);
      expectEqual(await store.keys(), ["a"]);
    },
  },
  {
    name: "keys lists everything, and delete takes away what it is told and nothing else",
    run: async (store) => {
      for (const key of ["p/a#0:x", "p/b#0:y", "q/a#0:x"]) await store.put(key, blobOf(7));
      await store.delete(["p/a#0:x", "never there", "q/a#0:x"]);
      expectEqual(await store.keys(), ["p/b#0:y"]);
      expectEqual(await store.get("p/a#0:x"), undefined);
    },
  },
  {
    name: "deleting nothing is no mistake",
    run: async (store) => {
      await store.delete([]);
      expectEqual(await store.keys(), []);
    },
  },
  {
    name: "an empty Blob is kept as one",
    run: async (store) => {
      await store.put("empty", new Blob([]));
      expectEqual((await store.get("empty"))?.size, 0);
    },
  },
  {
    name: "stored Blobs joined and sliced read right across the seam",
    run: async (store) => {
      await store.put("a", blobOf(0, 1, 2, 3));
      await store.put("b", blobOf(4, 5, 6, 7));
      const parts = [await store.get("a"), await store.get("b")].filter((part) => part !== undefined);
      await expectBytes(new Blob(parts).slice(2, 6), 2, 3, 4, 5);
    },
  },
];
