// The service worker: serves the app's files from its precache, caches the runtime build that this device uses, and adds the security
// headers for hosts that cannot. Weights are in IndexedDB and never pass through it.
import { PrecacheController } from "workbox-precaching";
import { offlinePage } from "./offline-pages.ts";
import { hubWorkerPath, runtimeCacheName, runtimeCachePrefix, runtimePath } from "./runtime-cache.ts";
import { securityHeadersFor } from "./security-headers.ts";
import { receiveShare } from "./share-target.ts";
import { sharePath } from "./shared-cache.ts";

declare const self: ServiceWorkerGlobalScope;
/** LLAVA_FRAME_ANCESTORS at build time. */
declare const __FRAME_ANCESTORS__: string;

const securityHeaders = securityHeadersFor(__FRAME_ANCESTORS__);

const precache = new PrecacheController();
precache.addToCacheList(self.__WB_MANIFEST);

self.addEventListener("install", (event) => {
  event.waitUntil(precache.install(event));
});

self.addEventListener("activate", (event) => {
  event.waitUntil(activate(event));
});

async function activate(event: ExtendableEvent): Promise<void> {
  await precache.activate(event);
  const { scope } = self.registration;
  const names = await caches.keys();
  // Caches of other deployments on this origin stay.
  const old = names.filter((name) => name.startsWith(runtimeCachePrefix(scope)) && name !== runtimeCacheName(scope));
  await Promise.all(old.map((name) => caches.delete(name)));
  await self.clients.claim();
}

self.addEventListener("message", (event) => {
  const message: unknown = event.data;
  if (message === "claim") event.waitUntil(self.clients.claim());
  if (message === "alone?") event.waitUntil(isPageAlone().then((alone) => event.ports[0]?.postMessage(alone)));
  // The page sends this only after it was told that it is alone, and then reloads.
  if (message === "activate") event.waitUntil(self.skipWaiting());
});

/** Pages of the old version may still fetch its files, so the new version waits until there is at most one page. */
async function isPageAlone(): Promise<boolean> {
  const pages = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  // Pages of other apps on this origin do not count.
  return pages.filter(({ url }) => url.startsWith(self.registration.scope)).length <= 1;
}

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  const scope = self.registration.scope;
  if (request.method === "POST" && url.href === `${scope}${sharePath}`) {
    event.respondWith(receiveShare(request, scope));
    return;
  }
  if (request.method !== "GET" || !url.href.startsWith(scope)) return;
  if (
    url.href.startsWith(new URL(runtimePath, scope).href) ||
    url.href.startsWith(new URL(hubWorkerPath, scope).href)
  ) {
    event.respondWith(fromRuntimeCache(event, url));
    return;
  }
  const navigation = request.mode === "navigate";
  // The query of a navigation does not select a file.
  const file = navigation ? url.origin + url.pathname : url.href;
  const key = precache.getCacheKeyForURL(navigation && file.endsWith("/") ? `${file}index.html` : file);
  if (key !== undefined && request.cache === "reload") {
    event.respondWith(fromNetwork(key, request));
  } else if (key !== undefined) {
    event.respondWith(fromPrecache(key, request));
  } else if (navigation) {
    event.respondWith(navigate(request));
  } else if (request.destination === "worker" || request.destination === "script") {
    event.respondWith(fetch(request).then(withHeaders));
  }
});

async function fromPrecache(key: string, request: Request): Promise<Response> {
  const cached = await caches.match(key);
  return withHeaders(cached ?? (await fetch(request)));
}

/** The network's response, for requests past all caches because a cached file did not fit; offline the cached one. */
async function fromNetwork(key: string, request: Request): Promise<Response> {
  try {
    const response = await fetch(request);
    if (response.ok) return withHeaders(response);
  } catch {
    // No network.
  }
  return fromPrecache(key, request);
}

/** A page that is not precached comes from the network; offline its replacement, or a redirect to the app. */
async function navigate(request: Request): Promise<Response> {
  try {
    return withHeaders(await fetch(request));
  } catch (error) {
    const { scope } = self.registration;
    const instead = offlinePage(new URL(request.url), scope, navigator.languages);
    const page = instead === undefined ? undefined : await precache.matchPrecache(instead);
    if (page !== undefined) return withHeaders(page);
    if (await precache.matchPrecache(`${scope}index.html`)) return Response.redirect(scope);
    throw error;
  }
}

/** The URL names the version, so a cached file never becomes stale. */
async function fromRuntimeCache(event: FetchEvent, url: URL): Promise<Response> {
  const cache = await caches.open(runtimeCacheName(self.registration.scope));
  const cached = await cache.match(url.href);
  if (cached) return forRuntime(cached, url);
  const response = await fetch(event.request);
  if (response.status === 200) {
    // Without room the page still runs; it only does not claim to work offline.
    event.waitUntil(cacheRuntimeFile(cache, url, response.clone()).catch(() => undefined));
  }
  return forRuntime(response, url);
}

/** Caches the file; a new hub worker replaces those of older builds. */
async function cacheRuntimeFile(cache: Cache, url: URL, response: Response): Promise<void> {
  await cache.put(url.href, response);
  const isHubWorker = (href: string): boolean => href.includes(`/${hubWorkerPath}`);
  if (!isHubWorker(url.href)) return;
  const old = (await cache.keys()).filter((request) => isHubWorker(request.url) && request.url !== url.href);
  await Promise.all(old.map((request) => cache.delete(request)));
}

/** Scripts may become workers, which need the headers; a wasm response stays as it is, so that the browser can cache the compiled code. */
function forRuntime(response: Response, url: URL): Response {
  return url.pathname.endsWith(".wasm") ? response : withHeaders(response);
}

function withHeaders(response: Response): Response {
  // Opaque and error responses cannot be rebuilt, and redirected ones have to stay so.
  if (response.type === "error" || response.type.startsWith("opaque") || response.redirected) return response;
  const headers = new Headers(response.headers);
  for (const [name, value] of Object.entries(securityHeaders)) headers.set(name, value);
  const { status, statusText } = response;
  const empty = status === 101 || status === 204 || status === 205 || status === 304;
  return new Response(empty ? null : response.body, { status, statusText, headers });
}
