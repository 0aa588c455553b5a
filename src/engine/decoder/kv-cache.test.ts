import { describe, expect, test } from "vitest";
import { commonPrefix, createKvCache, type KvCache } from "./kv-cache.ts";
import { createNodeRuntime } from "#engine/runtime/runtime.node.ts";
import type { CopyStep, Runtime, RuntimeTensor } from "#engine/runtime/runtime.ts";

const shape = { layers: 2, kvHeads: 2, headSize: 4, contextLength: 1000 };

test("two prompts share their leading slots", () => {
  expect(commonPrefix([1, 2, 3], [1, 2, 4, 5])).toBe(2);
  expect(commonPrefix([1, 2], [1, 2, 3])).toBe(2);
  expect(commonPrefix([], [1])).toBe(0);
});

describe("a static cache", () => {
  function open(): {
    runtime: Runtime;
    cache: KvCache;
    write: (row: number) => void;
    read: (row: number) => Promise<number[]>;
  } {
    const runtime: Runtime = { ...createNodeRuntime(), cacheStyle: "static" };
    const cache = createKvCache(runtime, shape);
    const capacityOf = (tensor: RuntimeTensor): number => tensor.dims[2] ?? 0;
    // As the decoder does: row r of head h of tensor t holds a number that tells all three.
    const write = (row: number): void => {
      const steps = Object.values(cache.into()).flatMap((to, t): CopyStep[] =>
        Array.from({ length: shape.kvHeads }, (_, head) => ({
          from: runtime.tensor("float32", new Float32Array(shape.headSize).fill(t * 10_000 + head * 1000 + row), [4]),
          fromOffset: 0,
          to,
          toOffset: (head * capacityOf(to) + row) * shape.headSize,
          count: shape.headSize,
        })),
      );
      runtime.copy(steps);
    };
    const read = async (row: number): Promise<number[]> => {
      const found: number[] = [];
      for (const tensor of Object.values(cache.inputs())) {
        const data = await runtime.read(tensor);
        for (let head = 0; head < shape.kvHeads; head++) {
          found.push(data[(head * capacityOf(tensor) + row) * shape.headSize] ?? NaN);
        }
      }
      return found;
    };
    return { runtime, cache, write, read };
  }

  test("doubles when it is full and keeps every row of every head", async () => {
    const { cache, write, read } = open();
    for (let row = 0; row < 600; row++) {
      cache.reserve(row + 1);
      write(row);
      await cache.accept(new Map(), [row]);
    }
    const capacities = Object.values(cache.inputs()).map((tensor) => tensor.dims[2]);
    expect(new Set(capacities)).toEqual(new Set([1000])); // 1024, but for the end of the context
    for (const row of [0, 255, 256, 511, 512, 599]) {
      const expected = [0, 1, 2, 3].flatMap((t) => [0, 1].map((head) => t * 10_000 + head * 1000 + row));
      expect(await read(row)).toEqual(expected);
    }
    expect(cache.slots).toHaveLength(600);
  });

  test("writes the present where the past is", () => {
    const { cache } = open();
    cache.reserve(1);
    expect(Object.values(cache.into())).toEqual(Object.values(cache.inputs()));
    expect(Object.keys(cache.into())).toEqual(["present.0.key", "present.0.value", "present.1.key", "present.1.value"]);
  });

  test("refuses to outgrow the context", () => {
    const { cache } = open();
    expect(() => cache.reserve(1001)).toThrow(expect.objectContaining({ code: "context-full" }));
  });

  test("gives everything back, also when an allocation fails while it grows", async () => {
    const runtime = createNodeRuntime();
    let left = 6;
    const failing: Runtime = {
      ...runtime,
      cacheStyle: "static",
      get aliveTensors() {
        return runtime.aliveTensors;
      },
      allocate(dims) {
        if (left-- === 0) throw new Error("no memory");
        return runtime.allocate(dims);
      },
    };
    const cache = createKvCache(failing, shape);
    cache.reserve(10);
    await cache.accept(new Map(), [1, 2, 3]);
    expect(() => cache.reserve(500)).toThrow("no memory");
    expect(runtime.aliveTensors).toBe(0);
    expect(cache.slots).toEqual([]);
  });
});
