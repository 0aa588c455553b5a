// What makes two conversations the same: the words and the pictures, whatever their ids and the form of the file. Pure.
import type { PictureRef, Sample } from "#samples/sample.ts";

/** A text for the hash; `nameOf` gives the name of a picture by which it is the same as another. */
export function contentKey({ system, turns }: Sample, nameOf: (ref: PictureRef) => string = nameOfRef): string {
  const said = turns.map((turn) =>
    turn.role === "user" ? [turn.text, ...turn.pictures.map(nameOf)] : turn.text.trim(),
  );
  return JSON.stringify([system, ...said]);
}

/** A name without needless dots and slashes, or the picture itself. */
export function nameOfRef(ref: PictureRef): string {
  if (ref.kind === "data") return `base64,${ref.base64.replace(/\s+/g, "")}`;
  return ref.name.replace(/\/(?:\.?\/)+/g, "/").replace(/^(?:\.\/)+(?=.)/, "");
}
