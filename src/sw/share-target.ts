// Receives what is shared to the installed app: caches it for the page and opens the page. Nothing leaves the device.
import {
  mostSharedFiles,
  shareFilesField,
  sharedCacheName,
  sharedFilePath,
  sharedNameHeader,
  sharedTextPath,
} from "./shared-cache.ts";

/** The response to the system's POST: a redirect to the page, which takes what was shared out of the cache. */
export async function receiveShare(request: Request, scope: string): Promise<Response> {
  const form = await request.formData();
  const cache = await caches.open(sharedCacheName(scope));
  for (const old of await cache.keys()) await cache.delete(old);
  const text = ["title", "text", "url"].map((name) => form.get(name)).filter((value) => typeof value === "string");
  const lines = [...new Set(text)].filter((value) => value !== "").join("\n");
  if (lines !== "") await cache.put(`${scope}${sharedTextPath}`, new Response(lines));
  const files = form.getAll(shareFilesField).filter((value) => typeof value !== "string");
  for (const [index, file] of files.slice(0, mostSharedFiles).entries()) {
    const headers = { "content-type": file.type, [sharedNameHeader]: encodeURIComponent(file.name) };
    await cache.put(`${scope}${sharedFilePath(index)}`, new Response(file, { headers }));
  }
  return Response.redirect(`${scope}?shared`, 303);
}
