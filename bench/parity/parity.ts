// `npm run parity`: every LLaVA architecture in every layout, converted and run, beside what PyTorch computes. Fails when a row does.
import { measureParity, parityCases, passes } from "./parity-row.ts";

const columns = [20, 14, 9, 10, 6, 10, 10, 8, 10];
const line = (cells: readonly string[]): string => cells.map((cell, i) => cell.padEnd(columns[i] ?? 0)).join(" ");

console.log(
  line(["architecture", "layout", "prompts", "pixels", "ids", "features", "logits", "greedy", "at 4 bits", ""]),
);
let failed = 0;
for (const item of parityCases) {
  const row = await measureParity(item);
  const ok = passes(row);
  if (!ok) failed++;
  const yes = (value: boolean): string => (value ? "equal" : "differ");
  const cells = [item.architecture, item.layout, String(row.prompts), row.pixels.toExponential(1), yes(row.ids)];
  const more = [row.features.toExponential(1), row.logits.toExponential(1), yes(row.greedy)];
  console.log(line([...cells, ...more, `${Math.round(row.greedy4 * 100)} %`, ok ? "" : "FAILED"]));
}
if (failed > 0) {
  console.error(`${failed} of ${parityCases.length} rows differ from the reference`);
  process.exitCode = 1;
}
