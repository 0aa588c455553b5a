import { beforeEach, describe, expect, test, vi } from "vitest";
import type { Picture, Turn } from "#chat/conversation/conversation.ts";
import { contentHash } from "#chat/content-hash.ts";
import type { OpenedPicture } from "#chat/pictures/pictures.web.ts";
import { createMemoryLessons, createShelf, type Shelf } from "#testing/chat/memory-lessons.ts";
import { askedOf, correctionsId, exampleOf, lessonsFor } from "./chat-examples.ts";
import { createLessons, type Lessons } from "./lessons.ts";
import type { LessonPlace } from "./lesson-place.ts";
import type { Lesson } from "./lesson.ts";

let ids = 0;
let clock = 0;
beforeEach(() => {
  ids = 0;
  clock = 1000;
});

/** Opens files whose bytes say that they are pictures. */
async function openPicture(file: Blob, name: string): Promise<OpenedPicture> {
  if (!(await file.text()).startsWith("picture")) return { ok: false, name, problem: "not-a-picture" };
  return { ok: true, picture: { id: `picture ${++ids}`, name, blob: file } };
}

const openTab = (shelf: Shelf, place = createMemoryLessons(shelf)): Lessons =>
  createLessons({
    place,
    openPicture,
    fetchPicture: (address) => Promise.resolve({ ok: false, name: address, problem: "not-fetched" }),
    hash: contentHash,
    newId: () => `id ${++ids}`,
    now: () => ++clock,
  });
const pictures = (...names: readonly string[]): File[] =>
  names.map((name) => new File([`picture of ${name}`], `${name}.png`));
const loose = (...files: readonly File[]) => [{ answer: undefined, files }];
const only = (lessons: Lessons): Lesson => {
  const [lesson] = lessons.get().lessons ?? [];
  if (lesson === undefined) throw new Error("there is no lesson");
  return lesson;
};
const shown = (lesson: Lesson): string[] =>
  lesson.cards.map((card) => `${card.answer}: ${card.pictures.map(({ name }) => name).join(" ")}`);
/** Until everything that was asked for is kept. */
const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));

async function begin(): Promise<{ shelf: Shelf; lessons: Lessons; id: string; cat: string; dog: string }> {
  const shelf = createShelf();
  const lessons = openTab(shelf);
  await lessons.open();
  const id = lessons.create("things", "What is this?", ["Mimi", "Rex"]);
  const [cat, dog] = only(lessons).cards.map((card) => card.id);
  return { shelf, lessons, id, cat: cat ?? "", dog: dog ?? "" };
}

describe("a page that goes before a change is kept", () => {
  /** A place that never comes to an end with what it is asked. */
  const hanging = (shelf: Shelf): LessonPlace => ({
    ...createMemoryLessons(shelf),
    change: () => new Promise(() => undefined),
  });
  const leave = async (shelf: Shelf, act: (lessons: Lessons) => void): Promise<Lessons> => {
    const going = openTab(shelf, hanging(shelf));
    await going.open();
    act(going);
    going.noteUnfinished();
    const next = openTab(shelf);
    await next.open();
    return next;
  };

  test("leaves it to the next page: a new lesson, a changed one, and a removed one", async () => {
    const shelf = createShelf();
    const begun = await leave(shelf, (lessons) => void lessons.create("things", "Who?", ["Mimi"]));
    expect(shown(only(begun))).toEqual(["Mimi: "]);
    const { id } = only(begun);
    const renamed = await leave(shelf, (lessons) => lessons.change(id, (lesson) => ({ ...lesson, name: "Pets" })));
    expect(only(renamed).name).toBe("Pets");
    const without = await leave(shelf, (lessons) => lessons.remove(id));
    expect(without.get().lessons).toEqual([]);
    expect(shelf.notes).toEqual([]);
  });

  test("does not undo what another page has kept since", async () => {
    const { shelf, lessons, id } = await begin();
    const next = await leave(shelf, (going) => {
      going.change(id, (lesson) => ({ ...lesson, name: "Pets" }));
      lessons.change(id, (lesson) => ({ ...lesson, name: "Animals" }));
    });
    expect(only(next).name).toBe("Animals");
  });
});

describe("pictures", () => {
  test("are kept with their bytes, and are there for the next visit", async () => {
    const { shelf, lessons, id, cat } = await begin();
    await lessons.give(id, loose(...pictures("a", "b")), cat);
    await settled();
    const next = openTab(shelf);
    await next.open();
    expect(shown(only(next))).toEqual(["Mimi: a.png b.png", "Rex: "]);
    const texts = await Promise.all(next.picturesIn(only(next)).map(({ picture }) => picture.blob.text()));
    expect(texts).toEqual(["picture of a", "picture of b"]);
  });

  test("given twice, to two cards, or unreadable are told of, and the others are added", async () => {
    const { lessons, id, cat, dog } = await begin();
    await lessons.give(id, loose(...pictures("a")), cat);
    await lessons.give(id, loose(...pictures("a"), new File(["text"], "notes.txt"), ...pictures("b")), cat);
    expect(lessons.get().given).toEqual({
      lessonId: id,
      added: 1,
      troubles: [
        { kind: "same", count: 1 },
        { kind: "unusable", problem: "not-a-picture", names: ["notes.txt"] },
      ],
    });
    await lessons.give(id, loose(...pictures("a")), dog);
    expect(lessons.get().given?.troubles).toEqual([{ kind: "other-card", count: 1, answer: "Mimi" }]);
    expect(shown(only(lessons))).toEqual(["Mimi: a.png b.png", "Rex: "]);
    expect(lessons.get().opening.size).toBe(0);
  });

  test("in folders find their card by its name, or begin one", async () => {
    const { lessons, id } = await begin();
    await lessons.give(id, [
      { answer: "rex", files: pictures("r") },
      { answer: "Momo", files: pictures("m") },
    ]);
    expect(shown(only(lessons))).toEqual(["Mimi: ", "Rex: r.png", "Momo: m.png"]);
  });

  test("can be moved, removed and brought back, with all of a card", async () => {
    const { shelf, lessons, id, cat, dog } = await begin();
    await lessons.give(id, loose(...pictures("a", "b")), cat);
    const [first] = only(lessons).cards[0]?.pictures ?? [];
    lessons.movePicture(id, first?.id ?? "", dog);
    expect(shown(only(lessons))).toEqual(["Mimi: b.png", "Rex: a.png"]);
    lessons.removePicture(id, first?.id ?? "");
    expect([shown(only(lessons)), lessons.get().undo]).toEqual([["Mimi: b.png", "Rex: "], "picture"]);
    lessons.undo();
    lessons.removeCard(id, cat);
    expect([shown(only(lessons)), lessons.get().undo]).toEqual([["Rex: a.png"], "card"]);
    lessons.undo();
    expect([shown(only(lessons)), lessons.get().undo]).toEqual([["Mimi: b.png", "Rex: a.png"], undefined]);
    await settled();
    expect(shown([...shelf.lessons.values()][0] as Lesson)).toEqual(["Mimi: b.png", "Rex: a.png"]);
  });

  test("of a deleted lesson come back with it, also after another visit has cleaned up", async () => {
    const { shelf, lessons, id, cat } = await begin();
    await lessons.give(id, loose(...pictures("a")), cat);
    lessons.remove(id);
    await settled();
    await openTab(shelf).open();
    expect([shelf.lessons.size, shelf.blobs.size]).toEqual([0, 0]);
    lessons.undo();
    await settled();
    expect([shelf.lessons.size, shelf.blobs.size]).toEqual([1, 1]);
  });
});

describe("what can't be kept", () => {
  test("for want of room stays on the page, which tells how many pictures", async () => {
    const { shelf, lessons, id, cat } = await begin();
    shelf.room = 20;
    await lessons.give(id, loose(...pictures("a", "b", "c")), cat);
    await settled();
    expect(lessons.get().unsaved).toEqual({ cause: "full", pictures: 2, lessons: 0 });
    expect(lessons.picturesIn(only(lessons))).toHaveLength(3);
    expect(shown(only(lessons))).toEqual(["Mimi: a.png b.png c.png", "Rex: "]);
    shelf.room = Infinity;
    await lessons.give(id, loose(...pictures("b", "c")), cat);
    await settled();
    expect([lessons.get().given?.added, lessons.get().unsaved, shelf.blobs.size]).toEqual([2, undefined, 3]);
  });

  test("is written whole with the next change that can be", async () => {
    const warn = vi.spyOn(console, "warn").mockImplementation(() => undefined);
    const { shelf, lessons, id, cat } = await begin();
    await settled();
    shelf.failure = Object.assign(new Error("no room"), { name: "QuotaExceededError" });
    await lessons.give(id, loose(...pictures("a")), cat);
    lessons.change(id, (lesson) => ({ ...lesson, name: "Pets" }));
    await settled();
    expect(lessons.get().unsaved).toEqual({ cause: "full", pictures: 0, lessons: 1 });
    expect(only(lessons).name).toBe("Pets");
    shelf.failure = undefined;
    lessons.change(id, (lesson) => ({ ...lesson, question: "Who is this?" }));
    await settled();
    expect(lessons.get().unsaved).toBeUndefined();
    expect([...shelf.lessons.values()][0]).toMatchObject({ name: "Pets", question: "Who is this?" });
    expect(shelf.blobs.size).toBe(1);
    warn.mockRestore();
  });
});

test("two tabs that change one lesson lose nothing of either", async () => {
  const { shelf, lessons, id, cat, dog } = await begin();
  await settled();
  const other = openTab(shelf);
  await other.open();
  await Promise.all([
    lessons.give(id, loose(...pictures("a")), cat),
    other.give(id, loose(...pictures("b")), dog),
    Promise.resolve(other.change(id, (lesson) => ({ ...lesson, name: "Pets" }))),
  ]);
  await settled();
  for (const tab of [lessons, other]) {
    expect(shown(only(tab))).toEqual(["Mimi: a.png", "Rex: b.png"]);
    expect(only(tab).name).toBe("Pets");
    expect(tab.picturesIn(only(tab))).toHaveLength(2);
  }
  other.remove(id);
  await settled();
  expect(lessons.get().lessons).toEqual([]);
});

describe("an answer of a chat", () => {
  const picture: Picture = { id: "p", name: "mug.png", blob: new Blob(["picture of a mug"]) };
  const example = { answerId: "a1", picture, question: "What is this?", answer: "My mug" };
  const cards = (lessons: Lessons): string[] =>
    (lessons.get().lessons ?? []).flatMap((lesson) =>
      lesson.cards.map((card) => `${lesson.id}: ${card.question} ${card.answer}`),
    );

  test("that is corrected becomes an example, is corrected again, and is taken back", async () => {
    const shelf = createShelf();
    const lessons = openTab(shelf);
    await lessons.keepExample(example);
    expect(cards(lessons)).toEqual(["corrections: What is this? My mug"]);
    expect(exampleOf(lessons.get(), "a1")?.picture.name).toBe("mug.png");
    await lessons.keepExample({ ...example, answer: "Ada's mug" });
    expect(cards(lessons)).toEqual(["corrections: What is this? Ada's mug"]);
    lessons.forgetExample("a1");
    expect([cards(lessons), lessons.get().undo]).toEqual([[], "example"]);
    lessons.undo();
    expect(cards(lessons)).toEqual(["corrections: What is this? Ada's mug"]);
    await settled();
    const next = openTab(shelf);
    await next.open();
    expect(exampleOf(next.get(), "a1")?.card.answer).toBe("Ada's mug");
    expect(next.picturesIn(only(next))).toHaveLength(1);
  });

  test("about the same picture and question counts instead of an earlier one", async () => {
    const lessons = openTab(createShelf());
    await lessons.keepExample(example);
    await lessons.keepExample({ ...example, answerId: "a2", answer: "A jug" });
    expect(cards(lessons)).toEqual(["corrections: What is this? A jug"]);
    await lessons.keepExample({ ...example, answerId: "a3", question: "What color is it?", answer: "Blue" });
    expect(cards(lessons)).toEqual(["corrections: What is this? A jug", "corrections: What color is it? Blue"]);
  });

  test("goes to a lesson that asks the same, beside the pictures of that answer", async () => {
    const { lessons, id, cat } = await begin();
    await lessons.give(id, loose(...pictures("a")), cat);
    expect(lessonsFor(lessons.get(), "what is this? ").map((lesson) => lesson.id)).toEqual([id]);
    expect(lessonsFor(lessons.get(), "How many?")).toEqual([]);
    await lessons.keepExample({ ...example, answer: "mimi" }, id);
    expect(shown(only(lessons))).toEqual(["Mimi: a.png mug.png", "Rex: "]);
    expect(correctionsId).not.toBe(id);
  });

  test("is about the picture of its question, or the one before it", () => {
    const user = (id: string, text: string, ...shown: readonly Picture[]): Turn => ({
      role: "user",
      id,
      text,
      pictures: shown,
    });
    const said = (id: string): Turn => ({ role: "assistant", id, text: "A jug", status: "done" });
    const turns = [
      user("q1", "Hi"),
      said("a1"),
      user("q2", "What is this?", picture),
      said("a2"),
      user("q3", "Whose?"),
      said("a3"),
    ];
    expect(askedOf(turns, "a1")).toEqual({ ok: false, why: "no-picture" });
    expect(askedOf(turns, "a2")).toEqual({ ok: true, question: "What is this?", picture });
    expect(askedOf(turns, "a3")).toEqual({ ok: true, question: "Whose?", picture });
    const two = [user("q1", "Which?", picture, { ...picture, id: "p2" }), said("a1")];
    expect(askedOf(two, "a1")).toEqual({ ok: false, why: "several-pictures" });
  });
});
