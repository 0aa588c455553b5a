// Counts right answers by kind of question and compares them with their floors. Knows no model.

/** One question, answered by the package and by the fp32 checkpoint. */
export interface Result {
  readonly kind: string;
  readonly style: string;
  readonly packageRight: boolean;
  readonly referenceRight: boolean;
}

/** Percentages of right answers, 0 to 100; `held` only where there is a floor. */
interface Row {
  readonly name: string;
  readonly n: number;
  readonly package: number;
  readonly fp32: number;
  readonly floor?: number;
  readonly held?: boolean;
}

export interface Table {
  readonly rows: readonly Row[];
  /** Percentage points that quantization costs over all questions about known styles. */
  readonly cost: number;
  /** Whether every floor holds and the cost is at most one point. */
  readonly passed: boolean;
}

const floors: ReadonlyMap<string, number> = new Map([
  ["colour", 95],
  ["yesno", 93],
  ["place", 93],
  ["count", 90],
  ["naming", 80],
  ["word", 70],
]);
const floorOfAll = 87;
const largestCost = 1;

/** Rows for the known styles by kind, then for all of them, then for what has no floor: random strings and the unseen style. */
export function makeTable(results: readonly Result[]): Table {
  const known = results.filter(({ style }) => style === "known");
  const others = [...new Set(known.map(({ kind }) => kind))].filter((kind) => !floors.has(kind) && kind !== "string");
  const kindRow = (kind: string, floor?: number): Row =>
    makeRow(
      kind,
      known.filter((result) => result.kind === kind),
      floor,
    );
  const all = makeRow(
    "all, known styles",
    known.filter(({ kind }) => kind !== "string"),
    floorOfAll,
  );
  const rows = [
    ...[...floors].map(([kind, floor]) => kindRow(kind, floor)),
    ...others.sort().map((kind) => kindRow(kind)),
    all,
    kindRow("string"),
    makeRow(
      "unseen style",
      results.filter(({ style }) => style !== "known"),
    ),
    makeRow("everything", results),
  ];
  const cost = all.fp32 - all.package;
  return { rows, cost, passed: rows.every(({ held }) => held !== false) && cost <= largestCost };
}

function makeRow(name: string, results: readonly Result[], floor?: number): Row {
  const n = results.length;
  const share = (right: number): number => (n === 0 ? 0 : (100 * right) / n);
  const row = {
    name,
    n,
    package: share(results.filter(({ packageRight }) => packageRight).length),
    fp32: share(results.filter(({ referenceRight }) => referenceRight).length),
  };
  return floor === undefined ? row : { ...row, floor, held: row.package >= floor };
}

/** The table as text for a terminal. */
export function formatTable({ rows, cost, passed }: Table): string {
  const line = (name: string, ...cells: readonly string[]): string =>
    (name.padEnd(20) + cells.map((cell) => cell.padStart(10)).join("")).trimEnd();
  const body = rows.map((row) =>
    line(
      row.name,
      String(row.n),
      row.package.toFixed(1),
      row.fp32.toFixed(1),
      row.floor === undefined ? "" : String(row.floor),
      row.held === undefined ? "" : row.held ? "held" : "MISSED",
    ),
  );
  const verdict = passed ? "All floors hold." : "Not all floors hold.";
  return [
    line("kind", "n", "package %", "fp32 %", "floor", ""),
    ...body,
    `4 bits cost ${cost.toFixed(1)} points (at most ${largestCost}). ${verdict}`,
  ].join("\n");
}
