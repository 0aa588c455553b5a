// Values in the browser's localStorage, parsed at the door.
import type { GenericSchema, InferOutput } from "valibot";
import { safeParse } from "valibot";

/** The part of localStorage that is needed. A function gives it, because reading `localStorage` throws where a browser stores nothing. */
export type GetStorage = () => Pick<Storage, "getItem" | "setItem">;

/** The value under the key; undefined where there is none that the schema takes. */
export function readLocal<TSchema extends GenericSchema>(
  storage: GetStorage,
  key: string,
  schema: TSchema,
): InferOutput<TSchema> | undefined {
  try {
    const text = storage().getItem(key);
    const parsed = safeParse(schema, text === null ? undefined : JSON.parse(text));
    return parsed.success ? parsed.output : undefined;
  } catch {
    return undefined;
  }
}

/** Stores the text; where the browser refuses, the value lasts as long as the page. */
export function writeLocal(storage: GetStorage, key: string, text: string): void {
  try {
    storage().setItem(key, text);
  } catch {
    // Full, or not allowed.
  }
}
