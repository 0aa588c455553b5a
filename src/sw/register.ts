// Registers the service worker, waits until it controls the page, and reloads once where that brings cross-origin isolation.
// Called before a model loads; it never reloads later, so never during a chat.

/** "controlled", or why the page runs without its service worker. */
export type ShellState =
  | "controlled"
  | "unsupported" // no service workers: an old browser, a private window, or plain HTTP from another machine
  | "failed" // it could not be registered
  | "late" // it did not take control in time: the next visit will work offline
  | "off"; // the development server runs without it

/** What the browser offers; tests pass substitutes. */
export interface RegisterHost {
  readonly serviceWorker: ServiceWorkerContainer | undefined;
  readonly isolated: boolean;
  /** Survives a reload of the tab; undefined where storage is blocked. */
  readonly session: Pick<Storage, "getItem" | "setItem" | "removeItem"> | undefined;
  reload(): void;
}

export interface RegisterOptions {
  /** Absolute URL of the folder the app is served from. */
  readonly baseUrl: string;
  /** How long the page waits for the service worker before it continues without; default 8 seconds. */
  readonly timeoutMs?: number;
  readonly host?: RegisterHost;
}

const reloadedKey = "llava-reloaded-for-isolation";
const updatedKey = "llava-reloaded-for-update";

/** Resolves when a model may be loaded; does not resolve when the page is about to reload. */
export async function startServiceWorker(options: RegisterOptions): Promise<ShellState> {
  const { baseUrl, timeoutMs = 8000, host = browserHost() } = options;
  const { serviceWorker: container, session } = host;
  if (!container) return "unsupported";
  const reloadOnce = (key: string): Promise<ShellState> | undefined => {
    if (!session || session.getItem(key) !== null) return undefined;
    session.setItem(key, "yes");
    host.reload();
    return new Promise(() => undefined);
  };

  let registration: ServiceWorkerRegistration;
  try {
    registration = await container.register(new URL("service-worker.js", baseUrl), {
      scope: baseUrl,
      updateViaCache: "none",
    });
  } catch (error) {
    console.warn("The service worker could not be registered; the page works, but only online:", error);
    return "failed";
  }
  const { waiting } = registration;
  if (!waiting || !container.controller) session?.removeItem(updatedKey);
  // A version that has been waiting since the last visit takes over now, before a chat begins. It replaces the old version's files, so it may
  // do that only where this page is sure to reload.
  else if (session?.getItem(updatedKey) === null && (await isAlone(waiting))) {
    waiting.postMessage("activate");
    await controllerChange(container, timeoutMs);
    return reloadOnce(updatedKey) ?? "controlled";
  }
  if (!container.controller) {
    // After a forced reload the worker controls the page only once it claims it.
    registration.active?.postMessage("claim");
    if (!(await controllerChange(container, timeoutMs))) return "late";
  }
  if (host.isolated) session?.removeItem(reloadedKey);
  else return reloadOnce(reloadedKey) ?? "controlled";
  return "controlled";
}

/** Whether the worker reports that this is the app's only page; false when it does not answer in time. */
export function isAlone(worker: ServiceWorker): Promise<boolean> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    const settle = (alone: boolean): void => {
      clearTimeout(timer);
      port1.close();
      resolve(alone);
    };
    const timer = setTimeout(() => settle(false), 1500);
    port1.onmessage = ({ data }: MessageEvent<unknown>) => settle(data === true);
    worker.postMessage("alone?", [port2]);
  });
}

/** Resolves with true as soon as another worker controls the page, with false after the timeout. */
export function controllerChange(container: ServiceWorkerContainer, timeoutMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const settle = (changed: boolean): void => {
      clearTimeout(timer);
      container.removeEventListener("controllerchange", onChange);
      resolve(changed);
    };
    const onChange = (): void => settle(container.controller !== null);
    const timer = setTimeout(() => settle(false), timeoutMs);
    container.addEventListener("controllerchange", onChange);
  });
}

function browserHost(): RegisterHost {
  return {
    serviceWorker: "serviceWorker" in navigator ? navigator.serviceWorker : undefined,
    isolated: crossOriginIsolated,
    session: sessionStore(),
    reload: () => location.reload(),
  };
}

function sessionStore(): Storage | undefined {
  try {
    return sessionStorage;
  } catch {
    return undefined; // Storage is blocked: the page then never reloads by itself, so that it cannot loop.
  }
}
