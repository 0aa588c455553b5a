// What a user chose once and expects to find again: theme, language, settings.
import * as v from "valibot";
import { readLocal, writeLocal, type GetStorage } from "./local-storage.ts";
import { createCell, type Observable } from "./observable.ts";
import { largestSeed, longestSystemPrompt, type Settings } from "./settings.ts";

export type Theme = "system" | "light" | "dark";

export interface Preferences {
  readonly theme: Theme;
  /** A language tag the page has texts for; absent means what the browser asks for. */
  readonly language?: string;
  readonly settings?: Settings;
  /** Id of the model that was chosen last. */
  readonly model?: string;
  /** Whether the list of conversations stands beside the page, where that is wide enough. */
  readonly sidebar?: boolean;
  /** Whether answers are prepared while a question is put together; absent means yes. */
  readonly prepare?: boolean;
  /** Whether another model is offered beside a photograph that the built-in one does not know well; absent means yes. */
  readonly photoOffer?: boolean;
}

const within = (min: number, max: number) => v.pipe(v.number(), v.minValue(min), v.maxValue(max));

const StoredPreferences = v.object({
  version: v.literal(1),
  theme: v.picklist(["system", "light", "dark"]),
  language: v.exactOptional(v.string()),
  model: v.exactOptional(v.string()),
  sidebar: v.exactOptional(v.boolean()),
  prepare: v.exactOptional(v.boolean()),
  photoOffer: v.exactOptional(v.boolean()),
  settings: v.exactOptional(
    v.object({
      greedy: v.boolean(),
      temperature: within(0, 1),
      topP: within(0, 1),
      maxNewTokens: v.pipe(within(1, 1024), v.integer()),
      // Added later: older versions stored none of them.
      topK: v.optional(v.pipe(within(0, 200), v.integer()), 0),
      minP: v.optional(within(0, 0.5), 0),
      repetitionPenalty: v.optional(within(1, 1.5), 1),
      seed: v.exactOptional(v.pipe(within(0, largestSeed), v.integer())),
      systemPrompt: v.optional(v.pipe(v.string(), v.maxLength(longestSystemPrompt)), ""),
      imageMode: v.optional(v.picklist(["auto", "pad", "crop", "resize"]), "auto"),
      detail: v.optional(v.picklist(["auto", "quick", "every"]), "auto"),
    }),
  ),
});

const none: Preferences = { theme: "system" };

const storageKey = "llava-web-preferences";

/** The stored preferences; the defaults where none can be read. */
export function readPreferences(storage: GetStorage): Preferences {
  return readLocal(storage, storageKey, StoredPreferences) ?? none;
}

/** Stores them for the next visit. */
export function writePreferences(storage: GetStorage, preferences: Preferences): void {
  writeLocal(storage, storageKey, JSON.stringify({ ...preferences, version: 1 }));
}

interface PreferencesCell extends Observable<Preferences> {
  /** Replaces them, and stores them for the next visit. */
  change(preferences: Preferences): void;
}

/** The stored preferences, as a value that can be watched. */
export function createPreferences(storage: GetStorage): PreferencesCell {
  const cell = createCell(readPreferences(storage));
  return {
    get: () => cell.get(),
    subscribe: (listener) => cell.subscribe(listener),
    change(preferences) {
      cell.set(preferences);
      writePreferences(storage, preferences);
    },
  };
}
