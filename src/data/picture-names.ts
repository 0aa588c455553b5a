// Changes the names of pictures within a conversation's JSON, wherever its form keeps them, and leaves everything else as it is. Pure.
import { isObject, pictureKeys, readPictures, sourceKeys } from "#samples/picture-refs.ts";

type Rename = (name: string) => string;

/** The value with new names; the same object where none changes. Addresses and base64 are not asked for. */
export function renamePictures(json: unknown, rename: Rename): unknown {
  return walk(json, rename, false);
}

/** `inPicture`: within the value of a key that names pictures, where every text is a name. */
function walk(value: unknown, rename: Rename, inPicture: boolean): unknown {
  if (typeof value === "string") return inPicture ? renamed(value, rename) : inText(value, rename);
  if (Array.isArray(value)) {
    const list = value.map((one) => walk(one, rename, inPicture));
    return list.some((one, at) => one !== value[at]) ? list : (value as unknown);
  }
  if (!isObject(value)) return value;
  const entries = Object.entries(value).map(([key, inner]): [string, unknown] => {
    const isPicture = inPicture ? sourceKeys.includes(key) : pictureKeys.includes(key) || key === "image_url" || (isImagePart(value) && sourceKeys.includes(key)); // prettier-ignore
    const next = isPicture || typeof inner === "object" || isWords(key) ? walk(inner, rename, isPicture) : inner;
    return [key, next];
  });
  return entries.some(([key, next]) => next !== value[key]) ? Object.fromEntries(entries) : value;
}

const isImagePart = (value: Readonly<Record<string, unknown>>): boolean =>
  typeof value["type"] === "string" && value["type"].includes("image");
const isWords = (key: string): boolean => ["value", "content", "text"].includes(key);

/** Qwen-VL's data names pictures in the text. */
const inText = (text: string, rename: Rename): string =>
  text.includes("<img>") ? text.replace(/<img>([^<]{1,1000})<\/img>/g, (_, name: string) => `<img>${renamed(name, rename)}</img>`) : text; // prettier-ignore

/** Of one text that names a picture; base64 and what is no name stay. */
function renamed(text: string, rename: Rename): string {
  const [ref] = readPictures(text).refs;
  if (ref?.kind !== "name") return text;
  const next = rename(ref.name);
  return next === ref.name ? text : next;
}
