import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ensurePackage } from "./ensure.ts";
import { publishOnHub, testCommit } from "#testing/servers/hub-server.node.ts";
import { hubAddress } from "./hub-address.ts";
import { hubFacts } from "#weights/package-facts.ts";
import { planHubPackage } from "./hub-plan.ts";
import { listPackages, verifyPackage } from "#weights/inventory.ts";
import {
  randomBytes,
  startPackageServer,
  testPackage,
  type PackageServer,
} from "#testing/servers/package-server.node.ts";
import { createMemoryShardStore } from "#weights/store/store.ts";

const repository = "someone/photo-model";
const text = (words: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(words);
/** Each part in several precisions, of so many bytes. */
const sizes: Readonly<Record<string, number>> = {
  "onnx/embed_tokens.onnx": 8000,
  "onnx/embed_tokens_fp16.onnx": 4000,
  "onnx/embed_tokens_q4.onnx": 8000,
  "onnx/embed_tokens_quantized.onnx": 2000,
  "onnx/vision_encoder.onnx": 2000,
  "onnx/vision_encoder.onnx_data": 20_000,
  "onnx/vision_encoder_q4.onnx": 6000,
  "onnx/vision_encoder_q4f16.onnx": 5000,
  "onnx/decoder_model_merged.onnx": 40_000,
  "onnx/decoder_model_merged_q4.onnx": 2000,
  "onnx/decoder_model_merged_q4.onnx_data": 6000,
  "onnx/decoder_model_merged_q4.onnx_data_1": 3000,
  "onnx/decoder_model_merged_q4f16.onnx": 7000,
};
const files = new Map<string, Uint8Array<ArrayBuffer>>([
  ["README.md", text("# A model")],
  ["config.json", text(`{"model_type":"smolvlm"}`)],
  ["tokenizer.json", randomBytes(9, 3000)],
  ["preprocessor_config.json", text(`{}`)],
  ["model.safetensors", randomBytes(8, 9000)],
  ...Object.entries(sizes).map(([path, bytes], seed) => [path, randomBytes(seed, bytes)] as const),
]);

let server: PackageServer;
let baseUrl = "";
beforeEach(async () => {
  server = await startPackageServer(testPackage());
  server.files = new Map();
  baseUrl = publishOnHub(server, repository, files);
});
afterEach(() => server.stop());

const plan = (precision: "gpu-f16" | "gpu-f32" | "cpu") => {
  const address = hubAddress(baseUrl);
  if (!address) throw new Error("no address");
  return planHubPackage(address, precision);
};
const host = (store = createMemoryShardStore()) => ({ store, room: () => Promise.resolve(undefined) });

describe("the address of a repository", () => {
  test("is read from the address of its files", () => {
    expect(hubAddress("https://huggingface.co/a/b-1.5/resolve/main/")).toEqual({
      host: "https://huggingface.co/",
      repository: "a/b-1.5",
      revision: "main",
    });
    expect(hubAddress("https://example.org/models/llava/")).toBeUndefined();
    expect(hubAddress("https://example.org/a/b/c/resolve/main/")).toBeUndefined();
  });
});

describe("which files a device needs", () => {
  test.each([
    ["gpu-f16", { embed_tokens: "fp16", vision_encoder: "q4f16", decoder_model_merged: "q4f16" }],
    ["gpu-f32", { embed_tokens: "q4", vision_encoder: "q4", decoder_model_merged: "q4" }],
    ["cpu", { embed_tokens: "q8", vision_encoder: "q4", decoder_model_merged: "q4" }],
  ] as const)("on %s are the smallest it computes with", async (precision, dtypes) => {
    const found = await plan(precision);
    expect(found.dtypes).toEqual(dtypes);
    expect(found).toMatchObject({ license: "apache-2.0", modelType: "smolvlm", name: "photo-model" });
    expect(hubFacts(found).needsF16).toBe(precision === "gpu-f16");
  });

  test("are the graphs with their data, the configs and the tokenizer, and nothing else", async () => {
    const found = await plan("gpu-f32");
    expect(found.files.map(({ path }) => path)).toEqual([
      "config.json",
      "tokenizer.json",
      "preprocessor_config.json",
      "onnx/embed_tokens_q4.onnx",
      "onnx/vision_encoder_q4.onnx",
      "onnx/decoder_model_merged_q4.onnx",
      "onnx/decoder_model_merged_q4.onnx_data",
      "onnx/decoder_model_merged_q4.onnx_data_1",
    ]);
    expect(server.asked).toHaveLength(1);
  });

  test("are told not to be there when the repository holds no export, or one of another kind of model", async () => {
    baseUrl = publishOnHub(server, "someone/other", files, { modelType: "bert" });
    await expect(plan("cpu")).rejects.toMatchObject({
      code: "bad-package",
      message: expect.stringContaining("bert") as string,
    });
    baseUrl = publishOnHub(server, "someone/weights", new Map([["config.json", text("{}")]]));
    await expect(plan("cpu")).rejects.toMatchObject({ code: "bad-package" });
    baseUrl = `${new URL("/", server.baseUrl).href}nobody/nothing/resolve/main/`;
    await expect(plan("cpu")).rejects.toMatchObject({ code: "http" });
  });
});

describe("a repository without a manifest", () => {
  test("is fetched, verified by the hub's hashes, stored, and never asked for again", async () => {
    const { store, room } = host();
    const stored = await ensurePackage({ id: repository, baseUrl }, { store, room });
    expect(stored.manifest).toMatchObject({ model: { architecture: "transformers.js", revision: testCommit } });
    const vision = stored.files.get("onnx/vision_encoder_q4.onnx");
    expect(new Uint8Array((await vision?.arrayBuffer()) ?? [])).toEqual(files.get("onnx/vision_encoder_q4.onnx"));
    expect((await listPackages(store))[0]).toMatchObject({
      id: repository,
      complete: true,
      license: "apache-2.0",
      architecture: "transformers.js",
    });
    // Small files had to be here to be hashed: they do not come twice.
    const paths = server.asked.map(({ path }) => path);
    expect(new Set(paths).size).toBe(paths.length);

    await server.stop();
    const again = await ensurePackage({ id: repository, baseUrl }, { store, room });
    expect(again.files.size).toBe(stored.files.size);
  });

  test("goes on at the byte where its connection broke, also in another visit", async () => {
    const { store, room } = host();
    const path = `/${repository}/resolve/${testCommit}/onnx/vision_encoder_q4.onnx`;
    server.misbehave = (asked) => {
      if (asked.path !== path) return undefined;
      return asked.start === 0 ? { kind: "cut", afterBytes: 2000 } : { kind: "status", status: 500 };
    };
    await expect(
      ensurePackage({ id: repository, baseUrl }, { store, room }, { retries: 0, backoffMs: () => 1, pieceBytes: 1 }),
    ).rejects.toMatchObject({ code: "http" });
    server.misbehave = () => undefined;
    server.asked.length = 0;
    await ensurePackage({ id: repository, baseUrl }, { store, room });
    const [asked] = server.asked.filter((one) => one.path === path);
    expect(asked?.ranged).toBe(true);
    expect(asked?.start).toBeGreaterThan(0);
  });

  test("with wrong bytes is refused, large files and small ones", async () => {
    for (const name of ["onnx/embed_tokens_quantized.onnx", "config.json"]) {
      const wrong = new Uint8Array(files.get(name)?.length ?? 0);
      server.misbehave = ({ path }) => (path.endsWith(name) ? { kind: "instead", bytes: wrong } : undefined);
      const work = ensurePackage({ id: repository, baseUrl }, host(), { retries: 0, backoffMs: () => 1 });
      await expect(work).rejects.toMatchObject({ code: "integrity" });
    }
  });

  test("that is damaged in storage is mended by one file, from the same commit", async () => {
    const { store, room } = host();
    await ensurePackage({ id: repository, baseUrl }, { store, room });
    const key = (await store.keys()).find((name) => name.includes("vision_encoder_q4.onnx#")) ?? "";
    await store.put(key, new Blob([new Uint8Array(6000)]));
    expect(await verifyPackage(store, repository)).toEqual({ damaged: 1, missing: 0 });
    server.asked.length = 0;
    await ensurePackage({ id: repository, baseUrl }, { store, room });
    expect(server.asked.map(({ path }) => path)).toEqual([
      `/${repository}/resolve/${testCommit}/onnx/vision_encoder_q4.onnx`,
    ]);
  });
});
