import { expect, test, vi } from "vitest";
import { addressAfterLaunch, readLaunch, takeShared } from "./launch.ts";
import { receiveShare } from "./share-target.ts";
import { mostSharedFiles } from "./shared-cache.ts";

test("an address may ask a question and say that the page stands inside another", () => {
  expect(readLaunch("https://a.example/llava/?q=What%20is%20this%3F&embed")).toEqual({
    question: "What is this?",
    embed: true,
  });
  expect(readLaunch("https://a.example/llava/")).toEqual({ question: "", embed: false });
  expect(readLaunch(`https://a.example/?q=${"x".repeat(9000)}`).question).toHaveLength(4000);
});

test("what is used up leaves the address, and the rest stays", () => {
  expect(addressAfterLaunch("https://a.example/?q=x&device=wasm&shared#y")).toBe("https://a.example/?device=wasm#y");
});

/** The browser's caches as far as a share needs them. */
function memoryCaches(): Pick<CacheStorage, "open"> {
  const all = new Map<string, Map<string, Response>>();
  return {
    open(name) {
      const kept = all.get(name) ?? new Map<string, Response>();
      all.set(name, kept);
      const address = (request: RequestInfo | URL): string =>
        request instanceof Request ? request.url : String(request);
      const cache: Pick<Cache, "put" | "keys" | "match" | "delete"> = {
        put: (request, response) => Promise.resolve(void kept.set(address(request), response)),
        keys: () => Promise.resolve([...kept.keys()].map((url) => new Request(url))),
        match: (request) => Promise.resolve(kept.get(address(request))),
        delete: (request) => Promise.resolve(kept.delete(address(request))),
      };
      return Promise.resolve(cache as Cache);
    },
  };
}

const scope = "https://a.example/llava/";
async function share(form: FormData): Promise<Response> {
  return receiveShare(new Request(`${scope}share`, { method: "POST", body: form }), scope);
}

test("what is shared waits for the page, which takes it once", async () => {
  vi.stubGlobal("caches", memoryCaches());
  const form = new FormData();
  form.set("title", "Look");
  form.set("text", "What is this?");
  form.append("pictures", new File([new Uint8Array([1, 2, 3])], "größe 1.png", { type: "image/png" }));
  const answer = await share(form);
  expect([answer.status, answer.headers.get("location")]).toEqual([303, `${scope}?shared`]);
  const { text, files } = await takeShared(scope);
  expect(text).toBe("Look\nWhat is this?");
  expect(files.map(({ name, type, size }) => [name, type, size])).toEqual([["größe 1.png", "image/png", 3]]);
  expect(await takeShared(scope)).toEqual({ text: "", files: [] });
  vi.unstubAllGlobals();
});

test("a new share takes the place of one that nobody took, and no share is endless", async () => {
  vi.stubGlobal("caches", memoryCaches());
  const many = new FormData();
  for (let index = 0; index < mostSharedFiles + 5; index++) many.append("pictures", new File(["x"], `${index}.png`));
  await share(many);
  expect((await takeShared(scope)).files).toHaveLength(mostSharedFiles);
  await share(many);
  await share(new FormData());
  expect(await takeShared(scope)).toEqual({ text: "", files: [] });
  expect(await takeShared("https://a.example/other/")).toEqual({ text: "", files: [] });
  vi.unstubAllGlobals();
});
