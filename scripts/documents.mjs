// npm run documents: writes what the documents have from data. Each block stands between `<!-- NAME:begin -->` and `<!-- NAME:end -->`
// in README.md, ARCHITECTURE.md or a file of docs/; `npm run check` compares the blocks with what would be written.
//   map      the folders, with the lines of scripts/folders.json
//   imports  the import table, from scripts/imports.json and the same lines
//   zoo, zoo-sources, zoo-scores, zoo-parts    the model zoo, from src/zoo
//   speed, speed-all    the speed table, its medians or all of it, from docs/bench.json; `-- --bench FOLDER` makes that file of a bench's results first
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { root } from "./ensure.mjs";
import { table as importTable } from "./import-rule.mjs";
import { table } from "./markdown-table.mjs";
import { keepSpeed, readSpeed, shortSpeedTable, speedTable } from "./speed.mjs";
import { partTable, readZoo, scoreTable, sourceTable, zooTable } from "./zoo-table.mjs";

const block = /(<!-- ([\w-]+):begin -->\n)([\s\S]*?)(<!-- \2:end -->)/g;

/**
 * @typedef {Record<string, string>} Texts
 * @typedef {Record<string, { values: string[], types: string[] }>} Rooms
 * @typedef {{ top: string[], rooms: string[], lines: Texts, imports: Rooms, speed: import("./speed.mjs").Speed, zoo: import("./zoo-table.mjs").Zoo }} Facts
 */

/**
 * What the blocks are made from, as it is on the disk.
 * @returns {Promise<Facts>}
 */
export async function readFacts() {
  return {
    top: foldersIn("."),
    rooms: foldersIn("src"),
    lines: JSON.parse(readFileSync(join(root, "scripts", "folders.json"), "utf8")),
    imports: rowsByPath(),
    speed: readSpeed(),
    zoo: await readZoo(),
  };
}

/** The rows of the import table, by paths from the project's folder on. */
function rowsByPath() {
  const { rooms, beside } = importTable;
  return Object.fromEntries([
    ...Object.entries(rooms).map(([room, row]) => [`src/${room}`, row]),
    ...Object.entries(beside).map(([room, row]) => [room.slice(1), row]),
  ]);
}

/** The folders' names, without hidden ones and those that git ignores. */
function foldersIn(path) {
  const ignored = readFileSync(join(root, ".gitignore"), "utf8")
    .split("\n")
    .filter((line) => line.endsWith("/"))
    .map((line) => new RegExp(`^${line.slice(0, -1).replace("*", ".*")}$`));
  return readdirSync(join(root, path), { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith("."))
    .map(({ name }) => name)
    .filter((name) => !ignored.some((pattern) => pattern.test(name)));
}

/**
 * The blocks by name, and what is wrong with the facts.
 * @param {Facts} facts
 * @returns {{ problems: string[], blocks: Texts }}
 */
export function makeBlocks({ top, rooms, lines, imports, speed, zoo }) {
  const paths = [...top, ...rooms.map((name) => `src/${name}`), ...Object.keys(imports)];
  const problems = [
    ...[...new Set(paths)]
      .filter((path) => !(path in lines))
      .map((path) => `scripts/folders.json: no line for ${path}`),
    ...Object.keys(lines)
      .filter((path) => !paths.includes(path))
      .map((path) => `scripts/folders.json: ${path} is no folder, nor has it a row in scripts/imports.json`),
  ];
  return {
    problems,
    blocks: {
      map: mapOf(top, rooms, lines),
      imports: importsOf(imports, lines),
      speed: shortSpeedTable(speed),
      "speed-all": speedTable(speed),
      zoo: zooTable(zoo),
      "zoo-sources": sourceTable(zoo),
      "zoo-scores": scoreTable(zoo),
      "zoo-parts": partTable(zoo),
    },
  };
}

function mapOf(top, rooms, lines) {
  const entries = top.flatMap((name) => [
    [`${name}/`, lines[name]],
    ...(name === "src" ? rooms.map((room) => [`  ${room}/`, lines[`src/${room}`]]) : []),
  ]);
  const width = Math.max(...entries.map(([name]) => name.length)) + 2;
  const plain = (line = "") => line.replaceAll("`", "");
  return ["```", ...entries.map(([name, line]) => `${name.padEnd(width)}${plain(line)}`), "```"].join("\n");
}

function importsOf(imports, lines) {
  const shown = (entry) => (/[.*]/.test(entry) ? `\`${entry.replace(/^\//, "")}\`` : entry.replace(/^\//, ""));
  const cell = (entries) => (entries.length === 0 ? "–" : entries.map(shown).join(", "));
  return table(
    ["Folder", "Holds", "May import", "Types only from"],
    Object.entries(imports).map(([path, { values, types }]) => [
      `\`${path}\``,
      lines[path] ?? "",
      cell(values),
      cell(types),
    ]),
  );
}

/**
 * The document's text with its blocks made anew.
 * @param {string} text
 * @param {Texts} blocks
 * @returns {string}
 */
export function withBlocks(text, blocks) {
  return text.replace(block, (whole, begin, name, _, end) =>
    name in blocks ? `${begin}\n${blocks[name]}\n\n${end}` : whole,
  );
}

/**
 * What is stale or missing in documents (texts by path), a line each.
 * @param {Texts} documents
 * @param {Texts} blocks
 * @returns {string[]}
 */
export function judgeDocuments(documents, blocks) {
  const found = Object.entries(documents).flatMap(([path, text]) =>
    [...text.matchAll(block)].map(([whole, , name]) => ({ path, name, whole, fresh: withBlocks(whole, blocks) })),
  );
  const problems = found.flatMap(({ path, name, whole, fresh }) => {
    if (!(name in blocks)) return [`${path}: nothing makes a block "${name}"`];
    return whole === fresh ? [] : [`${path}: the block "${name}" is stale: run npm run documents`];
  });
  const homeless = Object.keys(blocks).filter((name) => !found.some((one) => one.name === name));
  return [...problems, ...homeless.map((name) => `no document has the block "${name}"`)];
}

/**
 * README, ARCHITECTURE and the other documents, by path.
 * @returns {Texts}
 */
export function readDocuments() {
  const markdown = (folder) => readdirSync(join(root, folder)).filter((name) => name.endsWith(".md"));
  const paths = [...markdown("."), ...markdown("docs").map((name) => `docs/${name}`)];
  return Object.fromEntries(paths.map((path) => [path, readFileSync(join(root, path), "utf8")]));
}

/** What is wrong with the documents, a line each. */
export async function findProblems() {
  const { problems, blocks } = makeBlocks(await readFacts());
  return [...problems, ...judgeDocuments(readDocuments(), blocks)];
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const at = process.argv.indexOf("--bench");
  if (at > 0) keepSpeed(resolve(process.argv[at + 1] ?? "bench-results"));
  const { blocks } = makeBlocks(await readFacts());
  for (const [path, text] of Object.entries(readDocuments())) {
    const fresh = withBlocks(text, blocks);
    if (fresh !== text) writeFileSync(join(root, path), fresh);
  }
  const problems = await findProblems();
  for (const problem of problems) console.error(problem);
  process.exitCode = problems.length === 0 ? 0 : 1;
}
