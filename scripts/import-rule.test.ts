// The import table is enforced: forbidden imports are planted in a file of every room, and the project's own lint must refuse them.
import { readFileSync } from "node:fs";
import { ESLint } from "eslint";
import tseslint from "typescript-eslint";
import * as v from "valibot";
import { describe, expect, test } from "vitest";

const root = new URL("../", import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, root), "utf8");
const names = v.array(v.string());
const Table = v.object({
  everywhere: names,
  rooms: v.record(v.string(), v.object({ values: names, types: names })),
  adapters: v.record(v.string(), names),
  packages: v.record(v.string(), names),
});
const table = v.parse(Table, JSON.parse(read("scripts/imports.json")));
const rooms = Object.keys(table.rooms);

// The project's configuration without the rules that need types, which take seconds and have no say here.
const eslint = new ESLint({ cwd: root.pathname, overrideConfig: [tseslint.configs.disableTypeChecked] });

/** What lint says of a line in a file of src. */
async function refusals(file: string, line: string): Promise<string[]> {
  const [result] = await eslint.lintText(`${line}\n`, { filePath: `src/${file}` });
  return (result?.messages ?? [])
    .filter(({ ruleId, severity }) => (ruleId === "llava/import-table" && severity === 2) || ruleId === null)
    .map(({ message }) => message);
}

const fileIn = (room: string): string => (room.includes(".") ? room : `${room}/planted.ts`);
/** A file that an entry of the table lets through. */
const targetOf = (entry: string): string => (entry.includes(".") ? entry : `${entry}/some-file.ts`);

describe.each(rooms)("of src/%s", (room) => {
  const row = table.rooms[room] ?? { values: [], types: [] };
  const others = rooms.filter((other) => other !== room && !other.includes("."));
  const open = (other: string): boolean =>
    [...row.values, ...row.types].some((entry) => other === entry || other.startsWith(`${entry}/`));
  const closed = others.filter((other) => !open(other));
  const typesOnly = row.types.map(targetOf);

  test("imports of rooms that its row does not name are refused, in every way to write them", async () => {
    for (const target of closed.map(targetOf)) {
      for (const line of [
        `import { a } from "#${target}";`,
        `import type { A } from "#${target}";`,
        `import "#${target}";`,
        `export { a } from "#${target}";`,
        `export type { A } from "#${target}";`,
        `export * from "#${target}";`,
        `const a = await import("#${target}");`,
        `const a = await import(\`#${target}\`);`,
        `type A = import("#${target}").A;`,
        `import { a } from "#${target}?raw";`,
        `import { a } from "#./${target}";`,
        `const worker = new Worker(new URL("../${target}", import.meta.url));`,
      ])
        expect(await refusals(fileIn(room), line), line).toHaveLength(1);
    }
  });

  test("values are refused where its row has types only", async () => {
    for (const target of typesOnly) {
      expect(await refusals(fileIn(room), `import type { A } from "#${target}";`), target).toEqual([]);
      for (const line of [
        `import { a } from "#${target}";`,
        `import { type A } from "#${target}";`,
        `export * from "#${target}";`,
        `const a = await import("#${target}");`,
      ])
        expect(await refusals(fileIn(room), line), line).toHaveLength(1);
    }
  });

  test("what its row names may be imported", async () => {
    for (const target of [...row.values, ...table.everywhere].map(targetOf)) {
      const adapter = Object.keys(table.adapters).some((suffix) => target.endsWith(suffix));
      if (!adapter) expect(await refusals(fileIn(room), `import { a } from "#${target}";`), target).toEqual([]);
    }
  });

  test("../ is refused, at the start and within", async () => {
    for (const path of ["../engine/types.ts", "./../engine/types.ts", "#engine/../ui/App.tsx", "/src/ui/app/App.tsx"])
      expect(await refusals(fileIn(room), `import type { A } from "${path}";`), path).toHaveLength(1);
  });

  test("an npm package is refused outside its home, as a value and as a type", async () => {
    const file = fileIn(room);
    for (const [name, homes] of Object.entries(table.packages)) {
      if (homes.some((home) => home === "*" || home === room || room.startsWith(`${home}/`))) continue;
      for (const line of [
        `import { a } from "${name}";`,
        `import type { A } from "${name}";`,
        `import { a } from "${name}/deeper";`,
        `const a = await import("${name}");`,
      ])
        expect(await refusals(file, line), `${file}: ${line}`).toHaveLength(1);
    }
    expect(await refusals(file, 'import { a } from "a-package-without-home";')).toHaveLength(1);
  });
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
  expect(await refusals("worker/host.ts", 'import { a } from "#engine/picture/decode.web.ts";')).toHaveLength(1);
  expect(await refusals("engine/model/model.ts", 'import { a } from "./runtime.node.ts";')).toHaveLength(1);
  expect(await refusals("engine/model/model.ts", 'import type { A } from "./runtime.node.ts";')).toEqual([]);
  expect(await refusals("worker/worker.ts", 'import { a } from "#engine/picture/decode.web.ts";')).toEqual([]);
});
