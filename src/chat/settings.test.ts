import { describe, expect, test } from "vitest";
import type { Message } from "#engine/types.ts";
import type { GetStorage } from "./local-storage.ts";
import { readPreferences, writePreferences } from "./preferences.ts";
import { defaultSettings, presetOf, presets, toRequest, toSampling, type Settings } from "./settings.ts";

test("a model of basics answers without dice, one of photographs as LLaVA's demo does", () => {
  expect(toSampling(defaultSettings({ knows: "basics" })).temperature).toBe(0);
  expect(toSampling(defaultSettings({ knows: "photographs" }))).toMatchObject({ temperature: 0.2, topP: 0.7 });
});

test("a top-p of 0 still leaves a token to take", () => {
  expect(toSampling({ ...defaultSettings({ knows: "photographs" }), topP: 0 }).topP).toBeGreaterThan(0);
});

function memoryStorage(): ReturnType<GetStorage> {
  const values = new Map<string, string>();
  return { getItem: (key) => values.get(key) ?? null, setItem: (key, value) => void values.set(key, value) };
}

test("preferences come back as they were kept", () => {
  const storage = memoryStorage();
  const settings = { ...defaultSettings({ knows: "basics" }), temperature: 0.7, greedy: false };
  writePreferences(() => storage, { theme: "dark", language: "zh", photoOffer: false, settings });
  expect(readPreferences(() => storage)).toMatchObject({ theme: "dark", language: "zh", photoOffer: false, settings });
});

test("unreadable preferences and blocked storage give the defaults", () => {
  const broken: ReturnType<GetStorage> = { getItem: () => '{"version":1,"theme":"purple"}', setItem: () => undefined };
  const blocked = (): ReturnType<GetStorage> => {
    throw new DOMException("blocked", "SecurityError");
  };
  expect(readPreferences(() => broken)).toEqual({ theme: "system" });
  expect(readPreferences(blocked)).toEqual({ theme: "system" });
  expect(() => writePreferences(blocked, { theme: "dark" })).not.toThrow();
});

test("settings kept before there were more of them are still read", () => {
  const old = { greedy: false, temperature: 0.3, topP: 0.8, maxNewTokens: 128 };
  const storage = memoryStorage();
  storage.setItem("llava-web-preferences", JSON.stringify({ version: 1, theme: "dark", settings: old }));
  expect(readPreferences(() => storage).settings).toEqual({ ...defaultSettings({ knows: "photographs" }), ...old });
});

test("all settings come back, also the seed and the system prompt", () => {
  const storage = memoryStorage();
  const settings = {
    ...defaultSettings({ knows: "photographs" }),
    seed: 7,
    systemPrompt: "Be brief.",
    topK: 40,
    minP: 0.05,
  };
  writePreferences(() => storage, { theme: "system", settings });
  expect(readPreferences(() => storage).settings).toEqual(settings);
});

describe("a request", () => {
  const defaults = defaultSettings({ knows: "photographs" });
  const asked: readonly Message[] = [{ role: "user", parts: [{ type: "text", text: "Hi" }] }];

  test("has LLaVA's values by default and nothing that was not set", () => {
    expect(toRequest(defaults, asked)).toEqual({
      messages: asked,
      sampling: { temperature: 0.2, topK: 0, topP: 0.7, minP: 0, repetitionPenalty: 1 },
      maxNewTokens: 512,
      stop: [],
    });
  });

  test("starts with the system prompt, and carries the seed and how pictures are seen", () => {
    const changed = { systemPrompt: " Be brief. ", seed: 3, imageMode: "pad", detail: "every" } as const;
    const request = toRequest({ ...defaults, ...changed }, asked);
    expect(request.messages).toEqual([{ role: "system", parts: [{ type: "text", text: "Be brief." }] }, ...asked]);
    expect(request.sampling.seed).toBe(3);
    expect(request).toMatchObject({ imageMode: "pad", detail: "every" });
  });
});

test("each kind of question is known by its settings, and choosing one leaves the rest alone", () => {
  const own: Settings = { ...defaultSettings({ knows: "basics" }), systemPrompt: "x", seed: 1 };
  expect(presetOf(own)).toBe("conversation");
  for (const kind of ["conversation", "detail", "reasoning"] as const) {
    const chosen = { ...own, ...presets[kind] };
    expect(presetOf(chosen)).toBe(kind);
    expect(chosen).toMatchObject({ greedy: true, systemPrompt: "x", seed: 1 });
  }
  expect(presetOf({ ...own, temperature: 0.9 })).toBeUndefined();
});
