import { describe, expect, test } from "vitest";
import type { ModelClient } from "./model-client.ts";
import { createModelRegistry, idOnSource, type ModelOffer, type ModelRegistry } from "./models.ts";

const client = (): ModelClient => ({
  load: () => Promise.reject(new Error("not in this test")),
  generate: () => {
    throw new Error("not in this test");
  },
  onDied: () => () => undefined,
});
const offer = (id: string, host?: string): ModelOffer => ({
  id,
  name: `Name of ${id}`,
  ...(host === undefined ? {} : { host }),
  connect: client,
});
const make = (): ModelRegistry => createModelRegistry("device", offer("pocket"));

describe("the registry of models", () => {
  test("begins with the built-in model, which is chosen", () => {
    expect(make().get()).toMatchObject({ choices: [{ id: "pocket" }], selected: { id: "pocket" } });
  });

  test("gives the same client every time a model is chosen", () => {
    const registry = make();
    registry.offer("s", [offer("s/a", "gpu.example")]);
    const first = registry.select("s/a");
    expect(first).toBeDefined();
    registry.select("pocket");
    expect(registry.select("s/a")).toBe(first);
    expect(registry.get().selected).toMatchObject({ id: "s/a", host: "gpu.example" });
  });

  test("an offer that comes anew gets another client, one that is the same keeps its own", () => {
    const registry = make();
    const [same, changed] = [offer("s/a"), offer("s/b")];
    registry.offer("s", [same, changed]);
    const [a, b] = [registry.select("s/a"), registry.select("s/b")];
    registry.offer("s", [same, offer("s/b")]);
    expect(registry.select("s/a")).toBe(a);
    expect(registry.select("s/b")).not.toBe(b);
  });

  test("a source that offers nothing any more takes its models along, and the chosen one stays chosen until another is", () => {
    const registry = make();
    registry.offer("s", [offer("s/a")]);
    registry.select("s/a");
    registry.offer("s", []);
    expect(registry.get()).toMatchObject({ choices: [{ id: "pocket" }], selected: { id: "s/a" } });
    expect(registry.select("s/a")).toBeUndefined();
  });

  test("finds a model by its id, its name, or its id on its server", () => {
    const registry = make();
    const id = idOnSource("s", "llava-hf/llava-1.5-13b-hf");
    registry.offer("s", [offer(id)]);
    for (const wanted of [id, `Name of ${id}`, "llava-hf/llava-1.5-13b-hf"]) expect(registry.find(wanted)?.id).toBe(id);
    expect(registry.find("nothing")).toBeUndefined();
  });
});

test("whoever keeps what models have loaded hears of each that is no longer offered, or comes anew", () => {
  const gone: string[] = [];
  const registry = createModelRegistry("device", offer("pocket"), (id) => gone.push(id));
  const stays = offer("stays");
  registry.offer("stored", [stays, offer("deleted"), offer("changed"), offer("never asked")]);
  for (const id of ["stays", "deleted", "changed"]) registry.client(id);
  registry.offer("stored", [stays, offer("changed")]);
  expect(gone).toEqual(["deleted", "changed"]);
});
