// The page's side over a real message channel and Comlink; only the Worker is a stand-in, with a host that does as it is told.
import { expose } from "comlink";
import { afterEach, expect, test } from "vitest";
import type { ConversionApi, ConversionEvent, ConversionRequest } from "./convert-api.ts";
import { createConversions } from "./convert-client.ts";

const request: ConversionRequest = { place: { kind: "address", url: "https://models.example/a/" } };
const event: ConversionEvent = {
  type: "convert",
  stage: "converting",
  fetched: 1,
  toFetch: 2,
  converted: 0,
  kept: 0,
  toKeep: 1,
  bytesPerSecond: undefined,
  secondsLeft: undefined,
};

const ports: MessagePort[] = [];
afterEach(() => {
  for (const port of ports.splice(0)) port.close();
});

/** A Worker whose script exposes the api, in this thread. */
function standIn(api: Partial<ConversionApi>): Worker {
  const { port1, port2 } = new MessageChannel();
  ports.push(port1, port2);
  expose(api, port2);
  port1.start();
  return Object.assign(port1, { terminate: () => port1.close() }) as unknown as Worker;
}

test("a conversion hands on its events and ends as what was made", async () => {
  const events: ConversionEvent[] = [];
  const conversions = createConversions(undefined, () =>
    standIn({
      async convert(asked, onEvent) {
        expect(asked).toEqual(request);
        await onEvent(event);
        return { kind: "made", id: "a" };
      },
    }),
  );
  const made = await conversions.convert(request, (one) => events.push(one), new AbortController().signal);
  expect(made).toEqual({ kind: "made", id: "a" });
  expect(events).toEqual([event]);
});

test("a pause reaches the job that it is for, which then rejects as an abort", async () => {
  const pause = new AbortController();
  let stop: (() => void) | undefined;
  let running = "";
  const conversions = createConversions(undefined, () =>
    standIn({
      convert: (_, __, job) =>
        new Promise((_, reject) => {
          running = job;
          stop = () => reject(new DOMException("paused", "AbortError"));
          pause.abort();
        }),
      pause(job) {
        expect(job).toBe(running);
        stop?.();
        return Promise.resolve();
      },
    }),
  );
  await expect(conversions.convert(request, () => undefined, pause.signal)).rejects.toMatchObject({
    name: "AbortError",
  });
});

test("a worker that dies rejects what is pending, and the next call starts another one", async () => {
  const workers: Worker[] = [];
  const conversions = createConversions(undefined, () => {
    const worker = standIn({
      plan: () =>
        workers.length === 1
          ? new Promise(() => undefined)
          : Promise.resolve({ kind: "gated", status: 401, page: "https://hub.example/a/b" }),
    });
    workers.push(worker);
    return worker;
  });
  const first = conversions.plan(request);
  workers[0]?.dispatchEvent(Object.assign(new Event("error"), { message: "out of memory" }));
  await expect(first).rejects.toMatchObject({ code: "worker-dead" });
  expect(await conversions.plan(request)).toMatchObject({ kind: "gated", status: 401 });
});
