// JSON objects in a checkpoint folder. Knows no fields.
import * as v from "valibot";
import { EngineError } from "#engine/errors.ts";
import { readText, type CheckpointFolder } from "./byte-source.ts";

export type JsonObject = Readonly<Record<string, unknown>>;
export const JsonObjectSchema = v.record(v.string(), v.unknown());

/** The JSON object in a file, or undefined when the file is not there. */
export async function readObject(folder: CheckpointFolder, path: string): Promise<JsonObject | undefined> {
  const text = await readText(folder, path);
  if (text === undefined) return undefined;
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new EngineError("bad-checkpoint", `${folder.name}/${path} is not JSON`, { cause: error });
  }
  if (v.is(JsonObjectSchema, json) && !Array.isArray(json)) return json;
  throw new EngineError("bad-checkpoint", `${folder.name}/${path} is not a JSON object`);
}
