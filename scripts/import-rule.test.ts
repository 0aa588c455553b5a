// The import table is enforced: forbidden imports are planted in a file of every room, and the project's own lint must refuse them.
import { readFileSync } from "node:fs";
import { ESLint } from "eslint";
import tseslint from "typescript-eslint";
import * as v from "valibot";
import { describe, expect, test } from "vitest";

const root = new URL("../", import.meta.url);
const names = v.array(v.string());
const Rows = v.record(v.string(), v.object({ values: names, types: names }));
const Table = v.object({
  everywhere: names,
  rooms: Rows,
  beside: Rows,
  adapters: v.record(v.string(), names),
  packages: v.record(v.string(), names),
});
const table = v.parse(Table, JSON.parse(readFileSync(new URL("imports.json", import.meta.url), "utf8")));
const rooms = Object.keys(table.rooms);

// The project's configuration without the rules that need types, which take seconds and have no say here.
const eslint = new ESLint({ cwd: root.pathname, overrideConfig: [tseslint.configs.disableTypeChecked] });

/** How many refusals each of these lines gets in a file of the project. */
async function countRefusals(file: string, lines: readonly string[]): Promise<number[]> {
  const [result] = await eslint.lintText(lines.join("\n"), { filePath: file });
  const counted = (result?.messages ?? []).filter(
    ({ ruleId, severity }) => (ruleId === "llava/import-table" && severity === 2) || ruleId === null,
  );
  return lines.map((_, at) => counted.filter(({ line }) => line === at + 1).length);
}

/** The lines that lint does not refuse, which should be none. */
async function accepted(file: string, lines: readonly string[]): Promise<string[]> {
  const counts = await countRefusals(file, lines);
  return lines.filter((_, at) => counts[at] !== 1);
}

/** The lines that lint refuses. */
async function refused(file: string, lines: readonly string[]): Promise<string[]> {
  const counts = await countRefusals(file, lines);
  return lines.filter((_, at) => counts[at] !== 0);
}

const fileIn = (room: string): string => (room.includes(".") ? `src/${room}` : `src/${room}/planted.ts`);
/** A file that an entry of the table lets through. */
const targetOf = (entry: string): string => (entry.includes(".") ? entry : `${entry}/some-file.ts`);

/** The ways to import a file of another room. A room tries each way on some of the others, with --long on all of them. */
const ways: readonly ((target: string) => string)[] = [
  (target) => `import { a } from "#${target}";`,
  (target) => `import type { A } from "#${target}";`,
  (target) => `import "#${target}";`,
  (target) => `export { a } from "#${target}";`,
  (target) => `export type { A } from "#${target}";`,
  (target) => `export * from "#${target}";`,
  (target) => `const a = await import("#${target}");`,
  (target) => `const a = await import(\`#${target}\`);`,
  (target) => `type A = import("#${target}").A;`,
  (target) => `import { a } from "#${target}?raw";`,
  (target) => `import { a } from "#./${target}";`,
  (target) => `const worker = new Worker(new URL("../${target}", import.meta.url));`,
];
const isLong = process.env["LLAVA_LONG_TESTS"] !== undefined;

describe.each(rooms)("of src/%s", (room) => {
  const row = table.rooms[room] ?? { values: [], types: [] };
  const others = rooms.filter((other) => other !== room && !other.includes("."));
  const open = (other: string): boolean =>
    [...row.values, ...row.types].some((entry) => other === entry || other.startsWith(`${entry}/`));
  const closed = others.filter((other) => !open(other));
  const typesOnly = row.types.map(targetOf);

  test("imports of rooms that its row does not name are refused, in every way to write them", async () => {
    const lines = closed
      .map(targetOf)
      .flatMap((target, at) => ways.filter((_, way) => isLong || way === at % ways.length).map((way) => way(target)));
    expect(await accepted(fileIn(room), lines)).toEqual([]);
  });

  test("values are refused where its row has types only", async () => {
    const types = typesOnly.map((target) => `import type { A } from "#${target}";`);
    expect(await refused(fileIn(room), types)).toEqual([]);
    const values = typesOnly.flatMap((target) => [
      `import { a } from "#${target}";`,
      `import { type A } from "#${target}";`,
      `export * from "#${target}";`,
      `const a = await import("#${target}");`,
    ]);
    expect(await accepted(fileIn(room), values)).toEqual([]);
  });

  test("what its row names may be imported", async () => {
    const targets = [...row.values, ...table.everywhere].map(targetOf);
    const isAdapter = (target: string): boolean =>
      Object.keys(table.adapters).some((suffix) => target.endsWith(suffix));
    const lines = targets.filter((target) => !isAdapter(target)).map((target) => `import { a } from "#${target}";`);
    expect(await refused(fileIn(room), lines)).toEqual([]);
  });

  test("../ is refused, at the start and within", async () => {
    const paths = ["../engine/types.ts", "./../engine/types.ts", "#engine/../ui/App.tsx", "/src/ui/app/App.tsx"];
    const lines = [...paths, "../../bench/plan.ts"].map((path) => `import type { A } from "${path}";`);
    expect(await accepted(fileIn(room), lines)).toEqual([]);
  });

  test("an npm package is refused outside its home, as a value and as a type", async () => {
    const away = Object.entries(table.packages).filter(
      ([, homes]) => !homes.some((home) => home === "*" || home === room || room.startsWith(`${home}/`)),
    );
    const lines = away.flatMap(([name]) => [
      `import { a } from "${name}";`,
      `import type { A } from "${name}";`,
      `import { a } from "${name}/deeper";`,
      `const a = await import("${name}");`,
    ]);
    lines.push('import { a } from "a-package-without-home";');
    expect(await accepted(fileIn(room), lines)).toEqual([]);
  });
});

test("src/testing is for tests and benches alone: no file of the application may import it", async () => {
  const lines = ['import { a } from "#testing/fixtures.ts";', 'import type { A } from "#testing/store-contract.ts";'];
  for (const room of rooms.filter((room) => room !== "testing"))
    expect(await accepted(fileIn(room), lines), room).toEqual([]);
  for (const file of [
    "src/engine/planted.test.ts",
    "bench/planted.ts",
    "e2e/planted.spec.ts",
    "src/testing/planted.ts",
  ])
    expect(await refused(file, lines), file).toEqual([]);
});

test("benches and browser tests import what they are for, and nothing above it", async () => {
  const lines = (...targets: string[]): string[] => targets.map((target) => `import { a } from "${target}";`);
  expect(
    await refused("bench/page/planted.ts", lines("#engine/engine.ts", "../plan.ts", "../../e2e/support/bundle.ts")),
  ).toEqual([]);
  expect(
    await accepted(
      "bench/page/planted.ts",
      lines("#ui/app/App.tsx", "#main.tsx", "../../src/engine/engine.ts", "../../e2e/planted.spec.ts"),
    ),
  ).toEqual([]);
  // A browser test sees the page from outside; the pages it opens for parts of the app import those.
  expect(
    await accepted("e2e/engine/planted.spec.ts", lines("#ui/app/App.tsx", "#engine/engine.ts", "../../bench/plan.ts")),
  ).toEqual([]);
  expect(
    await refused("e2e/engine/planted-page.ts", lines("#engine/engine.ts", "#engine/picture/decode.web.ts")),
  ).toEqual([]);
  expect(
    await accepted(
      "e2e/support/planted.ts",
      lines("#engine/engine.ts", "../../bench/plan.ts", "../chat/planted.spec.ts"),
    ),
  ).toEqual([]);
});

test("no arrow runs back up: what a room may import never leads back to it", () => {
  const leaf = (entry: string): boolean => entry.includes(".") || entry === "everywhere";
  const below = (room: string): string[] => {
    const row = table.rooms[room] ?? { values: [], types: [] };
    const entries = row.values.filter((entry) => !leaf(entry));
    return rooms.filter((other) => entries.some((entry) => other === entry || other.startsWith(`${entry}/`)));
  };
  for (const room of rooms) {
    const reached = new Set<string>();
    const queue = below(room);
    for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
      if (reached.has(next)) continue;
      reached.add(next);
      queue.push(...below(next));
    }
    expect([...reached], `src/${room} leads back to itself`).not.toContain(room);
  }
});

test("adapters of a host are picked by entry points only", async () => {
  const decoder = 'import { a } from "#engine/picture/decode.web.ts";';
  expect(await accepted("src/worker/inference/host.ts", [decoder])).toEqual([]);
  expect(await accepted("src/engine/model/model.ts", ['import { a } from "./runtime.node.ts";'])).toEqual([]);
  expect(await refused("src/engine/model/model.ts", ['import type { A } from "./runtime.node.ts";'])).toEqual([]);
  expect(await refused("src/worker/inference/worker.ts", [decoder])).toEqual([]);
});
