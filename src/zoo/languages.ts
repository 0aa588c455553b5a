// Which languages the models of the zoo can be asked in. Data only; of other models nothing is known.
import { hubModels, type HubModelRecord } from "./hub-models.ts";
import { models } from "./models.ts";

/** By the id under which the page offers a model; undefined where the zoo does not know it. */
export function languagesOf(id: string): readonly string[] | undefined {
  return models.find((record) => record.id === id)?.languages ?? recordOf(id)?.languages;
}

/** The models of the hub that can be asked in a language. */
export function modelsThatRead(language: string): readonly HubModelRecord[] {
  return hubModels.filter(({ languages }) => languages.includes(language));
}

function recordOf(id: string): HubModelRecord | undefined {
  return hubModels.find(({ repository }) => repository === id);
}
