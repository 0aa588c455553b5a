// Keeps and finds features of pictures on real IndexedDB and leaves what came of it as the page's text. Bundled by the test that opens
// it; no part of the app.
import { createIdbFeatures } from "#weights/store/features.web.ts";

const features = (length: number, value: number): Float32Array<ArrayBuffer> => new Float32Array(length).fill(value);
const told: Record<string, unknown> = {};
const first = (found: Float32Array | undefined): number | undefined => found?.[0];

const lasting = createIdbFeatures(1000, "lasting-features").open("p", "s");
told["earlier"] = first(await lasting.get("a")) ?? "nothing";
await lasting.put("a", features(3, 7));
told["length"] = (await lasting.get("a"))?.length;

const small = createIdbFeatures(100, crypto.randomUUID());
const one = small.open("p", "one");
const later = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 3));
await one.put("a", features(10, 1));
await later();
await one.put("b", features(10, 2));
await later();
await one.get("a");
await later();
await small.open("q", "one").put("a", features(10, 3));
told["least recently used gone"] = [await one.get("a"), await one.get("b")].map(first);
told["other package"] = first(await small.open("q", "one").get("a"));
told["other scope"] = first(await small.open("p", "two").get("a"));
await one.put("large", features(26, 4));
told["too large"] = first(await one.get("large"));
await small.forget("p");
told["forgotten"] = [await one.get("a"), await small.open("q", "one").get("a")].map(first);

// As a browser whose storage is full.
// eslint-disable-next-line @typescript-eslint/unbound-method -- called on its own object
const { put } = IDBObjectStore.prototype;
IDBObjectStore.prototype.put = function (this: IDBObjectStore, value: unknown, key) {
  if (value instanceof Float32Array) throw new DOMException("full", "QuotaExceededError");
  return put.call(this, value, key);
};
await one.put("c", features(1, 5));
told["full"] = first(await one.get("c"));
document.body.textContent = JSON.stringify(told, (_, value: unknown) => (value === undefined ? null : value));
