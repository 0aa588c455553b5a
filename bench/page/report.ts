// What the bench page shows of its figures, as a table of texts and as a picture. Knows no worker.
import { spreadOf, type PerToken, type Spread, type Timed } from "../measure.ts";
import type { Split } from "../systems/ours.ts";
import type { Row } from "../plan.ts";
import { digits } from "../table.ts";
import type { Loaded, Memory } from "./api.ts";
import type { BenchTexts } from "./texts.ts";

export interface SystemReport extends Loaded {
  readonly memory: Memory;
}

export interface Report {
  readonly date: string;
  readonly userAgent: string;
  readonly cores: number;
  readonly pairs: number;
  /** In tokens. */
  readonly longestAnswer: number;
  readonly ours: SystemReport;
  readonly peers: Readonly<Record<string, SystemReport>>;
  /** Whether the library had embeddings in 32 bits. */
  readonly widened: boolean;
  /** Of the first question, in this engine. */
  readonly split: Split;
  readonly rows: readonly Row[];
}

const spread = ({ median, low, high }: Spread): string => `${digits(median)} (${digits(low)}–${digits(high)})`;
const mebibytes = (bytes: number): string => digits(bytes / 2 ** 20);

/** Header and lines: what, this engine, and two columns for each peer. */
export function tableOf(report: Report, t: BenchTexts): string[][] {
  const { rows, ours, peers } = report;
  const names = Object.keys(peers);
  const lines = rows.map(({ id, figure, promptTokens, ours: own, peers: found }) => {
    const what = id === "context" ? t.context(promptTokens ?? 0) : t.rows[id];
    const theirs = names.flatMap((name) => {
      const one = found[name];
      return one ? [digits(one.spread.median), `${spread(one.ratio)} ×${one.parted ? " ≠" : ""}`] : ["–", ""];
    });
    return [`${what}, ${t.figures[figure]}`, spread(own), ...theirs];
  });
  const line = (what: string, of: (system: SystemReport) => string): string[] => [
    what,
    of(ours),
    ...names.flatMap((name) => (peers[name] ? [of(peers[name]), ""] : ["", ""])),
  ];
  const more = [
    line(`${t.rows.load}, ms`, ({ loadMs }) => digits(loadMs)),
    line(`${t.coldLoad}, ms`, ({ loadMs, fetchMs }) => digits(fetchMs + loadMs)),
    line(t.wasmMemory, ({ memory }) => mebibytes(memory.wasmBytes)),
  ];
  if (ours.memory.heapBytes !== undefined) {
    more.push(line(t.heap, ({ memory: { heapBytes } }) => mebibytes(heapBytes ?? NaN)));
  }
  const onGpu = ours.device === "webgpu";
  if (onGpu) more.push(line(t.gpuMemory, ({ memory: { gpuBytes } }) => mebibytes(gpuBytes ?? NaN)));
  const counts = onGpu ? countLines(report, names, t) : [];
  const header = [t.what, t.ours, ...names.flatMap((name) => [name, t.ratio])];
  return [header, ...lines, ...more, ...counts];
}

/** What a decode step asks of the GPU, over all runs. */
function countLines({ rows }: Report, names: readonly string[], t: BenchTexts): string[][] {
  const runs = rows.flatMap((row) => row.runs);
  const median = (of: (run: Row["runs"][number]) => Timed | undefined, name: keyof PerToken): number =>
    spreadOf(runs.map((run) => of(run)?.perToken?.[name] ?? NaN)).median;
  return (["dispatches", "submits", "uploadedBytes", "readBytes", "newBuffers", "hostMs"] as const).map((name) => {
    const own = median((run) => run.ours, name);
    const theirs = names.flatMap((peer) => [digits(median((run) => run.peers[peer], name)), ""]);
    return [t.perToken[name], digits(own), ...theirs];
  });
}

/** What parted, a line for each row and peer. */
export function partings({ rows }: Report, t: BenchTexts): string[] {
  const lines = rows.flatMap(({ id, promptTokens, peers }) =>
    Object.entries(peers).flatMap(([name, { parted }]) => {
      const what = id === "context" ? t.context(promptTokens ?? 0) : t.rows[id];
      return parted ? [t.parted(what, parted.ours.slice(0, 120), name, parted.theirs.slice(0, 120))] : [];
    }),
  );
  return [...new Set(lines)];
}

/** One line about the device. */
export function deviceLine({ ours, cores }: Report, t: BenchTexts): string {
  const kind = ours.device === "webgpu" ? "WebGPU" : `WASM, ${t.threads(ours.threads)}`;
  return [ours.model, kind, ours.adapter, t.cores(cores)].filter((word) => word !== "").join(" · ");
}

/** The table as a picture in the page's own colours; PNG. */
export async function pictureOf(report: Report, t: BenchTexts): Promise<Blob> {
  const table = tableOf(report, t);
  const [lineHeight, edge, first, others] = [52, 48, 560, 215];
  const count = (table[0]?.length ?? 1) - 1;
  const width = edge * 2 + first + others * count;
  const canvas = document.createElement("canvas");
  const context = canvas.getContext("2d");
  if (!context) throw new Error("this browser gives no canvas");
  const style = getComputedStyle(document.documentElement);
  const colour = (name: string): string => style.getPropertyValue(name).trim();
  const font = (size: number, weight = 400): string => `${weight} ${size}px ${colour("--sans")}`;
  const noteFont = font(17);
  context.font = noteFont;
  // A picture is passed on without its page, so it says itself how to read it.
  const notes = [t.ahead, ...(report.widened ? [t.widened] : [])].flatMap((text) =>
    wrapped(text, (part) => context.measureText(part).width, width - 2 * edge),
  );
  const height = edge * 2 + 120 + table.length * lineHeight + notes.length * 26;
  canvas.width = width;
  canvas.height = height;
  context.fillStyle = colour("--page");
  context.fillRect(0, 0, width, height);
  context.fillStyle = colour("--ink");
  context.font = font(36, 600);
  context.fillText(`llava-web · ${t.title}`, edge, edge + 32);
  context.fillStyle = colour("--ink-soft");
  context.font = font(20);
  context.fillText(`${deviceLine(report, t)} · ${report.date.slice(0, 10)}`, edge, edge + 72, width - 2 * edge);
  for (const [at, line] of table.entries()) {
    const y = edge + 130 + at * lineHeight;
    context.font = font(19, at === 0 ? 600 : 400);
    for (const [column, text] of line.entries()) {
      const x = column === 0 ? edge : edge + first + (column - 1) * others;
      context.fillStyle = colour(column > 1 && column % 2 === 1 && at > 0 ? "--accent" : "--ink");
      context.fillText(text, x, y, (column === 0 ? first : others) - 16);
    }
    context.fillStyle = colour("--line");
    context.fillRect(edge, y + 18, width - 2 * edge, 1);
  }
  context.fillStyle = colour("--ink-soft");
  context.font = noteFont;
  for (const [at, note] of notes.entries()) {
    context.fillText(note, edge, edge + 130 + table.length * lineHeight + at * 26, width - 2 * edge);
  }
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("this browser made no picture"))), "image/png");
  });
}

/** The text in lines of at most that width, broken between words, or anywhere in scripts that have no spaces. */
function wrapped(text: string, widthOf: (part: string) => number, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.match(/[^\s\u3000-\u9fff\uff00-\uffef]+\s*|\s+|./gu) ?? []) {
    if (line !== "" && widthOf(line + word) > width) {
      lines.push(line);
      line = "";
    }
    line += word;
  }
  return line === "" ? lines : [...lines, line];
}
