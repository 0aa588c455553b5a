import { expect, test } from "vitest";
import { groupByFolder } from "./given-pictures.ts";

const given = (...paths: readonly string[]): [string, File][] =>
  paths.map((path) => [
    path,
    new File(["x"], path.split("/").at(-1) ?? "", { type: path.endsWith(".txt") ? "text/plain" : "" }),
  ]);
const namesIn = (...paths: readonly string[]): (readonly [string | undefined, string])[] =>
  groupByFolder(given(...paths)).map(({ answer, files }) => [answer, files.map(({ name }) => name).join(" ")] as const);

test("each folder is a thing, whatever it lies in", () => {
  expect(namesIn("train/my_cat-Mimi/1.jpg", "train/Momo/a.PNG", "train/Momo/b.webp")).toEqual([
    ["my cat Mimi", "1.jpg"],
    ["Momo", "a.PNG b.webp"],
  ]);
});

test("loose files, and folders that name nothing, belong to no thing", () => {
  expect(namesIn("1.jpg", "2.jpg")).toEqual([[undefined, "1.jpg 2.jpg"]]);
  expect(namesIn("images/1.jpg", "100APPLE/2.jpg")).toEqual([[undefined, "1.jpg 2.jpg"]]);
});

test("in folders everything but pictures is left out; a loose file that is no picture is told of", () => {
  expect(namesIn("Mimi/1.jpg", "Mimi/notes.txt", "Mimi/.DS_Store", "Mimi/Thumbs.db", "__MACOSX/Mimi/2.jpg")).toEqual([
    ["Mimi", "1.jpg"],
  ]);
  expect(namesIn("notes.txt")).toEqual([[undefined, "notes.txt"]]);
});
