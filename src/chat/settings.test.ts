import { expect, test } from "vitest";
import { readPreferences, writePreferences, type PreferenceStorage } from "./preferences.ts";
import { defaultSettings, toSampling } from "./settings.ts";

test("a model of pictograms answers without dice, one of photographs as LLaVA's demo does", () => {
  expect(toSampling(defaultSettings({ knows: "pictograms" })).temperature).toBe(0);
  expect(toSampling(defaultSettings({ knows: "photographs" }))).toMatchObject({ temperature: 0.2, topP: 0.7 });
});

test("a top-p of 0 still leaves a token to take", () => {
  expect(toSampling({ ...defaultSettings({ knows: "photographs" }), topP: 0 }).topP).toBeGreaterThan(0);
});

function memoryStorage(): PreferenceStorage {
  const values = new Map<string, string>();
  return { getItem: (key) => values.get(key) ?? null, setItem: (key, value) => void values.set(key, value) };
}

test("preferences come back as they were kept", () => {
  const storage = memoryStorage();
  const settings = { ...defaultSettings({ knows: "pictograms" }), temperature: 0.7, greedy: false };
  writePreferences(() => storage, { theme: "dark", language: "zh", settings });
  expect(readPreferences(() => storage)).toMatchObject({ theme: "dark", language: "zh", settings });
});

test("unreadable preferences and blocked storage give the defaults", () => {
  const broken: PreferenceStorage = { getItem: () => '{"version":1,"theme":"purple"}', setItem: () => undefined };
  const blocked = (): PreferenceStorage => {
    throw new DOMException("blocked", "SecurityError");
  };
  expect(readPreferences(() => broken)).toEqual({ theme: "system" });
  expect(readPreferences(blocked)).toEqual({ theme: "system" });
  expect(() => writePreferences(blocked, { theme: "dark" })).not.toThrow();
});
