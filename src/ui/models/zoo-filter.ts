// Which of the zoo's models the list shows: by words, fit, family, license and language. Pure.
import type { ZooRecord } from "#zoo/record.ts";
import { zoo, zooModels } from "#zoo/zoo.ts";
import type { Texts } from "#ui/texts/texts.ts";

export interface ZooFilter {
  /** What was typed; every word has to be somewhere in a record. */
  readonly words: string;
  readonly fitsOnly: boolean;
  /** "" is all. "parts" are what does not answer by itself. */
  readonly family: ZooRecord["family"] | "parts" | "";
  readonly license: string;
  readonly language: string;
}

/** What the view begins with. */
export const noFilter: ZooFilter = { words: "", fitsOnly: true, family: "", license: "", language: "" };

/** Adapters, deltas and projectors. */
export const zooParts: readonly ZooRecord[] = zoo.filter(({ kind }) => kind !== "model");

/** In the zoo's order. `fits` is not asked for parts, which the command line puts together. */
export function filterZoo(filter: ZooFilter, fits: (record: ZooRecord) => boolean, t: Texts): readonly ZooRecord[] {
  const { words, fitsOnly, family, license, language } = filter;
  const wanted = words.toLowerCase().split(/\s+/).filter((word) => word !== ""); // prettier-ignore
  const parts = family === "parts";
  return (parts ? zooParts : zooModels).filter(
    (record) =>
      (parts || family === "" || record.family === family) &&
      (license === "" || record.license === license) &&
      (language === "" || record.languages.includes(language)) &&
      (parts || !fitsOnly || fits(record)) &&
      wanted.every((word) => textOf(record, t).includes(word)),
  );
}

/** Everything that a search may mean, in the language of the page and in the field's own words. */
function textOf(record: ZooRecord, t: Texts): string {
  const { id, name, base, license, family, goodAt, sources } = record;
  const repositories = sources.map(({ repository }) => repository);
  const skills = goodAt.flatMap((skill) => [skill, t.zoo.skills[skill]]);
  return [id, name, base, license, t.zoo.families[family], ...skills, ...repositories].join(" ").toLowerCase();
}

/** The values that a filter can have, each once. */
export function licensesOf(records: readonly ZooRecord[]): readonly string[] {
  return [...new Set(records.map(({ license }) => license))].sort();
}

export function languagesIn(records: readonly ZooRecord[]): readonly string[] {
  return [...new Set(records.flatMap(({ languages }) => languages))].sort();
}
