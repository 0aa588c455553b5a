// The ways in which data refers to pictures: a path, a list, an address, base64, or an object around one of them. Pure.
import { sampleLimits } from "./limits.ts";
import type { PictureRef } from "./sample.ts";

/** "unreadable" counts what is meant as a picture and names none. */
export interface FoundPictures {
  readonly refs: readonly PictureRef[];
  readonly unreadable: number;
}

type Fields = Readonly<Record<string, unknown>>;
export const isObject = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const own = (object: Fields, key: string): unknown => (Object.hasOwn(object, key) ? object[key] : undefined);

export const pictureKeys = ["image", "images", "image_path", "image_paths", "image_file", "img"];
export const sourceKeys = [
  "image_url",
  "url",
  "path",
  "file_name",
  "filename",
  "image",
  "source",
  "data",
  "base64",
  "bytes",
];

/** All pictures that an object names beside its turns; one that is named under two keys counts once. */
export function picturesBeside(object: Fields): FoundPictures {
  const refs: PictureRef[] = [];
  let unreadable = 0;
  for (const key of pictureKeys) {
    const found = readPictures(own(object, key));
    unreadable += found.unreadable;
    const before = new Set(refs.map(textOf));
    refs.push(...found.refs.filter((ref) => !before.has(textOf(ref))));
  }
  return limited(refs, unreadable);
}

/** The pictures that a value names: none for null, false and "". */
export function readPictures(value: unknown, depth = 0): FoundPictures {
  if (value === undefined || value === null || value === "" || value === false) return { refs: [], unreadable: 0 };
  if (typeof value === "string") {
    const ref = readPicture(value);
    return ref === undefined ? { refs: [], unreadable: 1 } : { refs: [ref], unreadable: 0 };
  }
  if (depth > 3) return { refs: [], unreadable: 1 };
  if (Array.isArray(value)) {
    const all = value.slice(0, sampleLimits.pictures).map((one) => readPictures(one, depth + 1));
    const cut = Math.max(0, value.length - sampleLimits.pictures);
    const unreadable = all.reduce((sum, found) => sum + found.unreadable, cut);
    return limited(
      all.flatMap(({ refs }) => refs),
      unreadable,
    );
  }
  if (isObject(value)) {
    for (const key of sourceKeys) {
      const found = readPictures(own(value, key), depth + 1);
      if (found.refs.length > 0) return found;
    }
  }
  return { refs: [], unreadable: 1 };
}

/** The pictures named in a text as Qwen-VL's data does it, and the text without them. */
export function takeNamedInText(text: string): { readonly text: string; readonly refs: readonly PictureRef[] } {
  if (!text.includes("<img>")) return { text, refs: [] };
  const refs: PictureRef[] = [];
  const rest = text.replace(/(?:Picture \d{1,3}: ?)?<img>([^<]{1,1000})<\/img>\n?/g, (whole, name: string) => {
    const ref = readPicture(name);
    if (ref === undefined) return whole;
    refs.push(ref);
    return "";
  });
  return { text: rest, refs };
}

const dataUrl = /^data:[\w.+-]*(?:\/[\w.+-]*)?(?:;[\w=.+-]*)*,/i;
/** What PNG, JPEG, GIF, WebP and BMP begin with in base64. */
const base64Starts = /^(?:iVBORw0KGgo|\/9j\/|R0lGOD|UklGR|Qk[0-9A-Za-z+/]{4})/;

function readPicture(text: string): PictureRef | undefined {
  const plain = text.trim();
  if (plain === "") return undefined;
  const head = plain.slice(0, 200);
  const url = dataUrl.exec(head);
  if (url !== null) return /;base64,$/i.test(url[0]) ? { kind: "data", base64: plain.slice(url[0].length) } : undefined;
  if (plain.length > 200 && base64Starts.test(head) && !/[.\\]/.test(head)) return { kind: "data", base64: plain };
  if (plain.length > sampleLimits.pathLength) return undefined;
  return { kind: "name", name: toPath(plain) };
}

/** A path with "/" between folders; an address of the web stays one. */
function toPath(name: string): string {
  if (/^file:/i.test(name)) {
    const path = name.replace(/^file:(?:\/\/(?:localhost)?)?/i, "");
    try {
      return decodeURIComponent(path);
    } catch {
      return path;
    }
  }
  return /^[a-z][a-z0-9+.-]+:\/\//i.test(name) ? name : name.replaceAll("\\", "/");
}

function limited(refs: readonly PictureRef[], unreadable: number): FoundPictures {
  const cut = Math.max(0, refs.length - sampleLimits.pictures);
  return { refs: refs.slice(0, sampleLimits.pictures), unreadable: unreadable + cut };
}

const textOf = (ref: PictureRef): string => (ref.kind === "name" ? ref.name : ref.base64);
