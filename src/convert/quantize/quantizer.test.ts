import { expect, test } from "vitest";
import { quantizeStored, type QuantizeJob } from "./quantize.ts";
import { quantizerThreads } from "./quantizer.node.ts";

function job(rows: number, first: number): QuantizeJob {
  const values = Float32Array.from({ length: rows * 64 }, (_, i) => Math.sin(first + i));
  return { dtype: "F32", bytes: new Uint8Array(values.buffer), cols: 64, bits: 4, scheme: "asymmetric" };
}

test("threads yield what this one does, more jobs at once than threads, of any size", async () => {
  const threads = quantizerThreads(2);
  try {
    const jobs = [3, 400, 1, 2000, 5, 7].map((rows, i) => job(rows, i));
    const found = await Promise.all(jobs.map((each) => threads.quantize(each)));
    expect(found).toEqual(jobs.map(quantizeStored));
  } finally {
    await threads.end();
  }
});

test("a job that is part of something larger leaves it as it is", async () => {
  const threads = quantizerThreads(1);
  try {
    const whole = job(4, 1);
    const part = { ...whole, bytes: whole.bytes.subarray(256, 512) };
    expect(await threads.quantize(part)).toEqual(quantizeStored({ ...part, bytes: part.bytes.slice() }));
    expect(await threads.quantize(whole)).toEqual(quantizeStored(whole));
    expect(whole.bytes.length).toBe(1024);
  } finally {
    await threads.end();
  }
});

test("no job is left without an answer when the threads end", async () => {
  const threads = quantizerThreads(1);
  const jobs = [0, 1, 2].map((i) => threads.quantize(job(20_000, i)));
  const settled = Promise.allSettled(jobs);
  await threads.end();
  expect((await settled).map(({ status }) => status)).toContain("rejected");
  await expect(threads.quantize(job(1, 0))).rejects.toThrow("has ended");
});
