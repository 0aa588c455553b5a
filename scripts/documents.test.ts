// The made parts of the documents: they are what the data says now, and a change of either side is told.
import { expect, test } from "vitest";
import { judgeDocuments, makeBlocks, readDocuments, readFacts } from "./documents.mjs";

const facts = await readFacts();
const { blocks, problems } = makeBlocks(facts);
const documents = readDocuments();

test("the documents are fresh, and every folder and room has its line", () => {
  expect(problems).toEqual([]);
  expect(judgeDocuments(documents, blocks)).toEqual([]);
});

test("a README whose map is stale is told", () => {
  const text = documents["README.md"] ?? "";
  for (const stale of [text.replace(/^ {2}chat\/.*\n/m, ""), text.replace(/^training\/ +makes/m, "training/  made")]) {
    expect(stale).not.toBe(text);
    expect(judgeDocuments({ ...documents, "README.md": stale }, blocks)).toEqual([
      'README.md: the block "map" is stale: run npm run documents',
    ]);
  }
});

test("a README whose speed table is stale is told, when its figures change and when the bench's do", () => {
  const stale = (documents["README.md"] ?? "").replace("37.2 ×", "38.2 ×");
  const told = ['README.md: the block "speed" is stale: run npm run documents'];
  expect(judgeDocuments({ ...documents, "README.md": stale }, blocks)).toEqual(told);
  const later = makeBlocks({ ...facts, speed: { ...facts.speed, date: "2031-01-01" } });
  expect(judgeDocuments(documents, later.blocks)).toContain(told[0]);
});

test("an import table that is not the one lint enforces is told", () => {
  const rooms = { ...facts.imports, "src/zoo": { values: ["ui"], types: [] } };
  expect(judgeDocuments(documents, makeBlocks({ ...facts, imports: rooms }).blocks)).toEqual([
    'ARCHITECTURE.md: the block "imports" is stale: run npm run documents',
  ]);
});

test("a folder without a line, and a line without a folder, are told", () => {
  expect(makeBlocks({ ...facts, top: [...facts.top, "attic"] }).problems).toEqual([
    "scripts/folders.json: no line for attic",
  ]);
  expect(makeBlocks({ ...facts, lines: { ...facts.lines, "src/attic": "old things" } }).problems).toEqual([
    "scripts/folders.json: src/attic is no folder, nor has it a row in scripts/imports.json",
  ]);
});

test("a block that no document has is told, and one that nothing makes", () => {
  const without = {
    ...documents,
    "README.md": (documents["README.md"] ?? "").replaceAll("<!-- map:", "<!-- plan:"),
  };
  expect(judgeDocuments(without, blocks)).toEqual([
    'README.md: nothing makes a block "plan"',
    'no document has the block "map"',
  ]);
});

test("a zoo table that is not what the zoo says is told", () => {
  const stale = (documents["docs/models.md"] ?? "").replace("| LLaVA 1.5 7B ", "| LLaVA 1.5 8B ");
  expect(judgeDocuments({ ...documents, "docs/models.md": stale }, blocks)).toEqual([
    'docs/models.md: the block "zoo" is stale: run npm run documents',
  ]);
});
