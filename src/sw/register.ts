// The page's side of the service worker: registers it, waits until it controls the page, and reloads once where that brings
// cross-origin isolation. Call it before a model loads; it never reloads later, so never during a chat.

/** Why the page runs without its service worker, or "controlled". */
export type ShellState =
  | "controlled"
  | "unsupported" // no service workers here: old browser, private window, or plain HTTP from another machine
  | "failed" // it could not be registered
  | "late" // it did not take over in time: the next visit will work offline
  | "off"; // the development server runs without it

/** What the browser offers; the real one by default, stand-ins in tests. */
export interface RegisterHost {
  readonly serviceWorker: ServiceWorkerContainer | undefined;
  readonly isolated: boolean;
  /** Survives a reload of this tab; undefined where it is blocked. */
  readonly session: Pick<Storage, "getItem" | "setItem" | "removeItem"> | undefined;
  reload(): void;
}

export interface RegisterOptions {
  /** Absolute URL of the folder the app is served from. */
  readonly baseUrl: string;
  /** How long the page waits for it before it goes on without; default 8 seconds. */
  readonly patienceMs?: number;
  readonly host?: RegisterHost;
}

const reloadedKey = "llava-reloaded-for-isolation";
const updatedKey = "llava-reloaded-for-update";

/** Resolves when a model may be loaded; does not resolve when the page is about to reload. */
export async function startServiceWorker(options: RegisterOptions): Promise<ShellState> {
  const { baseUrl, patienceMs = 8000, host = browserHost() } = options;
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
  // A new version that waited since the last visit takes over now, while there is no chat to disturb. It brings its own files and
  // drops the old ones, so it may do so only where this page is then sure to reload into it.
  else if (session?.getItem(updatedKey) === null && (await isAlone(waiting))) {
    waiting.postMessage("activate");
    await controllerChange(container, patienceMs);
    return reloadOnce(updatedKey) ?? "controlled";
  }
  if (!container.controller) {
    // A forced reload leaves the page without its worker until it is asked to take over again.
    registration.active?.postMessage("claim");
    if (!(await controllerChange(container, patienceMs))) return "late";
  }
  if (host.isolated) session?.removeItem(reloadedKey);
  else return reloadOnce(reloadedKey) ?? "controlled";
  return "controlled";
}

/** Whether the worker says that this page is the app's only one; false when it says nothing in time, and then nothing has happened. */
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

/** True as soon as another worker controls the page, false when none does in time. */
export function controllerChange(container: ServiceWorkerContainer, patienceMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const settle = (changed: boolean): void => {
      clearTimeout(timer);
      container.removeEventListener("controllerchange", onChange);
      resolve(changed);
    };
    const onChange = (): void => settle(container.controller !== null);
    const timer = setTimeout(() => settle(false), patienceMs);
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
    return undefined; // Blocked: then the page never reloads by itself, so it can't loop.
  }
}
