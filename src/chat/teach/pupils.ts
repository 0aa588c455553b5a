// Which models on this device may be taught, the one to begin with first. Whether one can be is asked of the teacher. Pure.
import type { StoredPackageInfo } from "#worker/api.ts";
import { zooName } from "#zoo/zoo.ts";
import { baseOf } from "#chat/models/storage.ts";
import type { Pupil } from "./teaching.ts";

/** The chosen one, or the base of a chosen adapter, comes first, then the built-in one, which needs not be stored. */
export function pupilsOf(
  stored: readonly StoredPackageInfo[] | undefined,
  selectedId: string,
  builtIn: Pupil,
): readonly Pupil[] {
  const all = stored ?? [];
  const models = all.filter(
    ({ id, architecture = "llava", complete }) => architecture === "llava" && complete && id !== builtIn.id,
  );
  const pupils = [
    builtIn,
    ...models.map(({ id, name, baseUrl }) => ({ id, name: zooName(id) ?? (name || id), path: baseUrl })),
  ];
  const selected = all.find(({ id }) => id === selectedId);
  const base = selected?.architecture === "llava-adapter" ? baseOf(selected, all) : selected;
  const first = pupils.find(({ id }) => id === (base?.id ?? selectedId)) ?? builtIn;
  return [first, ...pupils.filter((pupil) => pupil !== first)];
}
