// What a model costs and under which license it is, in words.
import type { Cost } from "#zoo/zoo.ts";
import { formatSize } from "#ui/parts/format.ts";
import type { Texts } from "#ui/texts/texts.ts";

/** "264 MB", "about 26.7 GB", "358 MB or more". */
export function fetchedWords(t: Texts, { fetched, known }: Cost): string {
  const size = formatSize(t, fetched);
  return known === "exactly" ? size : known === "about" ? t.zoo.about(size) : t.photos.orMore(size);
}

/** The zoo says "not stated" where a repository names none. */
export function licenseWords(t: Texts, license: string): string {
  return license === "not stated" ? t.zoo.noLicense : license;
}
