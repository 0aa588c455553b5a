// npm run house [-- CHECKOUT]: files and lines per folder, the longest files and functions, and how many exports nothing uses (by
// knip, with that checkout's knip.json), as tables in Markdown. Generated kernels and tests' data do not count.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { ensureInstalled, root } from "./ensure.mjs";
import { table } from "./markdown-table.mjs";

await ensureInstalled();
const { default: ts } = await import("typescript");
const checkout = resolve(process.argv[2] ?? root);
const shown = 15;

const git = (...args) => spawnSync("git", args, { cwd: checkout, encoding: "utf8", maxBuffer: 2 ** 26 }).stdout;
const files = git("ls-files", "src", "bench", "e2e", "scripts", "kernels")
  .split("\n")
  .filter((path) => /\.(ts|tsx|mjs|css)$/.test(path) && !/-kernel\.ts$/.test(path))
  .map((path) => {
    const text = readFileSync(join(checkout, path), "utf8");
    return { path, text, lines: text.split("\n").length - 1, test: /\.(test|spec)\.tsx?$/.test(path) };
  });

const folders = grouped(files);
const rows = [...folders].toSorted(([a], [b]) => a.localeCompare(b));
const count = (list) => `${list.length} files, ${sum(list)} lines`;
console.log(
  table(
    ["Folder", "Code", "Tests", "Longest file"],
    rows.map(([folder, list]) => {
      const code = list.filter(({ test }) => !test);
      const longest = code.toSorted((a, b) => b.lines - a.lines)[0];
      const name = longest ? `${longest.path.slice(folder.length + 1)}, ${longest.lines}` : "";
      return [folder, count(code), count(list.filter(({ test }) => test)), name];
    }),
  ),
);

const code = files.filter(({ test, path }) => !test && !path.endsWith(".css"));
const functions = code.flatMap(functionsOf).toSorted((a, b) => b.lines - a.lines);
console.log(
  `\nIn all: code ${count(code)}; functions over 80 lines: ${functions.filter(({ lines }) => lines > 80).length}.\n`,
);
const longestFiles = code.toSorted((a, b) => b.lines - a.lines).slice(0, shown);
console.log(
  table(
    ["Longest files", "Lines"],
    longestFiles.map(({ path, lines }) => [path, String(lines)]),
  ),
);
console.log();
console.log(
  table(
    ["Longest functions", "Lines"],
    functions.slice(0, shown).map(({ name, lines }) => [name, String(lines)]),
  ),
);
console.log(`\nUnused: ${unused()}.`);

function byFolder({ path }) {
  return dirname(path);
}

function grouped(list) {
  const groups = new Map();
  for (const file of list) groups.set(byFolder(file), [...(groups.get(byFolder(file)) ?? []), file]);
  return groups;
}

function sum(list) {
  return list.reduce((total, { lines }) => total + lines, 0);
}

/** Functions with a name of their own or of what they are given to, with their lines. */
function functionsOf({ path, text }) {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const found = [];
  const visit = (node) => {
    if (ts.isFunctionLike(node) && node.body) {
      const line = (at) => source.getLineAndCharacterOfPosition(at).line;
      const name = node.name ?? (ts.isVariableDeclaration(node.parent) ? node.parent.name : undefined);
      found.push({
        name: `${path}: ${name?.getText() ?? `line ${line(node.getStart()) + 1}`}`,
        lines: line(node.end) - line(node.getStart()) + 1,
      });
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

function unused() {
  const knip = join(root, "node_modules", "knip", "bin", "knip.js");
  const { stdout } = spawnSync(process.execPath, [knip, "--reporter", "json", "--no-exit-code"], {
    cwd: checkout,
    encoding: "utf8",
    maxBuffer: 2 ** 26,
  });
  const { issues } = JSON.parse(stdout);
  const many = (kind) => issues.reduce((total, issue) => total + (issue[kind]?.length ?? 0), 0);
  return `${many("exports") + many("nsExports")} exports, ${many("types") + many("nsTypes")} types, ${many("files")} files, ${many("dependencies") + many("devDependencies")} packages`;
}
