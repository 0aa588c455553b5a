// The commands that make a package of a part and its base, which a page can't put together. Pure.
import type { ZooRecord } from "./record.ts";

/** The commands, one a line; "" for a whole model, which the page converts itself. */
export function commandsFor(record: ZooRecord): string {
  const { id, kind, sources } = record;
  const [source] = sources;
  if (kind === "model" || source.format === "onnx" || source.format === "gguf") return "";
  const { repository, base = "", tower } = source;
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
