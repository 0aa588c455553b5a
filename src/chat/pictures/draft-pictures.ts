// The pictures of a question that is not sent yet, in the order in which they were given. Those that are still being opened, and those
// that could not be opened, keep their places. Pure.
import type { Picture } from "#chat/conversation/conversation.ts";
import type { OpenedPicture, PictureProblem } from "./pictures.web.ts";

interface Given {
  readonly id: string;
  readonly name: string;
}

export type DraftPicture =
  | (Given & { readonly state: "opening" })
  | (Given & { readonly state: "failed"; readonly problem: PictureProblem })
  | (Given & { readonly state: "ready"; readonly picture: Picture });

/** Adds a picture that is being opened; one that is in the list already is opened again in its place. */
export function opening(list: readonly DraftPicture[], { id, name }: Given): readonly DraftPicture[] {
  const anew: DraftPicture = { id, name, state: "opening" };
  return list.some((one) => one.id === id) ? list.map((one) => (one.id === id ? anew : one)) : [...list, anew];
}

/** Puts the result in the place of the picture that was being opened; one that has been removed meanwhile stays removed. */
export function opened(list: readonly DraftPicture[], id: string, result: OpenedPicture): readonly DraftPicture[] {
  return list.map((one) => {
    if (one.id !== id || one.state !== "opening") return one;
    if (result.ok) return { id, name: result.picture.name, state: "ready", picture: result.picture };
    return { id, name: result.name, state: "failed", problem: result.problem };
  });
}

/** A list of opened pictures. */
export function ready(pictures: readonly Picture[]): readonly DraftPicture[] {
  return pictures.map((picture) => ({ id: picture.id, name: picture.name, state: "ready", picture }));
}

/** The opened ones, which can be sent. */
export function picturesOf(list: readonly DraftPicture[]): readonly Picture[] {
  return list.flatMap((one) => (one.state === "ready" ? [one.picture] : []));
}
