// JSON objects in a checkpoint folder, with limits: a file from someone else may be endless or nested without end. Knows no fields.
import * as v from "valibot";
import { EngineError } from "#engine/errors.ts";
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
  const json = parseJson(text, what);
  if (v.is(JsonObjectSchema, json) && !Array.isArray(json)) return json;
  throw new EngineError("bad-checkpoint", `${what} is not a JSON object`);
}

/** Parses a file's text; throws EngineError("bad-checkpoint") that says what is there instead of JSON. */
export function parseJson(text: string, what: string): unknown {
  if (nesting(text) > maxDepth) {
    throw new EngineError(
      "bad-checkpoint",
      `${what} is nested more than ${maxDepth} deep: it is no file of a checkpoint`,
    );
  }
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new EngineError("bad-checkpoint", `${what} is not JSON${instead(text)}`, { cause });
  }
}

/** What stands in the place of JSON, where that can be told. */
function instead(text: string): string {
  const start = text.slice(0, 200).trimStart();
  if (start === "") return ": it is empty, so its download may have been interrupted";
  if (start.startsWith("version https://git-lfs")) return " but a Git LFS pointer; fetch the file with `git lfs pull`";
  if (/^<(!doctype|html|\?xml)/i.test(start)) return " but a web page; its download got an answer of another kind";
  const number = /[:[,]\s*(-?(?:NaN|Infinity))\s*[,\]}]/.exec(text)?.[1];
  return number === undefined ? "" : `: it holds ${number}, which JSON does not have`;
}

/** How deep lists and objects stand within each other. */
function nesting(text: string): number {
  let [depth, deepest] = [0, 0];
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 0x22) i = endOfString(text, i);
    else if (code === 0x7b || code === 0x5b) deepest = Math.max(deepest, ++depth);
    else if (code === 0x7d || code === 0x5d) depth--;
  }
  return deepest;
}

/** The first name that an object's text gives twice; JSON.parse keeps the last of them in silence. */
export function repeatedKey(text: string): string | undefined {
  const seen = new Set<string>();
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 0x7b || code === 0x5b) depth++;
    else if (code === 0x7d || code === 0x5d) depth--;
    else if (code === 0x22) {
      const end = endOfString(text, i);
      if (depth === 1 && /^\s*:/.test(text.slice(end + 1, end + 20))) {
        const key = String(JSON.parse(text.slice(i, end + 1)));
        if (seen.has(key)) return key;
        seen.add(key);
      }
      i = end;
    }
  }
  return undefined;
}

/** Where the string that begins at `start` has its closing quote. */
function endOfString(text: string, start: number): number {
  for (let i = start + 1; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 0x5c) i++;
    else if (code === 0x22) return i;
  }
  return text.length;
}
