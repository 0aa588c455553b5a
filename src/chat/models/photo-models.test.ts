import { describe, expect, test } from "vitest";
import type { PackageOffer } from "#worker/api.ts";
import { hubModels } from "#zoo/hub-models.ts";
import type { WantedModel } from "#chat/downloads/downloads.ts";
import { createPhotoModels, recommend } from "./photo-models.ts";
import { hubAddressOf, packageAddress } from "./package-address.ts";

function open(fit: PackageOffer["fit"] | Error, { metered = false } = {}) {
  const started: WantedModel[] = [];
  const asked: string[] = [];
  const photos = createPhotoModels({
    device: () => Promise.resolve({ precision: "cpu" }),
    preview: (typed) => {
      asked.push(typed);
      if (fit instanceof Error) return Promise.reject(fit);
      const baseUrl = `https://hub.example/${typed}/resolve/main/`;
      const about = {
        id: typed,
        name: "Other name",
        license: "apache-2.0",
        bytes: 5,
        tokensPerSecond: undefined,
        architecture: "transformers.js",
      } as const;
      return Promise.resolve({ ...about, baseUrl, fit });
    },
    start: (model) => void started.push(model),
    metered: () => metered,
  });
  return { photos, started, asked };
}
const fits = { verdict: "fits", reasons: [] } as const;

describe("the offer", () => {
  test("is of a model in the zoo, with what it costs on this device", async () => {
    const { photos, asked } = open(fits);
    expect(photos.get()).toBeUndefined();
    await photos.prepare();
    expect(photos.get()).toMatchObject({ record: { id: "smolvlm-256m" }, bytes: 264e6, phase: "offered" });
    expect(asked).toEqual([]);
    expect(recommend({ precision: "gpu-f16" })?.id).toBe("smolvlm-500m");
    expect(recommend({ precision: "gpu-f32" })?.id).toBe("smolvlm-256m");
  });

  test("becomes a download with one click", async () => {
    const { photos, started } = open(fits);
    await photos.prepare();
    await photos.take();
    expect(started).toMatchObject([{ name: "SmolVLM 256M", id: "HuggingFaceTB/SmolVLM-256M-Instruct", bytes: 5 }]);
    expect(photos.get()?.phase).toBe("offered");
  });

  test("is left to the person where it won't fit or data costs money", async () => {
    const wont = open({ verdict: "wont-fit", reasons: ["memory-too-small"] });
    const costs = open(fits, { metered: true });
    for (const { photos, started } of [wont, costs]) {
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

test("every record names a repository, a licence and what a device fetches", () => {
  for (const record of hubModels) {
    expect(record.repository).toMatch(/^[\w.-]+\/[\w.-]+$/);
    expect(record.license).not.toBe("");
    expect(Object.keys(record.bytes)).toContain("gpu-f16");
  }
  expect(new Set(hubModels.map(({ id }) => id)).size).toBe(hubModels.length);
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
