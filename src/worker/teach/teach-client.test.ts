// The page's side over a real message channel and Comlink; only the Worker is a stand-in, with a host that does as it is told.
import { expose } from "comlink";
import { afterEach, expect, test } from "vitest";
import type { OnStop, Taught, TeachEvent, TeachingApi, TeachRequest } from "./teach-api.ts";
import { createTeaching } from "./teach-client.ts";

const request: TeachRequest = {
  model: { id: "m", baseUrl: "" },
  package: { persisted: true, manifest: {}, files: new Map() },
  examples: [],
  name: "My things",
  runtimeUrl: "",
  replayUrl: "",
};
const event: TeachEvent = { type: "step", step: 1, steps: 2, loss: 3, asideLoss: undefined, secondsLeft: 4 };
const score = { right: 0, of: 2 };
const taught: Taught = { adapterId: "a", bytes: 1, before: score, after: score, steps: 1, bestStep: 1, seconds: 1, stopped: false, chosenByHeldOut: false }; // prettier-ignore

const ports: MessagePort[] = [];
afterEach(() => {
  for (const port of ports.splice(0)) port.close();
});

function standIn(api: Partial<TeachingApi>): Worker {
  const { port1, port2 } = new MessageChannel();
  ports.push(port1, port2);
  expose(api, port2);
  port1.start();
  return Object.assign(port1, { terminate: () => port1.close() }) as unknown as Worker;
}

test("events are handed on, and the run resolves with the adapter", async () => {
  const events: TeachEvent[] = [];
  const teaching = createTeaching(() =>
    standIn({
      async teach(asked, onEvent) {
        expect(asked).toEqual(request);
        await onEvent(event);
        return taught;
      },
    }),
  );
  const stop = { signal: new AbortController().signal, then: (): OnStop => "keep" };
  expect(await teaching.teach(request, (one) => events.push(one), stop)).toEqual(taught);
  expect(events).toEqual([event]);
});

test("an abort reaches the job that it is for, with what the caller wants then", async () => {
  const abort = new AbortController();
  const heard: [string, OnStop][] = [];
  let end: (() => void) | undefined;
  const teaching = createTeaching(() =>
    standIn({
      teach: (_, __, job) =>
        new Promise((resolve) => {
          end = () => resolve(undefined);
          heard.push([job, "discard"]);
          abort.abort();
        }),
      stop(job, then) {
        heard.push([job, then]);
        end?.();
        return Promise.resolve();
      },
    }),
  );
  const stop = { signal: abort.signal, then: (): OnStop => "keep" };
  expect(await teaching.teach(request, () => undefined, stop)).toBeUndefined();
  expect(heard).toEqual([
    ["1", "discard"],
    ["1", "keep"],
  ]);
  // What was stopped before is not begun.
  expect(await teaching.teach(request, () => undefined, stop)).toBeUndefined();
  expect(heard).toHaveLength(2);
});
