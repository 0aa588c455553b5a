// The languages that the zoo's models understand. Nothing is known of other models.
import { models } from "./models.ts";
import type { ZooRecord } from "./record.ts";
import { costOf, zoo, zooModels } from "./zoo.ts";

/** The languages of the model that the page offers under this id; undefined where the zoo has no record of it. */
export function languagesOf(id: string): readonly string[] | undefined {
  return models.find((record) => record.id === id)?.languages ?? recordOf(id)?.languages;
}

/** The models that understand a language, those first that need the least of a device. */
export function modelsThatRead(language: string): readonly ZooRecord[] {
  const kept = (record: ZooRecord): number => costOf(record, record.sources[0], "cpu").kept;
  return zooModels.filter(({ languages }) => languages.includes(language)).sort((a, b) => kept(a) - kept(b));
}

function recordOf(id: string): ZooRecord | undefined {
  return zoo.find(({ sources }) => sources.some(({ repository }) => repository === id));
}
