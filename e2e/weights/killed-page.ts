// A page that fetches the package beside it into its own storage, and writes what came of it to its body. To be killed.
import { ensurePackage } from "#weights/download/ensure.ts";
import { verifyPackage } from "#weights/inventory.ts";
import { createIdbShardStore } from "#weights/store/store.web.ts";
import { roomLeft } from "#weights/store/storage.web.ts";

const store = createIdbShardStore("killed-page");
const tellHeld = async (): Promise<void> => void (document.body.dataset["held"] = JSON.stringify(await store.keys()));
await tellHeld();
addEventListener("look", () => void tellHeld());
// The test has to know what earlier pages left before anything comes in addition.
await new Promise((resolve) => addEventListener("go", resolve, { once: true }));
try {
  const { persisted } = await ensurePackage(
    { id: "killed", baseUrl: new URL("./", location.href).href },
    { store, room: roomLeft },
    { pieceBytes: 16_384, backoffMs: () => 20 },
  );
  document.body.dataset["outcome"] = JSON.stringify({ persisted, ...(await verifyPackage(store, "killed")) });
} catch (error) {
  document.body.dataset["outcome"] = String(error);
}
