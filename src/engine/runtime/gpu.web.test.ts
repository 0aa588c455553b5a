import { afterEach, expect, test, vi } from "vitest";
import { probeGpu, requestGpuDevice, type GpuAdapter } from "./gpu.web.ts";

afterEach(() => vi.unstubAllGlobals());

const info = { vendor: "acme", architecture: "one", device: "", description: "", isFallbackAdapter: false };

/** An adapter that remembers which features were asked of it. */
function adapterWith(offered: readonly string[], words: Partial<typeof info> = {}) {
  const asked: string[][] = [];
  const device = Object.assign(new EventTarget(), {
    lost: new Promise<never>(() => undefined),
    destroyed: 0,
    destroy() {
      device.destroyed++;
    },
  });
  const adapter = {
    info: { ...info, ...words },
    features: new Set(offered),
    limits: { maxBufferSize: 1 << 30 },
    requestDevice({ requiredFeatures }: { requiredFeatures: string[] }) {
      asked.push(requiredFeatures);
      return Promise.resolve(device);
    },
  };
  return { adapter, asked, device };
}

function stubGpu(requestAdapter: () => Promise<unknown>): void {
  vi.stubGlobal("navigator", { gpu: { requestAdapter }, hardwareConcurrency: 4 });
}

async function probed(adapter: unknown): Promise<GpuAdapter> {
  stubGpu(() => Promise.resolve(adapter));
  const probe = await probeGpu();
  if (probe.kind !== "adapter") throw new Error("no adapter");
  return probe;
}

test("a browser without WebGPU is told apart from one that finds no adapter", async () => {
  vi.stubGlobal("navigator", {});
  expect(await probeGpu()).toEqual({ kind: "none", reason: "no-webgpu" });
  vi.stubGlobal("navigator", { gpu: undefined });
  expect(await probeGpu()).toEqual({ kind: "none", reason: "no-webgpu" });
  stubGpu(() => Promise.resolve(null));
  expect(await probeGpu()).toEqual({ kind: "none", reason: "no-adapter" });
});

test("a driver that throws has no adapter", async () => {
  stubGpu(() => Promise.reject(new Error("driver")));
  expect(await probeGpu()).toEqual({ kind: "none", reason: "no-adapter" });
  stubGpu(() => {
    throw new TypeError("driver");
  });
  expect(await probeGpu()).toEqual({ kind: "none", reason: "no-adapter" });
});

test("an adapter is named by its description, or by its vendor and architecture", async () => {
  expect(await probed(adapterWith([]).adapter)).toMatchObject({ name: "acme one", software: false });
  const described = adapterWith([], { description: "Acme One 4000" }).adapter;
  expect((await probed(described)).name).toBe("Acme One 4000");
});

test.each([
  { isFallbackAdapter: true },
  { architecture: "swiftshader" },
  { description: "llvmpipe (LLVM 15.0.7, 256 bits)" },
  { description: "Microsoft Basic Render Driver" },
  { device: "WARP" },
])("a software adapter is told by %o", async (words) => {
  expect((await probed(adapterWith([], words).adapter)).software).toBe(true);
});

test("a name that only contains a software adapter's letters is hardware", async () => {
  expect((await probed(adapterWith([], { description: "Warpcore 9" }).adapter)).software).toBe(false);
});

test("subgroups are used on hardware and left out on a software adapter", async () => {
  const offered = ["shader-f16", "subgroups", "timestamp-query"];
  const hardware = adapterWith(offered);
  await requestGpuDevice(await probed(hardware.adapter));
  expect(hardware.asked).toEqual([["shader-f16", "subgroups"]]);
  const software = adapterWith(offered, { architecture: "swiftshader" });
  await requestGpuDevice(await probed(software.adapter));
  expect(software.asked).toEqual([["shader-f16"]]);
});

test("a feature that the adapter does not offer is not asked for", async () => {
  const bare = adapterWith([]);
  await requestGpuDevice(await probed(bare.adapter));
  expect(bare.asked).toEqual([[]]);
});

test("an adapter that gives no device is no device", async () => {
  const probe = await probed({ ...adapterWith([]).adapter, requestDevice: () => Promise.reject(new Error("lost")) });
  await expect(requestGpuDevice(probe)).rejects.toMatchObject({ code: "no-device" });
});
