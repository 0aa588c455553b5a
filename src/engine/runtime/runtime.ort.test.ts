import { Tensor, type InferenceSession } from "onnxruntime-common";
import { expect, test } from "vitest";
import { EngineError } from "#engine/errors.ts";
import { createOrtRuntime, type OrtHost } from "./runtime.ort.ts";

/** A GPU that takes work and never answers, until it is lost. */
function stuckDevice() {
  const waiting = new Set<(error: EngineError) => void>();
  let failure: EngineError | undefined;
  const host: OrtHost = {
    traits: {
      device: "webgpu",
      adapter: "",
      software: false,
      threads: 1,
      cacheStyle: "static",
      prefersExpanded: false,
    },
    sessionOptions: () => ({}),
    externalData: () => Promise.resolve([]),
    opensFiles: false,
    failure: () => failure,
    watch(reject) {
      waiting.add(reject);
      return () => waiting.delete(reject);
    },
    close: () => Promise.resolve(),
  };
  const create = (): Promise<InferenceSession> => new Promise(() => undefined);
  const lose = (): void => {
    failure = new EngineError("device-lost", "gone");
    for (const reject of waiting) reject(failure);
  };
  return { runtime: createOrtRuntime({ Tensor, InferenceSession: { create } }, host), lose };
}

test("a device that is lost while a graph loads rejects the load", async () => {
  const { runtime, lose } = stuckDevice();
  const load = runtime.createSession({ graph: new Blob(["graph"]), data: [] }, []);
  setTimeout(lose, 20);
  await expect(load).rejects.toMatchObject({ code: "device-lost" });
}, 5_000);

test("a device that was lost before does not take a graph any more", async () => {
  const { runtime, lose } = stuckDevice();
  lose();
  const load = runtime.createSession({ graph: new Blob(["graph"]), data: [] }, []);
  await expect(load).rejects.toMatchObject({ code: "device-lost" });
}, 5_000);
