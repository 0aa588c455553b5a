// Runs the contract of a shard store on the real one, each check on a database of its own, and leaves the results as the page's
// text. Bundled by the test that opens it; no part of the app.
import { storeContract } from "#weights/store-contract.ts";
import { createIdbShardStore } from "#weights/store.web.ts";

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
await lasting.put("a", new Blob(["still here"]));
document.body.textContent = JSON.stringify(results);
