// The teaching worker's side on a tiny model: a plan, a run that ends as a stored adapter, stops, and what is refused.
import { fileURLToPath } from "node:url";
import sharp from "sharp";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { convert } from "#convert/convert.ts";
import { checkpointFolder } from "#convert/package/folder.node.ts";
import { decodeImage } from "#engine/picture/decode.node.ts";
import { createNodeRuntime } from "#engine/runtime/runtime.node.ts";
import { createTrainer } from "#teach/training/trainers.ts";
import { memoryPackage } from "#testing/fixtures.ts";
import { listPackages } from "#weights/inventory.ts";
import { createMemoryShardStore } from "#weights/store/store.ts";
import type { TeachEvent, TeachExample, TeachRequest } from "./teach-api.ts";
import { createTeachingHost } from "./teach-host.ts";

vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

const fixture = fileURLToPath(new URL("../../../training/fixtures/tiny-llava", import.meta.url));
let request: TeachRequest;

const picture = async (red: number, green: number): Promise<Blob> => {
  const background = { r: red, g: green, b: 60 };
  const png = await sharp({ create: { width: 40, height: 30, channels: 3, background } })
    .png()
    .toBuffer();
  return new Blob([new Uint8Array(png)]);
};

async function packageOf(adaptable: boolean): Promise<TeachRequest["package"]> {
  const to = memoryPackage();
  const bits = { vision: 8, embed: 8, decoder: 8 } as const;
  const manifest = await convert(checkpointFolder(fixture), to, { bits, adaptable, id: "tiny", name: "Tiny" });
  const files = new Map(Array.from(to.written, ([path, bytes]) => [path, new Blob([bytes])]));
  return { persisted: true, manifest, files };
}

beforeAll(async () => {
  vi.stubGlobal("navigator", {});
  const examples: TeachExample[] = [];
  for (const [answer, red] of [
    ["Rex", 230],
    ["Bella", 10],
  ] as const) {
    for (let i = 0; i < 3; i++) {
      const turns = [{ question: "Who is this?", answer }];
      examples.push({ id: `${answer} ${i}`, picture: await picture(red, 40 * i), turns });
    }
  }
  request = {
    model: { id: "tiny", baseUrl: "" },
    package: await packageOf(true),
    examples,
    name: "My dogs",
    options: { minutes: 0.05 },
    runtimeUrl: "",
    replayUrl: "",
  };
});
afterAll(() => vi.unstubAllGlobals());

function hostOver() {
  const store = createMemoryShardStore();
  let count = 0;
  const host = createTeachingHost({
    store,
    cores: 1,
    decodeImage,
    createRuntime: () => Promise.resolve(createNodeRuntime({ threads: 1 })),
    startThreads: () => [{ ask: createTrainer(), end: () => undefined }],
    readReplay: () => Promise.resolve({ pictures: [], talk: ["Hello"] }),
    newId: () => `taught-${++count}`,
  });
  return { store, host };
}

test("a plan tells what is held out and what it takes; the run ends as an adapter among the stored packages", async () => {
  const { host, store } = hostOver();
  const plan = await host.plan(request);
  expect(plan).toMatchObject({ problems: [], singles: [] });
  expect([plan.heldOut.length, plan.choosing.length, plan.trained.length]).toEqual([2, 0, 4]);
  expect(plan.seconds).toBeGreaterThan(0);
  const events: TeachEvent[] = [];
  const taught = await host.teach(request, (event) => void events.push(event), "1");
  const kinds = events.map(({ type }) => type).filter((type, i, all) => type !== all[i - 1]);
  expect(kinds).toEqual(["before", "prepare", "step", "saving", "after"]);
  const steps = events.filter((event) => event.type === "step");
  expect(steps.at(-1)?.loss).toBeLessThan(steps[0]?.loss ?? 0);
  expect(taught).toMatchObject({
    adapterId: "taught-1",
    before: { of: 2 },
    after: { of: 2 },
    stopped: false,
    chosenByHeldOut: true,
  });
  const [stored, ...others] = await listPackages(store);
  expect(others).toEqual([]);
  expect(stored).toMatchObject({ id: "taught-1", name: "My dogs" });
});

test("a stop that keeps ends as an adapter, one that discards leaves nothing", async () => {
  for (const then of ["keep", "discard"] as const) {
    const { host, store } = hostOver();
    let steps = 0;
    const onEvent = async (event: TeachEvent): Promise<void> => {
      if (event.type === "step" && ++steps === 8) await host.stop("1", then);
    };
    // The stop ends it, not the time.
    const taught = await host.teach({ ...request, options: { minutes: 600 } }, onEvent, "1");
    expect(steps).toBe(8);
    expect(taught?.stopped).toBe(then === "keep" ? true : undefined);
    expect(await listPackages(store)).toHaveLength(then === "keep" ? 1 : 0);
  }
});

test("a plan says why not: no room, unreadable pictures; and a second run waits for nobody", async () => {
  const { host, store } = hostOver();
  const [first, ...rest] = request.examples;
  if (!first) throw new Error("no example");
  const broken = { ...first, picture: new Blob(["no picture"]) };
  const bad = { ...request, package: await packageOf(false), examples: [broken, ...rest] };
  expect((await host.plan(bad)).problems).toEqual([{ kind: "no-room" }, { kind: "unreadable-picture", id: first.id }]);
  await expect(host.teach(bad, () => undefined, "1")).rejects.toMatchObject({ code: "bad-input" });
  let second: Promise<unknown> | undefined;
  const onEvent = async (event: TeachEvent): Promise<void> => {
    if (event.type !== "before") return;
    second = host.teach(request, () => undefined, "2");
    await expect(second).rejects.toMatchObject({ code: "bad-input" });
    await host.stop("1", "discard");
  };
  expect(await host.teach(request, onEvent, "1")).toBeUndefined();
  expect(second).toBeDefined();
  expect(await listPackages(store)).toEqual([]);
});
