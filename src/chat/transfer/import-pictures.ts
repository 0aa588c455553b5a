// Finds the pictures that imported conversations name, beside the data or in the zip, and opens them. Nothing is fetched; every picture is
// checked, and what is wrong with it goes into the list of problems.
import { dataBlob, type PictureRef } from "#samples/sample.ts";
import type { Picture } from "#chat/conversation/conversation.ts";
import { importLimits, type PictureTrouble, type ProblemList } from "./import-problems.ts";
import type { ZipEntry } from "#formats/import-zip.ts";
import type { OpenedPicture } from "#chat/pictures/pictures.web.ts";
import { browserPictureKind, kindBytes } from "#formats/picture-file.ts";

/** Where a picture's bytes come from. */
interface PictureSource {
  readonly bytes: number;
  read(): Promise<Blob | "too-large" | "zip-damaged">;
}

type FindPicture = (name: string) => PictureSource | undefined;

const sourceOf = (file: Blob): PictureSource => ({ bytes: file.size, read: () => Promise.resolve(file) });
const baseName = (path: string): string => path.split(/[\\/]/).at(-1) ?? path;
/** Macs write an accent as a character of its own, and Windows does not tell capitals apart. */
const sameName = (name: string): string => name.normalize("NFC").toLowerCase();
/** How many of a path's last parts are compared. */
const longestTail = 16;

/** Pictures by any tail of their path, because the names in the data may start in any folder. */
class ByTail {
  private readonly exact = new Map<string, PictureSource>();
  private readonly similar = new Map<string, PictureSource>();

  add(path: string, source: PictureSource): void {
    if (path.length > importLimits.pathLength) return;
    const folders = path.split("/");
    for (let from = Math.max(0, folders.length - longestTail); from < folders.length; from++) {
      const tail = folders.slice(from).join("/");
      if (!this.exact.has(tail)) this.exact.set(tail, source);
      if (!this.similar.has(sameName(tail))) this.similar.set(sameName(tail), source);
    }
  }

  find(path: string): PictureSource | undefined {
    return this.exact.get(path) ?? this.similar.get(sameName(path));
  }
}

/** Files that were given beside the data are found by their names alone, a zip's by any tail of their paths. */
export function createFinder(loose: readonly File[], entries: ReadonlyMap<string, ZipEntry> = new Map()): FindPicture {
  const beside = new ByTail();
  for (const file of loose) beside.add(baseName(file.name), sourceOf(file));
  const zipped = new ByTail();
  for (const [path, entry] of entries)
    zipped.add(path, { bytes: entry.bytes, read: () => entry.read(importLimits.pictureBytes) });
  return (name) => {
    const path = name.replaceAll("\\", "/").replace(/^(?:\.{0,2}\/)+/, "");
    return (
      zipped.find(path) ?? beside.find(baseName(path)) ?? (path.startsWith("/") ? undefined : inFolders(path, zipped))
    );
  };
}

/** Finds a path that starts above the zip's root: "/data/coco/1.jpg" where the zip has "coco/1.jpg". */
function inFolders(path: string, zipped: ByTail): PictureSource | undefined {
  const folders = path.split("/");
  for (let from = Math.max(1, folders.length - longestTail); from < folders.length; from++) {
    const found = zipped.find(folders.slice(from).join("/"));
    if (found !== undefined) return found;
  }
  return undefined;
}

export interface PictureReader {
  /** Opens the picture; `shown` is its name in the list of problems. */
  read(ref: PictureRef, shown: string, item: number): Promise<Picture | undefined>;
}

interface ReaderOptions {
  readonly file: string;
  readonly problems: ProblemList;
  readonly find: FindPicture;
  /** How many bytes may be read in all: a small file could name the same picture again and again. */
  readonly bytes: number;
  readonly newId: () => string;
  readonly openPicture: (file: Blob, name: string) => Promise<OpenedPicture>;
}

export function createPictureReader(options: ReaderOptions): PictureReader {
  const { file, problems, find, newId, openPicture } = options;
  let left = options.bytes;
  return {
    async read(ref, shown, item) {
      const short = shown.slice(0, 200);
      const trouble = (problem: PictureTrouble): undefined => {
        problems.add({ kind: "picture", problem, picture: short, item });
      };
      if (ref.kind === "name" && /^[a-z][a-z0-9+.-]+:/i.test(ref.name)) return trouble("elsewhere");
      const source = ref.kind === "name" ? find(ref.name) : inData(ref);
      if (source === undefined) return trouble(ref.kind === "name" ? "missing" : "broken");
      if (source.bytes > importLimits.pictureBytes) return trouble("too-large");
      if (source.bytes > left) {
        problems.add({ kind: "file", problem: "pictures-too-large", file });
        return undefined;
      }
      left -= source.bytes;
      const blob = await source.read();
      if (blob === "too-large") return trouble("too-large");
      if (blob === "zip-damaged") return trouble("broken");
      const head = new Uint8Array(await blob.slice(0, kindBytes).arrayBuffer());
      // SVG and the like are documents, which can run scripts and load things, and never were pictures of a chat.
      if (browserPictureKind(head) === "unknown") return trouble("broken");
      const opened = await openPicture(blob, short);
      return opened.ok ? { ...opened.picture, id: newId() } : trouble("broken");
    },
  };
}

function inData(ref: PictureRef & { readonly kind: "data" }): PictureSource | undefined {
  if (ref.base64.length > importLimits.pictureBytes * 1.4)
    return { bytes: Infinity, read: () => Promise.reject(new Error("too large")) };
  const blob = dataBlob(ref);
  return blob === undefined ? undefined : sourceOf(blob);
}

/** A short name for a picture that has a path or no name at all. */
export function shownName(ref: PictureRef, number: number): string {
  return ref.kind === "name" ? baseName(ref.name) : `picture-${number}`;
}
