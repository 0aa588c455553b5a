// A page that converts the checkpoint on its own server into its storage, and writes what came of it into its body. To be killed.
import { quantizerHere } from "#convert/quantize/quantize.ts";
import { verifyPackage } from "#weights/inventory.ts";
import { createIdbShardStore } from "#weights/store/store.web.ts";
import { roomLeft } from "#weights/store/storage.web.ts";
import type { ConversionEvent } from "#worker/convert-api.ts";
import { createConvertHost } from "#worker/convert-host.ts";

const store = createIdbShardStore("killed-conversion");
const host = createConvertHost({
  store,
  facts: () => Promise.resolve({}),
  room: roomLeft,
  startQuantizer: () => Promise.resolve({ ...quantizerHere, end: () => undefined }),
  sizes: { unitBytes: 40_000, blockBytes: 32_768 },
});
const request = {
  place: { kind: "hub", hub: new URL("/", location.href).href, repository: "someone/tiny-llava" },
  id: "killed",
} as const;
try {
  const plan = await host.plan(request);
  document.body.dataset["kept"] = plan.kind === "plan" ? String(plan.keptBytes) : plan.kind;
  document.body.dataset["fetched"] = plan.kind === "plan" ? String(plan.fetchedBytes) : plan.kind;
  const onEvent = ({ kept }: ConversionEvent): void => void (document.body.dataset["kept"] = String(kept));
  await host.convert(request, onEvent, "1");
  document.body.textContent = JSON.stringify(await verifyPackage(store, "killed"));
} catch (error) {
  document.body.textContent = String(error);
}
