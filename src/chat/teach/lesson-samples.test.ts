import { expect, test } from "vitest";
import type { Conversation, Picture } from "#chat/conversation/conversation.ts";
import { contentHash } from "#chat/content-hash.ts";
import { toLesson } from "./lesson-samples.ts";

let ids = 0;
const options = { name: "pets", hash: contentHash, newId: () => `id ${++ids}`, now: 7 };
const picture = (name: string): Picture => ({ id: name, name, blob: new Blob([`bytes of ${name}`]) });
const sample = (id: string, pictures: readonly Picture[], ...words: readonly string[]): Conversation => ({
  id,
  turns: words.map((text, index) =>
    index % 2 === 0
      ? { role: "user", id: `${id} ${index}`, text, pictures: index === 0 ? pictures : [] }
      : { role: "assistant", id: `${id} ${index}`, text, status: "done" },
  ),
});

test("samples with one question become a lesson of things, one card for each answer", async () => {
  const found = await toLesson(
    [
      sample("1", [picture("a")], "What is this?", "Mimi"),
      sample("2", [picture("b")], "what is this?", "Rex"),
      sample("3", [picture("c")], "What is this?", "mimi "),
      // The same bytes once more.
      sample("4", [picture("a")], "What is this?", "Mimi"),
    ],
    options,
  );
  expect(found?.lesson).toMatchObject({ name: "pets", kind: "things", question: "What is this?", createdAt: 7 });
  expect(
    found?.lesson.cards.map((card) => [card.question, card.answer, card.pictures.map(({ name }) => name)]),
  ).toEqual([
    ["", "Mimi", ["a", "c"]],
    ["", "Rex", ["b"]],
  ]);
  expect(found?.leftOut).toBe(0);
});

test("several questions make a free lesson; later ones are about the earlier picture; what has no single picture is left out", async () => {
  const found = await toLesson(
    [
      sample("1", [picture("a")], "What is this?", "Mimi", "What color is she?", "Gray"),
      sample("2", [], "Who are you?", "A model"),
      sample("3", [picture("a"), picture("b")], "Which is larger?", "The second"),
      sample("4", [picture("c")], "What is this?"),
    ],
    options,
  );
  expect(found?.lesson.kind).toBe("free");
  expect(found?.lesson.cards.map((card) => [card.question, card.answer])).toEqual([
    ["What is this?", "Mimi"],
    ["What color is she?", "Gray"],
  ]);
  expect(found?.leftOut).toBe(3);
  expect(await toLesson([sample("2", [], "Who are you?", "A model")], options)).toBeUndefined();
});
