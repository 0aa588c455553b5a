import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { startServiceWorker, type RegisterHost, type ShellState } from "./register.ts";

const baseUrl = "https://example.test/app/";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

interface Browser {
  readonly host: RegisterHost;
  readonly container: EventTarget & { controller: object | null };
  /** Messages to the active and to the waiting worker. */
  readonly posted: string[];
  readonly registered: { url: string; scope: string | undefined }[];
  readonly kept: Map<string, string>;
  reloads: number;
  takeOver(): void;
}

/** What the page sees of a browser, as far as it asks: the service worker itself is a list of what it was told. */
function browser(
  given: {
    controlled?: boolean;
    isolated?: boolean;
    waiting?: boolean;
    session?: boolean;
    kept?: Map<string, string>;
    /** What a waiting worker answers to "alone?"; absent says nothing. */
    alone?: boolean;
    onPost?: (message: string, browser: Browser) => void;
    register?: () => Promise<void>;
  } = {},
): Browser {
  const kept = given.kept ?? new Map<string, string>();
  const post = (message: string, ports: readonly MessagePort[] = []): void => {
    found.posted.push(message);
    if (message === "alone?" && given.alone !== undefined) ports[0]?.postMessage(given.alone);
    // A worker hears a message later than the page that sent it goes on.
    setTimeout(() => given.onPost?.(message, found), 10);
  };
  const container = Object.assign(new EventTarget(), {
    controller: given.controlled ? {} : null,
    async register(url: URL, options?: RegistrationOptions) {
      await given.register?.();
      found.registered.push({ url: url.href, scope: options?.scope });
      return { active: { postMessage: post }, waiting: given.waiting ? { postMessage: post } : null };
    },
  });
  const found: Browser = {
    container,
    posted: [],
    registered: [],
    kept,
    reloads: 0,
    takeOver() {
      container.controller = {};
      container.dispatchEvent(new Event("controllerchange"));
    },
    host: {
      // The container of a browser has more than the page asks of it.
      serviceWorker: container as unknown as ServiceWorkerContainer,
      isolated: given.isolated ?? false,
      session:
        given.session === false
          ? undefined
          : {
              getItem: (key) => kept.get(key) ?? null,
              setItem: (key, value) => void kept.set(key, value),
              removeItem: (key) => void kept.delete(key),
            },
      reload() {
        found.reloads++;
      },
    },
  };
  return found;
}

/** The state after every timeout; "reloading" when the page waits for its own end. */
async function stateOf({ host }: Pick<Browser, "host">): Promise<ShellState | "reloading"> {
  let state: ShellState | "reloading" = "reloading";
  void startServiceWorker({ baseUrl, host }).then((settled) => (state = settled));
  await vi.advanceTimersByTimeAsync(60_000);
  return state;
}

test("a browser without service workers runs without", async () => {
  const { host } = browser();
  expect(await stateOf({ host: { ...host, serviceWorker: undefined } })).toBe("unsupported");
});

test("a registration that fails is said once on the console, and the page goes on", async () => {
  const warn = vi.spyOn(console, "warn").mockReturnValue();
  const blocked = browser({ register: () => Promise.reject(new DOMException("blocked", "SecurityError")) });
  expect(await stateOf(blocked)).toBe("failed");
  expect(warn).toHaveBeenCalledOnce();
  expect(blocked.reloads).toBe(0);
});

test("the worker is registered for the app's folder, next to its page", async () => {
  const page = browser({ controlled: true, isolated: true });
  expect(await stateOf(page)).toBe("controlled");
  expect(page.registered).toEqual([{ url: `${baseUrl}service-worker.js`, scope: baseUrl }]);
  expect(page.reloads).toBe(0);
});

test("a worker that never takes over is not waited for for ever", async () => {
  const page = browser();
  let state: ShellState | undefined;
  void startServiceWorker({ baseUrl, host: page.host, timeoutMs: 3000 }).then((settled) => (state = settled));
  await vi.advanceTimersByTimeAsync(2999);
  expect(state).toBeUndefined();
  await vi.advanceTimersByTimeAsync(1);
  expect(state).toBe("late");
  expect(page.reloads).toBe(0);
});

test("a first visit waits until the worker has taken over, and reloads once to be isolated", async () => {
  const kept = new Map<string, string>();
  const first = browser({ kept, onPost: (message, page) => message === "claim" && page.takeOver() });
  expect(await stateOf(first)).toBe("reloading");
  expect(first.reloads).toBe(1);
  expect(first.posted).toEqual(["claim"]);
  const second = browser({ kept, controlled: true, isolated: true });
  expect(await stateOf(second)).toBe("controlled");
  expect(second.reloads).toBe(0);
});

test("a page that a reload does not isolate is reloaded once only", async () => {
  const kept = new Map<string, string>();
  const reloads = [];
  for (let visit = 0; visit < 4; visit++) {
    const page = browser({ kept, controlled: true });
    await stateOf(page);
    reloads.push(page.reloads);
  }
  expect(reloads).toEqual([1, 0, 0, 0]);
});

test("a page that was isolated once may reload again when it is not any more", async () => {
  const kept = new Map<string, string>();
  await stateOf(browser({ kept, controlled: true }));
  await stateOf(browser({ kept, controlled: true, isolated: true }));
  const forced = browser({ kept, onPost: (_, page) => page.takeOver() });
  expect(await stateOf(forced)).toBe("reloading");
  expect(forced.reloads).toBe(1);
});

test("without session storage nothing would stop a loop, so the page never reloads", async () => {
  const page = browser({ controlled: true, session: false });
  expect(await stateOf(page)).toBe("controlled");
  const updated = browser({ controlled: true, session: false, waiting: true, alone: true });
  expect(await stateOf(updated)).toBe("controlled");
  expect(page.reloads + updated.reloads).toBe(0);
  // A version that took over now would take this page's files away.
  expect(updated.posted).toEqual([]);
});

test("a version that waits takes over, and the page reloads once into it", async () => {
  const kept = new Map<string, string>();
  const old = browser({
    kept,
    controlled: true,
    isolated: true,
    waiting: true,
    alone: true,
    onPost: (message, page) => message === "activate" && page.takeOver(),
  });
  expect(await stateOf(old)).toBe("reloading");
  expect(old.reloads).toBe(1);
  expect(old.posted).toEqual(["alone?", "activate"]);
  const again = browser({ kept, controlled: true, isolated: true, waiting: true, alone: true });
  expect(await stateOf(again)).toBe("controlled");
  expect(again.posted).toEqual([]);
  const updated = browser({ kept, controlled: true, isolated: true });
  expect(await stateOf(updated)).toBe("controlled");
  expect(kept.size).toBe(0);
});

test("a page whose new version takes long to take over never goes on with the old files", async () => {
  const slow = browser({
    controlled: true,
    isolated: true,
    waiting: true,
    alone: true,
    onPost: (message, page) => message === "activate" && void setTimeout(() => page.takeOver(), 5000),
  });
  expect(await stateOf(slow)).toBe("reloading");
  expect(slow.reloads).toBe(1);
  const stuck = browser({ controlled: true, isolated: true, waiting: true, alone: true });
  expect(await stateOf(stuck)).toBe("reloading");
  expect(stuck.reloads).toBe(1);
});

test.each([
  ["that must wait for other tabs", false],
  ["that says nothing", undefined],
])("a version %s is left waiting, without a reload", async (_, alone) => {
  const page = browser({ controlled: true, isolated: true, waiting: true, ...(alone === undefined ? {} : { alone }) });
  expect(await stateOf(page)).toBe("controlled");
  expect(page.posted).toEqual(["alone?"]);
  expect(page.reloads).toBe(0);
});
