import * as v from "valibot";
import { expect, test } from "vitest";
import { readLocal, writeLocal, type GetStorage } from "./local-storage.ts";

const schema = v.object({ version: v.literal(1) });

test("a value comes back if the schema takes it, and counts as absent otherwise", () => {
  const items = new Map([
    ["good", '{"version":1}'],
    ["newer", '{"version":2}'],
    ["broken", "{"],
  ]);
  const storage: GetStorage = () => ({
    getItem: (key) => items.get(key) ?? null,
    setItem: (key, text) => void items.set(key, text),
  });
  expect(readLocal(storage, "good", schema)).toEqual({ version: 1 });
  for (const key of ["newer", "broken", "absent"]) expect(readLocal(storage, key, schema)).toBeUndefined();
  writeLocal(storage, "absent", '{"version":1}');
  expect(readLocal(storage, "absent", schema)).toEqual({ version: 1 });
});

test("a browser that stores nothing has no values, and nothing throws", () => {
  const storage: GetStorage = () => {
    throw new DOMException("blocked", "SecurityError");
  };
  writeLocal(storage, "key", "{}");
  expect(readLocal(storage, "key", schema)).toBeUndefined();
});
