// One benchmark's report: the figures of one or several models side by side, how sure they are, and what does not fit. As data, as Markdown, and as
// lines for a terminal.
import { fixed } from "#eval/files/python.ts";
import type { Figure, ModelOutcome, Scorer } from "#eval/scorers/outcome.ts";
import { compare, intervals, type Comparison, type Draws, type Interval } from "./bootstrap.ts";

interface ReportedFigure extends Figure {
  /** As the original prints it. */
  readonly printed: string;
  readonly interval?: Interval | undefined;
  /** What --strict gives, where it was asked for. */
  readonly strict?: number | undefined;
}

interface ModelReport {
  readonly model: string;
  readonly file: string;
  readonly figures: readonly ReportedFigure[];
  readonly notes: readonly string[];
  /** What the strict scorer remarks. */
  readonly strictNotes?: readonly string[] | undefined;
  /** Beside the first model. */
  readonly comparison?: Comparison | undefined;
}

export interface Report {
  readonly benchmark: string;
  readonly models: readonly ModelReport[];
  readonly draws: Draws;
  /** What strict scoring does differently, where it was asked for. */
  readonly repairs?: readonly string[] | undefined;
}

export interface ScoredFile {
  readonly file: string;
  readonly published: ModelOutcome;
  readonly strict?: ModelOutcome | undefined;
}

/** The report; models are named after their files where two have one name. */
export function makeReport(scorer: Scorer, scored: readonly ScoredFile[], draws: Draws): Report {
  const [first] = scored;
  const names = scored.map(({ published }) => published.model);
  const models = scored.map(({ file, published, strict }, i): ModelReport => {
    const ranges = draws.resamples > 0 ? intervals(published.items, published.figures, draws) : undefined;
    const repaired = new Map(strict?.figures(strict.items).map(({ name, value }) => [name, value]));
    const name = names[i] ?? file;
    return {
      model: names.filter((other) => other === name).length > 1 ? `${name} (${file})` : name,
      file,
      figures: published.figures(published.items).map((figure) => ({
        ...figure,
        printed: print(figure, figure.value),
        interval: ranges?.get(figure.name),
        strict: repaired.get(figure.name),
      })),
      notes: published.notes,
      strictNotes: strict?.notes,
      comparison: i > 0 && first && draws.resamples > 0 ? compare(first.published, published, draws) : undefined,
    };
  });
  const repairs = scored.some(({ strict }) => strict !== undefined) ? scorer.repairs : undefined;
  return { benchmark: scorer.title, models, draws, repairs };
}

function print({ digits, unit }: Pick<Figure, "digits" | "unit">, value: number): string {
  return Number.isFinite(value) ? `${fixed(value, digits)}${unit === undefined ? "" : ` ${unit}`}` : "–";
}

/** The report as Markdown. */
export function toMarkdown(report: Report): string {
  const parts = [`## ${report.benchmark}`, table(report)];
  const comparisons = comparisonLines(report);
  if (comparisons.length > 0) parts.push(comparisons.map((line) => `- ${line}`).join("\n"));
  if (report.repairs)
    parts.push(`Strict scoring repairs these rules:\n\n${report.repairs.map((rule) => `- ${rule}`).join("\n")}`);
  const notes = noteLines(report);
  if (notes.length > 0) parts.push(`What does not fit:\n\n${notes.map((note) => `- ${note}`).join("\n")}`);
  if (report.models[0]?.figures.some(({ interval }) => interval !== undefined) === true) {
    const { resamples, seed } = report.draws;
    parts.push(
      `In brackets: 95 % intervals of ${resamples.toLocaleString("en")} bootstrap draws over questions (seed ${seed}).`,
    );
  }
  return `${parts.join("\n\n")}\n`;
}

/** The table of figures: a row each, and a column for each model. */
function table({ models }: Report): string {
  const names = [...new Set(models.flatMap(({ figures }) => figures.map(({ name }) => name)))];
  const rows = names.map((name) => {
    const cells = models.map(({ figures }) => {
      const figure = figures.find((one) => one.name === name);
      return figure === undefined ? "–" : cell(figure);
    });
    const items = models[0]?.figures.find((figure) => figure.name === name)?.items ?? 0;
    return `| ${name} | ${items.toLocaleString("en")} | ${cells.join(" | ")} |`;
  });
  const head = `| Figure | Questions | ${models.map(({ model }) => model).join(" | ")} |`;
  return [head, `| --- | ---: |${" ---: |".repeat(models.length)}`, ...rows].join("\n");
}

function cell(figure: ReportedFigure): string {
  const { interval, strict, value, printed, digits } = figure;
  const range = interval === undefined ? "" : ` (${fixed(interval.low, digits)}–${fixed(interval.high, digits)})`;
  if (strict === undefined) return printed + range;
  const change = strict - value;
  const sign = change < 0 ? "−" : "+";
  const by = fixed(Math.abs(change), digits);
  return `${printed}${range}; strict ${print(figure, strict)} (${Number(by) === 0 ? "no change" : sign + by})`;
}

/** A sentence for each model but the first. */
function comparisonLines({ models }: Report): string[] {
  const [first] = models;
  return models.flatMap(({ model, figures, comparison }): string[] => {
    if (!comparison || !first) return [];
    const { difference, interval, bootstrapP, mcnemar, items } = comparison;
    const digits = figures[0]?.digits ?? 2;
    const signed = (value: number): string => `${value < 0 ? "−" : "+"}${fixed(Math.abs(value), digits)}`;
    const coin =
      mcnemar === undefined
        ? ""
        : `; right alone: ${mcnemar.onlySecond} against ${mcnemar.onlyFirst}, McNemar's exact p ${pText(mcnemar.p)}`;
    return [
      `${model} against ${first.model}, ${figures[0]?.name ?? ""} on ${items.toLocaleString("en")} shared items: ${signed(difference)} ` +
        `(${signed(interval.low)} to ${signed(interval.high)}, bootstrap p ${pText(bootstrapP)})${coin}`,
    ];
  });
}

const pText = (p: number): string => (p < 0.001 ? "below 0.001" : fixed(p, 3));

/** Notes of all models, each with its model where there are several. */
function noteLines({ models }: Report): string[] {
  return models.flatMap(({ model, notes, strictNotes = [] }) => {
    const own = [...notes, ...strictNotes.filter((note) => !notes.includes(note)).map((note) => `Strict: ${note}`)];
    return models.length > 1 ? own.map((note) => `${model}: ${note}`) : own;
  });
}

/** The report as JSON: numbers unrounded, absent ones as null. */
export function toJson(report: Report): string {
  const plain = (_: string, value: unknown): unknown =>
    typeof value === "number" && !Number.isFinite(value) ? null : value;
  return `${JSON.stringify(report, plain, 1)}\n`;
}
