// What the bench page shows of its figures, as a table of texts and as a picture. Knows no worker.
import type { Spread } from "../measure.ts";
import type { Loaded } from "./api.ts";
import type { Row } from "./plan.ts";
import type { BenchTexts } from "./texts.ts";

export interface Report {
  readonly date: string;
  readonly userAgent: string;
  readonly cores: number;
  readonly pairs: number;
  /** Of the long prompt. */
  readonly words: number;
  /** In tokens. */
  readonly longestAnswer: number;
  readonly ours: Loaded;
  readonly theirs?: Loaded | undefined;
  /** Whether the library had embeddings in 32 bits. */
  readonly widened: boolean;
  readonly rows: readonly Row[];
}

const digits = (value: number): string => value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0);
const spread = ({ median, low, high }: Spread): string => `${digits(median)} (${digits(low)}–${digits(high)})`;

/** Header and lines; two columns for one system, five for two. */
export function tableOf(report: Report, t: BenchTexts): string[][] {
  const { rows, ours, theirs } = report;
  const lines = rows.map(({ id, figure, ours, theirs, ratio, parted }) => {
    const line = [`${t.rows[id]}, ${t.figures[figure]}`, spread(ours)];
    if (!theirs || !ratio) return line;
    return [...line, spread(theirs), `${spread(ratio)} ×`, parted ? t.parted(parted.ours, parted.theirs) : t.equal];
  });
  const load = [`${t.rows.load}, ms`, digits(ours.loadMs)];
  const header = [t.what, t.ours];
  return theirs
    ? [[...header, "transformers.js", t.ratio, t.answers], ...lines, [...load, digits(theirs.loadMs), "", ""]]
    : [header, ...lines, load];
}

/** One line about the device. */
export function deviceLine({ ours, cores }: Report, t: BenchTexts): string {
  const kind = ours.device === "webgpu" ? "WebGPU" : `WASM, ${t.threads(ours.threads)}`;
  return [ours.model, kind, ours.adapter, t.cores(cores)].filter((word) => word !== "").join(" · ");
}

/** The table as a picture in the page's own colours; PNG. */
export async function pictureOf(report: Report, t: BenchTexts): Promise<Blob> {
  const table = tableOf(report, t).map((line) => line.slice(0, 4));
  const [width, lineHeight, edge] = [1200, 52, 48];
  const height = edge * 2 + 120 + table.length * lineHeight + 20;
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d");
  if (!context) throw new Error("this browser gives no canvas");
  const style = getComputedStyle(document.documentElement);
  const colour = (name: string): string => style.getPropertyValue(name).trim();
  const font = (size: number, weight = 400): string => `${weight} ${size}px ${colour("--sans")}`;
  context.fillStyle = colour("--page");
  context.fillRect(0, 0, width, height);
  context.fillStyle = colour("--ink");
  context.font = font(36, 600);
  context.fillText(`llava-web · ${t.title}`, edge, edge + 32);
  context.fillStyle = colour("--ink-soft");
  context.font = font(20);
  context.fillText(`${deviceLine(report, t)} · ${report.date.slice(0, 10)}`, edge, edge + 72, width - 2 * edge);
  const columns = [edge, 560, 775, 990];
  for (const [at, line] of table.entries()) {
    const y = edge + 130 + at * lineHeight;
    context.font = font(19, at === 0 ? 600 : 400);
    for (const [column, text] of line.entries()) {
      const x = columns[column] ?? edge;
      context.fillStyle = colour(column === 3 && at > 0 ? "--accent" : "--ink");
      context.fillText(text, x, y, (columns[column + 1] ?? width - edge + 16) - x - 16);
    }
    context.fillStyle = colour("--line");
    context.fillRect(edge, y + 18, width - 2 * edge, 1);
  }
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("this browser made no picture"))), "image/png");
  });
}
