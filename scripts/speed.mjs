// The speed table of the documents: docs/bench.json keeps the last bench's figures, this file makes it from bench-results and makes
// the table from it. Knows no document.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./ensure.mjs";
import { table } from "./markdown-table.mjs";

const keptFile = join(root, "docs", "bench.json");

/** The columns: where the run of this name went, and what stood beside. */
const hosts = { wasm: "WASM", wllama: "WASM", node: "Node" };

/** A row's key in docs/bench.json, its title, the least ratio that was aimed at, and whether the short table has it, too. */
const rows = [
  ["first", "First question, time to the first token", "1.5", true],
  ["next", "Next question about the picture", "10", true],
  ["again", "The same question again", "20", true],
  ["prefill 256", "Prefill of 256 tokens", "", false],
  ["prefill 1024", "Prefill of 1,024 tokens", "", false],
  ["prefill 4096", "Prefill of 4,096 tokens", "", false],
  ["decode 256", "Decoding after 256 tokens", "WASM 3, Node 1.35", true],
  ["decode 1024", "Decoding after 1,024 tokens", "", true],
  ["decode 4096", "Decoding after 4,096 tokens", "", false],
];

/**
 * @typedef {[median: number, least: number, most: number]} Ratio
 * @typedef {{ peer: string, pairs: number, ratios: Record<string, Ratio>, loadMs: number[], wasmMiB?: number[] }} Run
 * @typedef {{ title: string, ratios: Record<string, Ratio> }} OtherRow A row of a bench of its own, by the names of the runs.
 * @typedef {{ date: string, machine: string, model: string, runs: Record<string, Run>, others: OtherRow[] }} Speed
 */

/**
 * The figures of docs/bench.json.
 * @returns {Speed}
 */
export function readSpeed() {
  return JSON.parse(readFileSync(keptFile, "utf8"));
}

/**
 * The medians of the most telling rows, in Markdown.
 * @param {Speed} speed
 */
export function shortSpeedTable(speed) {
  const runs = Object.values(speed.runs);
  const lines = rows
    .filter(([, , , short]) => short)
    .map(([key, title]) => [title, ...runs.map(({ ratios }) => (ratios[key] ? `${shown(ratios[key][0])} ×` : ""))]);
  return `${speed.model}, ${speed.date}, on ${speed.machine}.\n\n${table(headerOf(speed), lines)}`;
}

/**
 * All rows with what they spread over, in Markdown.
 * @param {Speed} speed
 */
export function speedTable(speed) {
  const all = Object.entries(speed.runs);
  const pair = (values, unit) => (values ? `${values[0]} against ${values[1]} ${unit}` : "");
  const lines = [
    ...rows.map(([key, title, target]) => [title, ...all.map(([, { ratios }]) => ratio(ratios[key])), target]),
    ...speed.others.map(({ title, ratios }) => [title, ...all.map(([name]) => ratio(ratios[name])), ""]),
    ["Load, without download", ...all.map(([, { loadMs }]) => pair(loadMs, "ms")), ""],
    ["WebAssembly memory", ...all.map(([, { wasmMiB }]) => pair(wasmMiB, "MiB")), ""],
  ];
  const about = [
    `${speed.model}, ${speed.date}, on ${speed.machine}.`,
    `Ratios are taken pair by pair, of ${list(all.map(([, { pairs }]) => pairs))} pairs: median (least–most).`,
  ];
  return `${about.join("\n")}\n\n${table([...headerOf(speed), "Target"], lines)}`;
}

/** Names without the last part of their versions. */
const headerOf = ({ runs }) => [
  "This engine is ahead by …",
  ...Object.entries(runs).map(([name, { peer }]) => `${hosts[name]}, of ${peer.replace(/\.\d+$/, "")}`),
];
const ratio = (figures) => (figures ? `${shown(figures[0])} (${shown(figures[1])}–${shown(figures[2])}) ×` : "");
const shown = (value) => (Number.isInteger(value) ? value.toFixed(1) : String(value));
const list = (items) => `${items.slice(0, -1).join(", ")} and ${items.at(-1)}`;

/** Makes docs/bench.json from what `npm run bench -- --json` has kept in `folder`. */
export function keepSpeed(folder) {
  const read = (name) => JSON.parse(readFileSync(join(folder, `${name}.json`), "utf8"));
  const { dependencies, devDependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const library = `transformers.js ${dependencies["@huggingface/transformers"]}`;
  const [node, wasm, wllama] = ["node", "wasm", "wllama"].map(read);
  const chromium = /Chrome\/(\d+)/.exec(wasm.userAgent)?.[1] ?? "";
  const theirs = wasm.peers["transformers.js"];
  const kept = {
    date: node.date.slice(0, 10),
    machine: `${node.machine.cores} cores of ${node.machine.cpu} (Node ${node.machine.node.slice(1)}, Chromium ${chromium})`,
    model: node.model,
    runs: {
      wasm: {
        ...runOf(library, "transformers.js", wasm),
        loadMs: [wasm.ours.loadMs, theirs.loadMs].map(Math.round),
        wasmMiB: [wasm.ours, theirs].map(({ memory }) => Math.round(memory.wasmBytes / 2 ** 20)),
      },
      wllama: {
        ...runOf(`wllama ${devDependencies["@wllama/wllama"]}`, "wllama", wllama),
        loadMs: [wllama.ours.loadMs, wllama.wllama.loadMs].map(Math.round),
      },
      node: {
        ...runOf(library, "transformers.js", node),
        loadMs: [node.loadMs.ours, node.loadMs["transformers.js"]].map(Math.round),
      },
    },
    // Of benches on other models, which that folder does not hold.
    others: readSpeed().others,
  };
  writeFileSync(keptFile, `${JSON.stringify(kept, undefined, 2)}\n`);
}

/** What one run says of one peer. */
function runOf(peer, name, { rows }) {
  const found = rows.flatMap(({ id, figure, promptTokens, peers, runs }) => {
    const what = id !== "context" ? id : `${figure === "decodeRate" ? "decode" : "prefill"} ${promptTokens}`;
    const { median, low, high } = peers[name]?.ratio ?? {};
    return median === undefined ? [] : [{ what, pairs: runs.length, figures: [median, low, high].map(rounded) }];
  });
  return {
    peer,
    pairs: Math.max(...found.map(({ pairs }) => pairs)),
    ratios: Object.fromEntries(found.map(({ what, figures }) => [what, figures])),
  };
}

/** Three digits say more than a noisy machine knows. */
const rounded = (value) => Number(value.toPrecision(3));
