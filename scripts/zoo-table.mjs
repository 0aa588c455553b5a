// The tables of docs/models.md that are made from src/zoo: models with what they cost, their published scores, and the parts of models.
// Knows no document.
import { table } from "./markdown-table.mjs";

/**
 * @typedef {import("../src/zoo/record.ts").ZooRecord} ZooRecord
 * @typedef {{ record: ZooRecord, fetched: number, kept: number, memory: number, parameters: number | undefined }} Row
 * @typedef {{ models: Row[], parts: ZooRecord[] }} Zoo
 */

/**
 * The records, with the cost of each on a GPU of 16 bits.
 * @returns {Promise<Zoo>}
 */
export async function readZoo() {
  // Imported late, because a fresh clone has no packages yet.
  const { tsImport } = await import("tsx/esm/api");
  const { zoo, costOf, parametersOfRecord } = await tsImport("../src/zoo/zoo.ts", import.meta.url);
  const models = zoo
    .filter(({ kind }) => kind === "model")
    .map((record) => {
      return { record, ...costOf(record, record.sources[0], "gpu-f16"), parameters: parametersOfRecord(record) };
    });
  return { models, parts: zoo.filter(({ kind }) => kind !== "model") };
}

/** What runs where, and what it costs. */
export function zooTable({ models }) {
  return table(
    ["Model", "Id", "Runs in", "Parameters", "Download", "Kept", "Memory", "Context", "License", "Base model"],
    models
      .filter(({ record }) => record.refused === undefined)
      .map(({ record, fetched, kept, memory, parameters }) => [
        record.name,
        `\`${record.id}\``,
        record.sources[0].format === "onnx" ? "transformers.js" : "this engine",
        parameters === undefined ? "" : size(parameters, ["M", "B"]),
        size(fetched),
        size(kept),
        size(memory),
        record.context === undefined ? "" : record.context.toLocaleString("en-US"),
        record.license + (record.researchOnly ? ", research only" : ""),
        record.base,
      ]),
  );
}

/** Where the weights come from: every source of each model. */
export function sourceTable({ models }) {
  return table(
    ["Model", "Source", "Format", "Bytes"],
    models.flatMap(({ record }) =>
      record.sources.map((source) => [
        record.name,
        `\`${source.repository}\``,
        source.format === "gguf" ? `GGUF, ${source.quantization}` : formats[source.format],
        typeof source.bytes === "number" ? size(source.bytes) : source.format === "onnx" ? onnxSizes(source) : "",
      ]),
    ),
  );
}

const formats = { safetensors: "safetensors", pytorch: "PyTorch", onnx: "ONNX" };

function onnxSizes({ bytes }) {
  return [...new Set(Object.values(bytes))].map((value) => size(value)).join(" or ");
}

/** Published scores, a line each. */
export function scoreTable({ models }) {
  return table(
    ["Model", "Scores", "Published in"],
    models
      .filter(({ record }) => record.scores !== undefined)
      .map(({ record }) => [record.name, shown(record.scores), record.scoresFrom]),
  );
}

function shown(scores) {
  return Object.entries(scores)
    .map(([name, score]) => `${name} ${score.toLocaleString("en-US")}`)
    .join(", ");
}

/** Adapters, deltas and projectors. */
export function partTable({ parts }) {
  return table(
    ["Part", "Kind", "Source", "Goes with", "License"],
    parts.map(({ name, kind, sources: [source], base, license }) => [
      name,
      kind,
      `\`${source.repository}\``,
      `${base} (\`${source.base}\`)`,
      license,
    ]),
  );
}

/** In decimal units with two or three digits. */
function size(value, [small, large] = [" MB", " GB"]) {
  const [scaled, unit] = value < 999.5e6 ? [value / 1e6, small] : [value / 1e9, large];
  return `${scaled < 99.5 && unit === large ? scaled.toFixed(1) : Math.round(scaled)}${unit}`;
}
