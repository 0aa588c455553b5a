// The lint rule that holds every import of src, bench and e2e against the table in imports.json: which room may import which, and
// where each npm package lives. It reads specifiers and paths only, no types and no files.
//
// A path is one below src ("engine/types.ts"), or from the project's folder on with a slash in front ("/bench/plan.ts").
import { readFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { posix } from "node:path";

/**
 * Rooms and their wings with what they may import as values and as types only; the same for what stands beside src; what everyone may
 * import; the files of src each npm package stays in. An entry that names a folder means all that is below it.
 */
export const table = JSON.parse(readFileSync(new URL("./imports.json", import.meta.url), "utf8"));

/** Whether a path is one that an entry of the table means: a room, a file, or a pattern with `*`. */
function matches(path, entry) {
  if (!/[*.]/.test(entry)) return path.startsWith(`${entry}/`);
  const pattern = entry.split("*").map((piece) => piece.replace(/[.+^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${pattern.join(".*")}$`).test(path);
}
const matchesAny = (path, entries) => entries.some((entry) => matches(path, entry));

/** What is wrong with an import of `specifier` in the file at `from`; undefined where nothing is. */
export function judgeImport(from, specifier, typesOnly) {
  const bare = specifier.replace(/[?].*$/, "");
  const beside = from.startsWith("/");
  if ((bare.split("/").includes("..") && !beside) || bare.startsWith("/") || bare.startsWith("file:"))
    return "Imports across folders are spelled #folder/file.ts.";
  if (bare.startsWith(".")) {
    const target = posix.join(posix.dirname(from), bare);
    if (target.startsWith("/src/")) return "Imports from src are spelled #folder/file.ts.";
    return judgeTarget(from, target, typesOnly);
  }
  if (bare.startsWith("#")) return judgeTarget(from, posix.normalize(bare.slice(1)), typesOnly);
  return isBuiltin(bare) || beside ? undefined : judgePackage(from, bare);
}

/** The room or wing that a path belongs to: the longest one that holds it. */
export function roomOf(path) {
  const holds = (room) => path === room || path.startsWith(`${room}/`) || (room.includes("*") && matches(path, room));
  return Object.keys({ ...table.rooms, ...table.beside })
    .filter(holds)
    .sort((a, b) => b.length - a.length)[0];
}

function judgeTarget(from, target, typesOnly) {
  const room = roomOf(from);
  const row = table.rooms[room] ?? table.beside[room];
  const shown = from.startsWith("/") ? room?.slice(1) : `src/${room}`;
  if (row === undefined) return `${posix.dirname(from)} has no row in scripts/imports.json.`;
  for (const [suffix, pickers] of Object.entries(table.adapters)) {
    if (target.endsWith(suffix) && !typesOnly && !from.startsWith("/") && !matchesAny(from, pickers))
      return `${target} is a host's adapter: only ${pickers.join(", ")} may pick it.`;
  }
  if (roomOf(target) === room || matchesAny(target, [...table.everywhere, ...row.values])) return undefined;
  if (!matchesAny(target, row.types)) return `${shown} may not import ${target} (see ARCHITECTURE.md).`;
  return typesOnly ? undefined : `${shown} may import only types from ${target}: write "import type".`;
}

function judgePackage(from, specifier) {
  const name = specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
  const homes = table.packages[name];
  if (homes === undefined) return `${name} has no home in scripts/imports.json: name the files that may import it.`;
  return matchesAny(from, homes) ? undefined : `${name} is only for ${homes.join(", ")}.`;
}

/** The rule; its one option is the path of the project. */
export const importTable = {
  meta: { type: "problem", schema: [{ type: "string" }], messages: { import: "{{problem}}" } },
  create(context) {
    const path = `/${posix.relative(context.options[0], context.filename.replaceAll("\\", "/"))}`;
    const from = path.startsWith("/src/") ? path.slice("/src/".length) : path;
    const check = (node, typesOnly) => {
      const specifier = node?.type === "TemplateLiteral" ? node.quasis[0]?.value.cooked : node?.value;
      if (typeof specifier !== "string") return;
      const problem = judgeImport(from, specifier, typesOnly);
      if (problem !== undefined) context.report({ node, messageId: "import", data: { problem } });
    };
    return {
      // `import { type A }` still runs the module, so only `import type` counts as types.
      ImportDeclaration: (node) => check(node.source, node.importKind === "type"),
      ExportNamedDeclaration: (node) => check(node.source, node.exportKind === "type"),
      ExportAllDeclaration: (node) => check(node.source, node.exportKind === "type"),
      ImportExpression: (node) => check(node.source, false),
      TSImportType: (node) => check(node.source ?? node.argument?.literal, true),
      TSExternalModuleReference: (node) => check(node.expression, false),
      // Workers and files that are found by their address.
      'NewExpression[callee.name="URL"][arguments.1.object.type="MetaProperty"]': (node) => {
        const [address] = node.arguments;
        if (typeof address?.value === "string" && /\.[cm]?[jt]sx?$/.test(address.value)) check(address, false);
      },
    };
  },
};
