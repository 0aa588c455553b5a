import { describe, expect, test } from "vitest";
import { EngineError } from "#engine/errors.ts";
import type { ConversionPlan, ConversionRequest, GatedPlace } from "#worker/convert-api.ts";
import type { PackageOffer } from "#worker/api.ts";
import { zooRecord } from "#zoo/zoo.ts";
import { createLookUp } from "./look-up.ts";

const hub = "https://hub.example/";
const fits = { verdict: "fits", reasons: [] } as const;
const plan: ConversionPlan = {
  kind: "plan",
  id: "a/b",
  name: "b",
  license: "apache-2.0",
  commit: "c0ffee",
  fetchBytes: 100,
  fetchedBytes: 10,
  keepBytes: 30,
  keptBytes: 3,
  roomBytes: undefined,
  memoryBytes: 5,
  contextLength: 4096,
  fit: fits,
  tokensPerSecond: 3,
  verified: true,
  notes: ["template: its own"],
};
const offer: PackageOffer = { id: "p", architecture: "llava", name: "P", license: "MIT", bytes: 7, fit: fits, tokensPerSecond: 1 }; // prettier-ignore
const noCheckpoint = new EngineError("bad-checkpoint", "b has no weights");

function open(answers: { preview?: PackageOffer | Error; plan?: ConversionPlan | GatedPlace | Error }) {
  const asked: (string | ConversionRequest)[] = [];
  const give = <T>(what: T | Error | undefined): Promise<T> => {
    if (what === undefined) return Promise.reject(new Error("not asked for"));
    return what instanceof Error ? Promise.reject(what) : Promise.resolve(what);
  };
  const lookUp = createLookUp({
    preview: (baseUrl) => (asked.push(baseUrl), give(answers.preview)),
    plan: (request) => (asked.push(request), give(answers.plan)),
    hub,
  });
  return { lookUp, asked };
}

describe("what was typed", () => {
  test("is a checkpoint for this engine, where the hub has one under that name", async () => {
    const { lookUp, asked } = open({ plan });
    expect(await lookUp(" a/b ")).toMatchObject({
      id: "a/b",
      architecture: "llava",
      baseUrl: "",
      bytes: 30,
      checkpoint: { place: { kind: "hub", hub, repository: "a/b" }, fetchBytes: 100, fetchedBytes: 10 },
    });
    expect(asked).toEqual([{ place: { kind: "hub", hub, repository: "a/b" } }]);
  });

  test("is a package or ONNX files where there is no checkpoint", async () => {
    const { lookUp } = open({ plan: noCheckpoint, preview: offer });
    expect(await lookUp("a/b")).toMatchObject({ id: "p", baseUrl: `${hub}a/b/resolve/main/` });
  });

  test("is refused with the converter's sentence where it is neither", async () => {
    const { lookUp } = open({ plan: noCheckpoint, preview: new EngineError("bad-package", "no ONNX") });
    await expect(lookUp("a/b")).rejects.toThrow("b has no weights");
    const gone = open({ plan: new EngineError("network", "no net") });
    await expect(gone.lookUp("a/b")).rejects.toThrow("no net");
    expect(gone.asked).toHaveLength(1);
  });

  test("is a package at an address, or a checkpoint there", async () => {
    const url = "https://elsewhere.example/llava/";
    expect(await open({ preview: offer }).lookUp(url)).toMatchObject({ id: "p", baseUrl: url });
    const checkpoint = open({ preview: new EngineError("http", "404"), plan });
    expect(await checkpoint.lookUp(url)).toMatchObject({ checkpoint: { place: { kind: "address", url } } });
    const neither = open({ preview: new EngineError("http", "404"), plan: new EngineError("http", "404") });
    await expect(neither.lookUp(url)).rejects.toThrow("404");
  });

  test("is nothing where it is neither an id nor an address", async () => {
    expect(await open({}).lookUp("what is this?")).toBeUndefined();
  });

  test("may want a token, for the hub alone", async () => {
    const gated = { kind: "gated", status: 403, page: `${hub}a/b` } as const;
    expect(await open({ plan: gated }).lookUp("a/b")).toEqual({ gated, hub });
  });
});

test("a model of the zoo is asked for as its source says: bits of its own, or the two files of GGUF", async () => {
  const small = zooRecord("smolvlm-500m");
  const checkpoint = small?.sources.find(({ format }) => format === "safetensors");
  const gguf = small?.sources.find(({ format }) => format === "gguf");
  if (small === undefined || checkpoint === undefined || gguf?.format !== "gguf") throw new Error("no such record");
  const { lookUp, asked } = open({ plan });
  await lookUp({ record: small, source: checkpoint });
  await lookUp({ record: small, source: gguf });
  const { bits, name, license } = small;
  expect(asked).toEqual([
    { place: { kind: "hub", hub, repository: checkpoint.repository }, bits, license, name },
    {
      place: { kind: "hub", hub, repository: gguf.repository },
      weights: [gguf.file, gguf.mmproj],
      bits,
      license,
      name,
    },
  ]);
});

test("dropped files are named after their folder, or the first of them", async () => {
  const { lookUp, asked } = open({ plan });
  const file = new File([], "x");
  await lookUp({ files: new Map([["my-llava/config.json", file]]) });
  await lookUp({ files: new Map([["llava-Q4_0.gguf", file], ["mmproj.gguf", file]]) }); // prettier-ignore
  expect(asked).toMatchObject([{ place: { kind: "files", name: "my-llava" } }, { place: { name: "llava-Q4_0" } }]);
});
