// Rows of a bench as a table in Markdown, for terminals and documents.
import type { Spread } from "./measure.ts";
import type { Row } from "./plan.ts";

export const digits = (value: number): string =>
  Number.isFinite(value) ? value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0) : "–";
const spread = ({ median, low, high }: Spread): string => `${digits(median)} (${digits(low)}–${digits(high)})`;

const names = {
  first: "first question about a picture",
  next: "next question about it",
  again: "the same question again",
  describe: "describing a picture",
  context: "prompt of",
};
const figures = { firstTokenMs: "ms to the first token", decodeRate: "tokens/s" };

/** One line per row: medians with their ends, ratios pair by pair (above 1 ours is ahead), and the first answers that part. */
export function markdownOf(rows: readonly Row[]): string {
  const peers = [...new Set(rows.flatMap((row) => Object.keys(row.peers)))];
  const lines = rows.map(({ id, figure, promptTokens, ours, peers: found }) => {
    const what = id === "context" ? `${names.context} ${promptTokens ?? ""} tokens` : names[id];
    const cells = peers.flatMap((name) => {
      const one = found[name];
      return one ? [digits(one.spread.median), `${spread(one.ratio)} ×${one.parted ? " ≠" : ""}`] : ["", ""];
    });
    return [`${what}, ${figures[figure]}`, spread(ours), ...cells];
  });
  const header = ["What", "llava-web", ...peers.flatMap((name) => [name, "ahead by"])];
  const table = [header, header.map(() => "---"), ...lines].map((line) => `| ${line.join(" | ")} |`);
  const parted = rows.flatMap(({ id, promptTokens, peers: found }) =>
    Object.entries(found).flatMap(([name, { parted: two }]) => {
      if (!two) return [];
      return [`≠ ${id}${promptTokens ?? ""}: "${two.ours.slice(0, 80)}" / ${name}: "${two.theirs.slice(0, 80)}"`];
    }),
  );
  return [...table, ...(parted.length > 0 ? ["", ...new Set(parted)] : [])].join("\n");
}
