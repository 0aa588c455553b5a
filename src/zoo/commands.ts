// The commands that make a package of a record whose weights lie in several repositories, which a page can't put together. Pure.
import type { ZooRecord } from "./record.ts";

/** Whether one repository holds everything, so that the page makes the package itself. */
export function isMadeHere({ kind, sources: [source] }: ZooRecord): boolean {
  return kind === "model" && !("tower" in source);
}

/** One a line; "" where the page does it. */
export function commandsFor(record: ZooRecord): string {
  const { id, kind, sources } = record;
  const [source] = sources;
  if (isMadeHere(record) || source.format === "onnx" || source.format === "gguf") return "";
  const { repository, base, tower } = source;
  const vision = tower === undefined ? "" : ` --vision ${tower}`;
  if (base === undefined) return `llava convert ${repository} ${id}-package${vision}`;
  const fetch = (what: string, to: string): string => `hf download ${what} --local-dir ${to}`;
  const fetched = [fetch(repository, id), fetch(base, "base")];
  if (kind === "delta")
    return [
      ...fetched,
      `llava apply-delta ${id} ${id}-whole --base base`,
      ...(tower === undefined ? [] : [fetch(tower, "tower")]),
      `llava convert ${id}-whole ${id}-package${tower === undefined ? "" : " --vision tower"}`,
    ].join("\n");
  return [
    ...fetched,
    ...(tower === undefined ? [] : [fetch(tower, "tower")]),
    `llava convert ${id} ${id}-package --base base${tower === undefined ? "" : " --vision tower"}`,
  ].join("\n");
}
