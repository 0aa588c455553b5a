// Runs the contract of a shard store on the real one, each check on a database of its own, and leaves the results as the page's
// text. Bundled by the test that opens it; no part of the app.
import { listPackages } from "#weights/inventory.ts";
import { storeContract } from "#testing/store-contract.ts";
import { createIdbShardStore } from "#weights/store/store.web.ts";

const results: Record<string, string> = {};
for (const { name, run } of storeContract) {
  try {
    await run(createIdbShardStore(crypto.randomUUID()));
    results[name] = "kept";
  } catch (error) {
    results[name] = String(error);
  }
}
// What an earlier visit left, then something for the next one.
const lasting = createIdbShardStore("lasting");
results["earlier"] = (await (await lasting.get("a"))?.text()) ?? "nothing";
// Another program of this origin may keep what it likes here; its keys are none of ours.
const database = await new Promise<IDBDatabase>((resolve, reject) => {
  const opening = indexedDB.open("lasting");
  opening.onsuccess = () => resolve(opening.result);
  opening.onerror = () => reject(opening.error ?? new Error("not opened"));
});
const foreign = database.transaction("shards", "readwrite");
for (const key of [7, new Date(0), ["a", 1], new Uint8Array(2), "%E0%A4%A/manifest.json", "theme"])
  foreign.objectStore("shards").put("foreign", key);
await new Promise((resolve) => (foreign.oncomplete = resolve));
results["packages beside foreign keys"] = JSON.stringify(await listPackages(lasting));
await lasting.put("a", new Blob(["still here"]));
document.body.textContent = JSON.stringify(results);
