// The languages that the zoo's models understand. Data only; nothing is known of other models.
import { hubModels, type HubModelRecord } from "./hub-models.ts";
import { models } from "./models.ts";

/** By the id under which the page offers a model; undefined where the zoo does not know it. */
export function languagesOf(id: string): readonly string[] | undefined {
  return models.find((record) => record.id === id)?.languages ?? recordOf(id)?.languages;
}

/** The hub's models that understand a language. */
export function modelsThatRead(language: string): readonly HubModelRecord[] {
  return hubModels.filter(({ languages }) => languages.includes(language));
}

function recordOf(id: string): HubModelRecord | undefined {
  return hubModels.find(({ repository }) => repository === id);
}
