// A page that converts the checkpoint on its own server into its storage, and writes what came of it to its body. To be killed.
import { quantizerHere } from "#convert/quantize/quantize.ts";
import { verifyPackage } from "#weights/inventory.ts";
import { createIdbShardStore } from "#weights/store/store.web.ts";
import { roomLeft } from "#weights/store/storage.web.ts";
import type { ConversionEvent } from "#worker/convert/convert-api.ts";
import { createConvertHost } from "#worker/convert/convert-host.ts";

/** The package's id, and the sizes of the conversion. */
const asked = new URLSearchParams(location.hash.slice(1));
const size = (name: string): number => Number(asked.get(name));
const store = createIdbShardStore("killed-conversion");
const host = createConvertHost({
  store,
  facts: () => Promise.resolve({}),
  room: roomLeft,
  startQuantizer: () => Promise.resolve({ ...quantizerHere, end: () => undefined }),
  sizes: { unitBytes: size("unitBytes"), blockBytes: size("blockBytes") },
});
const request = {
  place: { kind: "hub", hub: new URL("/", location.href).href, repository: "someone/tiny-llava" },
  id: asked.get("id") ?? "killed",
} as const;
try {
  const plan = await host.plan(request);
  document.body.dataset["kept"] = plan.kind === "plan" ? String(plan.keptBytes) : plan.kind;
  document.body.dataset["fetched"] = plan.kind === "plan" ? String(plan.fetchedBytes) : plan.kind;
  // The test has to know what an earlier page left before anything comes in addition.
  await new Promise((resolve) => addEventListener("go", resolve, { once: true }));
  const onEvent = ({ kept }: ConversionEvent): void => void (document.body.dataset["kept"] = String(kept));
  await host.convert(request, onEvent, "1");
  document.body.dataset["outcome"] = JSON.stringify(await verifyPackage(store, request.id));
} catch (error) {
  document.body.dataset["outcome"] = String(error);
}
