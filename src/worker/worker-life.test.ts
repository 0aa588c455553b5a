import { afterEach, expect, test, vi } from "vitest";
import type { EngineError } from "#engine/errors.ts";
import { watchWorker } from "./worker-life.ts";

/** Events and a terminate, which is all that is looked at. */
class StandIn extends EventTarget {
  terminated = 0;
  terminate(): void {
    this.terminated++;
  }
}

afterEach(() => void vi.useRealTimers());

const never = <T>(): Promise<T> => new Promise(() => undefined);

function watched() {
  const worker = new StandIn();
  const deaths: EngineError[] = [];
  return { worker, deaths, life: watchWorker(worker, (error) => deaths.push(error)) };
}

function errorEvent(message: string): Event {
  return Object.assign(new Event("error"), { message });
}

test("while the worker lives a call gets its own answer, or its own failure", async () => {
  const { life } = watched();
  await expect(life.guard(Promise.resolve(7))).resolves.toBe(7);
  await expect(life.guard(Promise.reject(new Error("own")))).rejects.toThrow("own");
  expect(life.cause).toBeUndefined();
});

test("an error in the worker rejects every pending call, ends the worker, and is told once", async () => {
  const { worker, deaths, life } = watched();
  const calls = [life.guard(never()), life.guard(never())];
  worker.dispatchEvent(errorEvent("boom"));
  worker.dispatchEvent(errorEvent("again"));
  for (const call of calls) await expect(call).rejects.toMatchObject({ code: "worker-dead" });
  expect(worker.terminated).toBe(1);
  expect(deaths.map(({ message }) => message)).toEqual(["the worker failed: boom"]);
});

test("a call made after the death is rejected at once", async () => {
  const { worker, life } = watched();
  worker.dispatchEvent(new Event("messageerror"));
  await expect(life.guard(never())).rejects.toMatchObject({ code: "worker-dead" });
  await expect(life.guard(Promise.reject(new Error("late")))).rejects.toMatchObject({ code: "worker-dead" });
});

test("an end that was asked for rejects with its reason and is no death", async () => {
  const { deaths, life } = watched();
  const call = life.guard(never());
  life.end(new DOMException("stopped", "AbortError"));
  await expect(call).rejects.toMatchObject({ name: "AbortError" });
  expect(deaths).toEqual([]);
});

test("a worker that says nothing and answers no ping counts as dead", async () => {
  const { deaths, life } = watched();
  await expect(life.watch(never(), never, 80)).rejects.toMatchObject({ code: "worker-dead" });
  expect(deaths).toHaveLength(1);
});

test("a worker that answers pings, or sends events, may take its time", async () => {
  const answering = watched();
  const slow = new Promise<string>((resolve) => setTimeout(() => resolve("at last"), 300));
  await expect(answering.life.watch(slow, () => Promise.resolve(), 80)).resolves.toBe("at last");
  const speaking = watched();
  const heard = setInterval(() => speaking.life.heard(), 20);
  const slower = new Promise<string>((resolve) => setTimeout(() => resolve("at last"), 300));
  await expect(speaking.life.watch(slower, never, 80)).resolves.toBe("at last");
  clearInterval(heard);
});

test("a machine that slept longer than the silence allowed did not meet a silent worker", async () => {
  vi.useFakeTimers();
  const { deaths, life } = watched();
  const work = new Promise<string>((resolve) => setTimeout(() => resolve("done"), 60_000));
  const call = life.watch(work, () => Promise.resolve(), 8000);
  await vi.advanceTimersByTimeAsync(5000);
  vi.setSystemTime(Date.now() + 3_600_000);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(deaths).toEqual([]);
  await expect(call).resolves.toBe("done");
});

test("after a sleep a worker that stays silent still counts as dead", async () => {
  vi.useFakeTimers();
  const { deaths, life } = watched();
  const call = life.watch(never(), never, 8000);
  const rejected = expect(call).rejects.toMatchObject({ code: "worker-dead" });
  await vi.advanceTimersByTimeAsync(2000);
  vi.setSystemTime(Date.now() + 3_600_000);
  await vi.advanceTimersByTimeAsync(12_000);
  await rejected;
  expect(deaths).toHaveLength(1);
});
