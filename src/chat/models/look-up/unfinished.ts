// A conversion that an earlier visit left unfinished, as what is to be downloaded again. Pure.
import type { WantedModel } from "#chat/downloads/wanted.ts";
import type { StoredPackageInfo } from "#worker/api.ts";

/** Undefined where there is none, or where its files have to be dropped again. */
export function wantedAgain({ id, unfinished }: StoredPackageInfo): WantedModel | undefined {
  if (unfinished?.place === undefined) return undefined;
  const { place, asked, name, license, keepBytes } = unfinished;
  const checkpoint = { ...asked, place, license };
  return { id, name, baseUrl: "", architecture: "llava", bytes: keepBytes, checkpoint };
}
