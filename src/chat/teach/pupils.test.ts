import { expect, test } from "vitest";
import type { StoredPackageInfo } from "#worker/api.ts";
import { pupilsOf } from "./pupils.ts";

const builtIn = { id: "pocket", name: "Pocket", path: "models/pocket/" };
const info = (id: string, rest: Partial<StoredPackageInfo> = {}): StoredPackageInfo => ({
  id,
  name: id.toUpperCase(),
  license: "",
  baseUrl: `https://models.example/${id}/`,
  complete: true,
  storedBytes: 1,
  totalBytes: 1,
  usedAt: undefined,
  architecture: "llava",
  fits: `fits ${id}`,
  ...rest,
});
const stored = [
  info("pocket"),
  info("big"),
  info("half", { complete: false }),
  info("hub", { architecture: "transformers.js" }),
  info("lora", { architecture: "llava-adapter", fits: "fits big" }),
];

test("the built-in model may be taught before anything is known of what is stored", () => {
  expect(pupilsOf(undefined, "pocket", builtIn)).toEqual([builtIn]);
  expect(pupilsOf(undefined, "a server's", builtIn)).toEqual([builtIn]);
});

test("whole models of this engine may be, the chosen one or its adapter's base first", () => {
  const ids = (selectedId: string): string[] => pupilsOf(stored, selectedId, builtIn).map(({ id }) => id);
  expect(ids("pocket")).toEqual(["pocket", "big"]);
  expect(ids("big")).toEqual(["big", "pocket"]);
  expect(ids("lora")).toEqual(["big", "pocket"]);
  expect(ids("hub")).toEqual(["pocket", "big"]);
  expect(pupilsOf(stored, "pocket", builtIn)[1]).toEqual({
    id: "big",
    name: "BIG",
    path: "https://models.example/big/",
  });
});
