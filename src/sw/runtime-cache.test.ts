import { access, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { runtimeBuilds, runtimeCacheName, runtimeCachePrefix, runtimePath, runtimeVersion } from "./runtime-cache.ts";

const installed = new URL("../../node_modules/onnxruntime-web/", import.meta.url);

test("the version in the addresses is the one that is installed", async () => {
  const json: unknown = JSON.parse(await readFile(new URL("package.json", installed), "utf8"));
  expect(json).toMatchObject({ version: runtimeVersion });
  expect(runtimePath).toBe(`ort/${runtimeVersion}/`);
  expect(runtimeCacheName("https://example.test/app/")).toContain(runtimeVersion);
});

test("apps under different paths of one origin keep, and clear, caches of their own", () => {
  const scopes = ["https://example.test/", "https://example.test/app/", "https://example.test/app/next/"];
  for (const scope of scopes) {
    const cleared = scopes.filter((other) => runtimeCacheName(other).startsWith(runtimeCachePrefix(scope)));
    expect(cleared).toEqual([scope]);
  }
});

test.each(Object.values(runtimeBuilds).flatMap((build) => [`${build}.mjs`, `${build}.wasm`]))(
  "%s is in the installed package",
  async (name) => {
    await expect(access(fileURLToPath(new URL(`dist/${name}`, installed)))).resolves.toBeUndefined();
  },
);
