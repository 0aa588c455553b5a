// What the page was opened with: a question in the URL, files shared to the app or opened with it. Nothing of it is sent without a click.
import { sharedCacheName, sharedNameHeader, sharedTextPath } from "./shared-cache.ts";

export interface Launch {
  /** From `?q=`; "" for none. */
  readonly question: string;
  /** From `?embed`: the page is framed by another one and shows the chat alone. */
  readonly embed: boolean;
}

const longestQuestion = 4000;

/** Parses the page's URL. */
export function readLaunch(address: string): Launch {
  const { searchParams } = new URL(address);
  return { question: (searchParams.get("q") ?? "").slice(0, longestQuestion), embed: searchParams.has("embed") };
}

/** The URL without the question and the share: opening it again must not repeat them. */
export function addressAfterLaunch(address: string): string {
  const url = new URL(address);
  url.searchParams.delete("q");
  url.searchParams.delete("shared");
  return url.href;
}

export interface Shared {
  readonly text: string;
  readonly files: readonly File[];
}

/** Removes and returns what the service worker stored when something was shared to the app. */
export async function takeShared(scope: string): Promise<Shared> {
  if (!("caches" in globalThis)) return { text: "", files: [] };
  const cache = await caches.open(sharedCacheName(scope));
  let text = "";
  const files: File[] = [];
  for (const request of await cache.keys()) {
    const response = await cache.match(request);
    await cache.delete(request);
    if (response === undefined) continue;
    if (request.url.endsWith(sharedTextPath)) text = (await response.text()).slice(0, longestQuestion);
    else {
      const name = decodeURIComponent(response.headers.get(sharedNameHeader) ?? "picture");
      const blob = await response.blob();
      files.push(new File([blob], name, { type: blob.type }));
    }
  }
  return { text, files };
}

interface LaunchQueue {
  setConsumer(consume: (launch: { readonly files?: readonly { getFile(): Promise<File> }[] }) => void): void;
}

function hasLaunchQueue(host: object): host is { readonly launchQueue: LaunchQueue } {
  return "launchQueue" in host;
}

/** Calls back whenever the system opens files with the installed app. */
export function onOpenedFiles(take: (files: readonly File[]) => void): void {
  const host: object = globalThis;
  if (!hasLaunchQueue(host)) return;
  host.launchQueue.setConsumer(({ files = [] }) => {
    if (files.length === 0) return;
    Promise.all(files.map((handle) => handle.getFile())).then(take, (error: unknown) =>
      // The file was moved or locked in the meantime.
      console.warn("A file could not be opened:", error),
    );
  });
}

interface InstallPrompt extends Event {
  prompt(): Promise<unknown>;
}

/** Calls back with a function that installs the app when the browser offers it, and with undefined once it no longer does. */
export function onInstallOffer(offer: (install: (() => void) | undefined) => void): void {
  addEventListener("beforeinstallprompt", (event) => {
    // Keeps the browser from showing its own banner over the page.
    event.preventDefault();
    if (!isInstallPrompt(event)) return;
    offer(() => {
      offer(undefined);
      void event.prompt();
    });
  });
  addEventListener("appinstalled", () => offer(undefined));
}

function isInstallPrompt(event: Event): event is InstallPrompt {
  return "prompt" in event && typeof event.prompt === "function";
}
