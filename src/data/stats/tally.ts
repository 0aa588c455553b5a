// Whole numbers counted one by one, and frequent texts counted in bounded memory. Knows no conversation.

/** How often each number occurred. */
export class Tally {
  private readonly counts = new Map<number, number>();
  total = 0;
  private sum = 0;

  add(value: number): void {
    this.counts.set(value, (this.counts.get(value) ?? 0) + 1);
    this.total++;
    this.sum += value;
  }

  /** Mean, quantiles and a histogram; undefined where nothing was counted. */
  summary(edges: readonly number[]): TallySummary | undefined {
    if (this.total === 0) return undefined;
    const sorted = [...this.counts].sort(([a], [b]) => a - b);
    const quantile = (share: number): number => {
      let seen = 0;
      for (const [value, count] of sorted) if ((seen += count) >= share * this.total) return value;
      return sorted.at(-1)?.[0] ?? 0;
    };
    const bins = edges.map((from, at): Bin => {
      const to = (edges[at + 1] ?? Infinity) - 1;
      const count = sorted.reduce((sum, [value, times]) => sum + (value >= from && value <= to ? times : 0), 0);
      return { from, to, count };
    });
    // Empty bins at the ends say nothing.
    const first = bins.findIndex(({ count }) => count > 0);
    const last = bins.findLastIndex(({ count }) => count > 0);
    return {
      total: this.total,
      mean: this.sum / this.total,
      median: quantile(0.5),
      p90: quantile(0.9),
      p99: quantile(0.99),
      least: sorted[0]?.[0] ?? 0,
      most: sorted.at(-1)?.[0] ?? 0,
      bins: bins.slice(first, last + 1),
    };
  }
}

/** Counts from `from` to `to`, both included; `to` is Infinity in the last one. */
interface Bin {
  readonly from: number;
  readonly to: number;
  readonly count: number;
}

export interface TallySummary {
  readonly total: number;
  readonly mean: number;
  readonly median: number;
  readonly p90: number;
  readonly p99: number;
  readonly least: number;
  readonly most: number;
  readonly bins: readonly Bin[];
}

const mostTexts = 50_000;

/** Counts texts; where there are more than 50,000 different ones, the rare ones are forgotten and the counts are lower bounds. */
export class TextTally {
  private counts = new Map<string, number>();
  total = 0;

  add(text: string): void {
    this.total++;
    this.counts.set(text, (this.counts.get(text) ?? 0) + 1);
    if (this.counts.size <= mostTexts) return;
    const kept = [...this.counts].sort((a, b) => b[1] - a[1]).slice(0, mostTexts / 2);
    this.counts = new Map(kept);
  }

  top(number: number): { readonly text: string; readonly count: number }[] {
    return [...this.counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).slice(0, number).map(([text, count]) => ({ text, count })); // prettier-ignore
  }
}
