// JSON objects in a checkpoint folder, with limits: a file from someone else may be huge or nested without end. Knows no fields.
import * as v from "valibot";
import { nestingOf, parseJson } from "#formats/json.ts";
import { badCheckpoint } from "./bad-checkpoint.ts";
import { readText, type CheckpointFolder } from "./folders.ts";

export type JsonObject = Readonly<Record<string, unknown>>;
export const JsonObjectSchema = v.record(v.string(), v.unknown());

/** Deeper than any config, and shallow enough for every reader that calls itself. */
const maxDepth = 100;

/** The JSON object in a file, or undefined when the file is not there. */
export async function readObject(folder: CheckpointFolder, path: string): Promise<JsonObject | undefined> {
  const text = await readText(folder, path);
  if (text === undefined) return undefined;
  const what = `${folder.name}/${path}`;
  const json = parseJsonFile(text, what);
  if (v.is(JsonObjectSchema, json) && !Array.isArray(json)) return json;
  throw badCheckpoint(`${what} is not a JSON object`);
}

/** Parses a file's text; throws EngineError("bad-checkpoint") that says what the file is instead of JSON. */
export function parseJsonFile(text: string, what: string): unknown {
  if (nestingOf(text) > maxDepth) {
    throw badCheckpoint(`${what} is nested more than ${maxDepth} deep: it is no file of a checkpoint`);
  }
  const json = parseJson(text);
  if (json === undefined) throw badCheckpoint(`${what} is not JSON${instead(text)}`);
  return json;
}

/** What the text is instead of JSON, for the end of a sentence; "" where that is unclear. */
function instead(text: string): string {
  const start = text.slice(0, 200).trimStart();
  if (start === "") return ": it is empty, so its download may have been interrupted";
  if (start.startsWith("version https://git-lfs")) return " but a Git LFS pointer; fetch the file with `git lfs pull`";
  if (/^<(!doctype|html|\?xml)/i.test(start)) return " but a web page; its download got an answer of another kind";
  const number = /[:[,]\s*(-?(?:NaN|Infinity))\s*[,\]}]/.exec(text)?.[1];
  return number === undefined ? "" : `: it holds ${number}, which JSON does not have`;
}
