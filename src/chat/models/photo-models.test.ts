import { describe, expect, test } from "vitest";
import type { DeviceSummary, PackageOffer } from "#worker/api.ts";
import type { WantedModel } from "#chat/downloads/wanted.ts";
import type { GatedModel } from "#chat/models/look-up/look-up.ts";
import { createPhotoModels } from "./photo-models.ts";
import { hubAddressOf, packageAddress } from "#chat/models/look-up/package-address.ts";

function open(
  fit: PackageOffer["fit"] | Error | GatedModel,
  { metered = false, device = { precision: "cpu" } }: { metered?: boolean; device?: DeviceSummary } = {},
) {
  const started: WantedModel[] = [];
  const asked: string[] = [];
  const photos = createPhotoModels({
    device: () => Promise.resolve(device),
    lookUp: (wanted) => {
      if (typeof wanted === "string" || !("source" in wanted)) return Promise.reject(new Error("not of the zoo"));
      const { repository } = wanted.source;
      asked.push(repository);
      if (fit instanceof Error) return Promise.reject(fit);
      if ("gated" in fit) return Promise.resolve(fit);
      const about = { id: repository, name: "Other name", license: "apache-2.0", bytes: 5, tokensPerSecond: undefined };
      return Promise.resolve({ ...about, architecture: "llava", baseUrl: "", fit });
    },
    start: (model) => void started.push(model),
    metered: () => metered,
  });
  return { photos, started, asked };
}
const fits = { verdict: "fits", reasons: [] } as const;

describe("the offer", () => {
  test("is of a model in the zoo, with what it costs on this device, and nothing is asked of the hub", async () => {
    const { photos, asked } = open(fits);
    expect(photos.get()).toBeUndefined();
    await photos.prepare();
    expect(photos.get()).toMatchObject({ record: { id: "smolvlm-256m" }, phase: "offered" });
    expect(photos.get()?.cost.fetched).toBeGreaterThan(1e8);
    expect(asked).toEqual([]);
    const gpu = { maxBufferBytes: 2 ** 32 - 4, shaderF16: true };
    const large = open(fits, { device: { precision: "gpu-f16", gpu, memoryBytes: 2 ** 34 } });
    await large.photos.prepare();
    expect(large.photos.get()?.record.id).toBe("llava-1.6-mistral-7b");
  });

  test("becomes a download with one click", async () => {
    const { photos, started } = open(fits);
    await photos.prepare();
    await photos.take();
    expect(started).toMatchObject([{ name: "SmolVLM 256M", id: "HuggingFaceTB/SmolVLM-256M-Instruct", bytes: 5 }]);
    expect(photos.get()?.phase).toBe("offered");
  });

  test("is left to the person where it won't fit, data costs money, or the hub wants a token", async () => {
    const gated = open({ gated: { kind: "gated", status: 401, page: "" }, hub: "https://hub.example/" });
    const wont = open({ verdict: "wont-fit", reasons: ["memory-too-small"] });
    const costs = open(fits, { metered: true });
    for (const { photos, started } of [wont, costs, gated]) {
      await photos.prepare();
      await photos.take();
      expect(started).toEqual([]);
      expect(photos.get()?.phase).toBe("ask");
    }
  });

  test("says why the hub could not be asked", async () => {
    const { photos } = open(Object.assign(new Error("no"), { name: "EngineError/network" }));
    await photos.prepare();
    await photos.take();
    expect(photos.get()).toMatchObject({ phase: "failed", code: "network" });
  });
});

test("a mirror of the hub is taken from the page's address, and owner/name is looked up there", () => {
  expect(hubAddressOf("https://mirror.example/some/path")).toBe("https://mirror.example/");
  expect(hubAddressOf("http://192.168.0.7/")).toBeUndefined();
  expect(hubAddressOf("javascript:alert(1)")).toBeUndefined();
  expect(hubAddressOf(null)).toBeUndefined();
  expect(packageAddress("a/b", "https://mirror.example/")).toBe("https://mirror.example/a/b/resolve/main/");
  expect(packageAddress("https://mirror.example/a/b", "https://mirror.example/")).toBe(
    "https://mirror.example/a/b/resolve/main/",
  );
});
