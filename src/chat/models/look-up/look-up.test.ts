import { describe, expect, test } from "vitest";
import { EngineError } from "#engine/errors.ts";
import type {
  ConversionPlan,
  ConversionRequest,
  GatedPlace,
  GgufChoice,
  GgufChoices,
} from "#worker/convert/convert-api.ts";
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

function open(answers: { preview?: PackageOffer | Error; plan?: ConversionPlan | GatedPlace | GgufChoices | Error }) {
  const asked: (string | ConversionRequest)[] = [];
  const give = <T>(what: T | Error | undefined): Promise<T> => {
    if (what === undefined) return Promise.reject(new Error("not asked for"));
    return what instanceof Error ? Promise.reject(what) : Promise.resolve(what);
  };
  const lookUp = createLookUp({
    preview: (baseUrl) => (asked.push(baseUrl), give(answers.preview)),
    plan(request) {
      asked.push(request);
      // One that was chosen is planned as any other.
      return give(request.weights === undefined ? answers.plan : plan);
    },
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

describe("several models in one place", () => {
  const place = { kind: "hub", hub, repository: "a/b" } as const;
  const choice = (quantization: string): GgufChoice => ({
    name: `b-${quantization}`,
    quantization,
    weights: [`b-${quantization}.gguf`, "mmproj.gguf"],
    fetchBytes: 5,
    keepBytes: 6,
    fit: fits,
    recommended: false,
  });
  const models = [choice("Q4_K_M"), choice("Q8_0")];
  const wanted = { place, weights: models[1]?.weights, id: "a/b:Q8_0", name: "b-Q8_0" };

  test("are told, and the chosen one is looked up under a name of its own", async () => {
    const { lookUp, asked } = open({ plan: { kind: "choice", models } });
    expect(await lookUp("a/b")).toEqual({ models, checkpoint: { place } });
    const [, second] = models;
    if (!second) throw new Error("no second");
    expect(await lookUp({ choice: second, checkpoint: { place } })).toMatchObject({ bytes: 30 });
    expect(asked.at(-1)).toEqual(wanted);
  });

  test("may be typed with their quantization, as llama.cpp has it", async () => {
    const { lookUp, asked } = open({ plan: { kind: "choice", models } });
    expect(await lookUp("a/b:q8_0")).toMatchObject({ bytes: 30 });
    expect(asked.at(-1)).toEqual(wanted);
    expect(await lookUp("a/b:Q2_K")).toEqual({ models, checkpoint: { place } });
  });
});

test("a record is taken from the repository that was typed, and with its tower's where that is another", async () => {
  const { lookUp, asked } = open({ plan });
  await lookUp("llava-hf/llava-1.5-7b-hf");
  await lookUp("llava-med-1.5");
  expect(asked).toMatchObject([
    { place: { repository: "llava-hf/llava-1.5-7b-hf" }, name: "LLaVA 1.5 7B" },
    { tower: "openai/clip-vit-large-patch14-336" },
  ]);
  expect(asked[0]).not.toHaveProperty("weights");
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
