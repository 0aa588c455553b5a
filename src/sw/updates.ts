// Updates of the app while the page is open: reports a new version, and activates it when the user asks for it. Nothing is replaced under a
// running page, so that page, workers and runtime are always of one version.
import { controllerChange, isAlone } from "./register.ts";

const askEveryMs = 60 * 60 * 1000;

/** Calls back when a new version is waiting; checks for one every hour while the page is visible. */
export async function watchForUpdate(container: ServiceWorkerContainer, onReady: () => void): Promise<void> {
  const registration = await container.getRegistration();
  if (registration === undefined) return;
  const tell = (): void => {
    // Without a controller this is the first version.
    if (registration.waiting !== null && container.controller !== null) onReady();
  };
  const follow = (): void => registration.installing?.addEventListener("statechange", tell);
  registration.addEventListener("updatefound", follow);
  follow();
  tell();
  setInterval(() => {
    // A failed check, for instance offline, is repeated in an hour.
    if (!document.hidden) registration.update().catch(() => undefined);
  }, askEveryMs);
}

/** Activates the waiting version and reloads; "other-tabs" when other pages are open, in which case nothing changes. */
export async function takeUpdate(
  container: ServiceWorkerContainer,
  reload: () => void,
): Promise<"reloading" | "other-tabs"> {
  const waiting = (await container.getRegistration())?.waiting;
  if (waiting !== null && waiting !== undefined) {
    if (!(await isAlone(waiting))) return "other-tabs";
    waiting.postMessage("activate");
    await controllerChange(container, 5000);
  }
  reload();
  return "reloading";
}
