import { expect, test } from "vitest";
import { opened, opening, picturesOf, ready, type DraftPicture } from "./draft-pictures.ts";
import type { OpenedPicture } from "./pictures.web.ts";

const picture = (id: string) => ({ id, name: `${id}.png`, blob: new Blob([id]) });
const good = (id: string): OpenedPicture => ({ ok: true, picture: picture(id) });
const bad: OpenedPicture = { ok: false, name: "b.png", problem: "broken" };

test("pictures keep the order in which they were given, whichever is opened first", () => {
  let list: readonly DraftPicture[] = ["a", "b", "c"].reduce<readonly DraftPicture[]>(
    (held, id) => opening(held, { id, name: id }),
    [],
  );
  list = opened(list, "c", good("p3"));
  list = opened(list, "a", good("p1"));
  expect(picturesOf(list).map(({ id }) => id)).toEqual(["p1", "p3"]);
  list = opened(list, "b", bad);
  expect(list.map(({ state }) => state)).toEqual(["ready", "failed", "ready"]);
  list = opened(opening(list, { id: "b", name: "b.png" }), "b", good("p2"));
  expect(picturesOf(list).map(({ id }) => id)).toEqual(["p1", "p2", "p3"]);
});

test("what was taken away while it was being opened, or has ended, does not come back", () => {
  expect(opened([], "a", good("p1"))).toEqual([]);
  const list = ready([picture("p1")]);
  expect(opened(list, "p1", bad)).toEqual(list);
});
