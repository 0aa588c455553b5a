// A conversion that an earlier visit left unfinished, as what is to be downloaded again. Pure.
import type { WantedModel } from "#chat/downloads/wanted.ts";
import type { StoredPackageInfo } from "#worker/api.ts";
import { zoo } from "#zoo/zoo.ts";
import { zooCheckpoint } from "./look-up.ts";

/** Undefined where there is none, or where its files have to be dropped again. */
export function wantedAgain({ id, unfinished }: StoredPackageInfo): WantedModel | undefined {
  if (unfinished?.place === undefined) return undefined;
  const { place, name, license, keepBytes } = unfinished;
  const known = place.kind === "hub" ? fromZoo(place.repository) : undefined;
  const checkpoint = { ...known, place, license };
  return { id, name, baseUrl: "", architecture: "llava", bytes: keepBytes, checkpoint };
}

/** Which files and how many bits, so that the conversion is the same. */
function fromZoo(repository: string): ReturnType<typeof zooCheckpoint> | undefined {
  for (const record of zoo) {
    const source = record.sources.find((one) => one.repository === repository);
    if (source !== undefined) return zooCheckpoint(record, source);
  }
  return undefined;
}
