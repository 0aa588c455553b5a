// A new version of the app that arrives while the page is open: tells of it, and takes it over when the user says so. Nothing is
// ever replaced under a page that runs: page, workers and runtime are always of one version.
import { controllerChange, isAlone } from "./register.ts";

const askEveryMs = 60 * 60 * 1000;

/** Calls back when a new version waits; asks for one every hour while the page is looked at. */
export async function watchForUpdate(container: ServiceWorkerContainer, onReady: () => void): Promise<void> {
  const registration = await container.getRegistration();
  if (registration === undefined) return;
  const tell = (): void => {
    // Without a controller this is the first version, and there is none before it.
    if (registration.waiting !== null && container.controller !== null) onReady();
  };
  const follow = (): void => registration.installing?.addEventListener("statechange", tell);
  registration.addEventListener("updatefound", follow);
  follow();
  tell();
  setInterval(() => {
    // Offline, or the host is gone: there will be another hour.
    if (!document.hidden) registration.update().catch(() => undefined);
  }, askEveryMs);
}

/** Takes the waiting version over and reloads; "other-tabs" when pages of the old one are still open, and nothing has happened. */
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
