import { expect, test } from "vitest";
import { firstModelId, readPageOptions } from "./page-options.ts";

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
  expect(firstModelId("asked", "chosen", "built-in")).toBe("asked");
  expect(firstModelId(undefined, "chosen", "built-in")).toBe("chosen");
  expect(firstModelId(undefined, undefined, "built-in")).toBe("built-in");
  expect(firstModelId("smolvlm-256m", undefined, "built-in")).toMatch(/\/SmolVLM-256M/);
});
