// The order of text and pictures within a question, in LLaVA's manner: one text with a place for each picture. Pure.
import type { Piece, PictureRef } from "./sample.ts";

/** null is a place for a picture that is named elsewhere. */
export type Placed = Piece | null;

const startsApart = (text: string): boolean => /^\s/.test(text);
const endsApart = (text: string): boolean => /\s$/.test(text);

/** Parts, as OpenAI's messages have them, as one text: a line break between them, unless there is white space already. */
export function joinParts(parts: readonly Placed[]): Placed[] {
  const joined: Placed[] = [];
  for (const part of parts) {
    if (part === "") continue;
    const last = joined.at(-1);
    if (last === undefined) joined.push(part);
    else if (typeof last === "string" && typeof part === "string") joined[joined.length - 1] = `${last}\n${part}`;
    else if (typeof last === "string") {
      if (!endsApart(last)) joined[joined.length - 1] = `${last}\n`;
      joined.push(part);
    } else if (typeof part === "string") joined.push(startsApart(part) ? part : `\n${part}`);
    else joined.push("\n", part);
  }
  return joined;
}

/** The same as parts again: the line break that only keeps text and picture apart goes, all other text stays. */
export function toParts(pieces: readonly Piece[]): Piece[] {
  return pieces.flatMap((piece, at): Piece[] => {
    if (typeof piece !== "string") return [piece];
    let text = piece;
    // "\n\n" and "\n " would come back as they are, so they stay.
    if (at > 0 && /^\n(?!\s)/.test(text)) text = text.slice(1);
    if (at < pieces.length - 1 && /(?<!\s)\n$/.test(text)) text = text.slice(0, -1);
    return text === "" ? [] : [text];
  });
}

/** Every mark in the texts becomes a place. */
export function splitAtMarks(placed: readonly Placed[], mark: RegExp): Placed[] {
  return placed.flatMap((piece): Placed[] => {
    if (typeof piece !== "string") return [piece];
    return piece.split(mark).flatMap((text, at) => [...(at === 0 ? [] : [null]), ...(text === "" ? [] : [text])]);
  });
}

/** Gives the places the pictures that are not in the text yet; where their numbers differ, all pictures come first, a line for each. */
export function fillPlaces(placed: readonly Placed[], pictures: readonly PictureRef[], text: string): Piece[] {
  const own = new Set(placed.filter((piece) => typeof piece === "object"));
  const rest = pictures.filter((picture) => !own.has(picture));
  const places = placed.filter((piece) => piece === null).length;
  const shown = placed.filter((piece) => typeof piece !== "string").length;
  if (places !== rest.length || shown !== pictures.length)
    return [...pictures.flatMap((picture) => [picture, "\n"]), ...(text === "" ? [] : [text])];
  return placed.map((piece) => piece ?? (rest.shift() as PictureRef));
}
