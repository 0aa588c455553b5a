import { expect, test } from "vitest";
import { firstModelIds, readPageOptions } from "./page-options.ts";

const at = (search: string) => readPageOptions(`https://example.org/app/${search}#/c/1`);

test("the address says where models run, which hub is asked and which model answers", () => {
  expect(at("?device=wasm&hub=http://localhost:8000/x&model=llava")).toEqual({
    device: "wasm",
    hub: "http://localhost:8000/",
    model: "llava",
  });
});

test("what makes no sense counts as absent", () => {
  const usual = { device: "auto", hub: "https://huggingface.co/", model: undefined };
  expect(at("")).toEqual(usual);
  expect(at("?device=abacus&hub=nowhere")).toEqual(usual);
});

test("the first model is the one of the address, else the last choice, else the built-in one; the zoo's ids mean their repositories", () => {
  expect(firstModelIds("asked", "chosen", "built-in")).toEqual(["asked"]);
  expect(firstModelIds(undefined, "chosen", "built-in")).toEqual(["chosen"]);
  expect(firstModelIds(undefined, undefined, "built-in")).toEqual(["built-in"]);
  expect(firstModelIds("smolvlm-256m", undefined, "built-in")[0]).toMatch(/\/SmolVLM-256M/);
});
