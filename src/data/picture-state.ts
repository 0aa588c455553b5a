// What is wrong with a picture that data names, from its first and last bytes. Decodes nothing.
import { sniffPicture, type PictureKind } from "#formats/picture-file.ts";
import { dataBlob, type PictureRef } from "#samples/sample.ts";
import type { DataFile, PictureFile } from "./data-file.ts";

export type PictureFault = "missing" | "elsewhere" | "empty" | "unreadable" | "cut";

export interface PictureState {
  readonly fault: PictureFault | undefined;
  /** What the head tells; a size of 0 where it does not. */
  readonly kind: PictureKind;
  readonly width: number;
  readonly height: number;
}

const headBytes = 4096;
/** EXIF and colour profiles of a JPEG come before its size. */
const longHeadBytes = 2 ** 20;
const tailBytes = 1024;
const none = { kind: "unknown", width: 0, height: 0 } as const;

/** The picture's state; looks the file up, reads some kilobytes, fetches nothing. */
export async function pictureState(file: DataFile, ref: PictureRef): Promise<PictureState> {
  if (ref.kind === "name" && /^[a-z][a-z0-9+.-]+:/i.test(ref.name)) return { ...none, fault: "elsewhere" };
  const picture = ref.kind === "name" ? await file.findPicture(ref.name) : inData(ref);
  if (picture === "no-base64") return { ...none, fault: "unreadable" };
  if (picture === undefined) return { ...none, fault: "missing" };
  try {
    return await stateOf(picture);
  } catch {
    return { ...none, fault: "unreadable" };
  }
}

/** A picture embedded in the data as a file. */
export function inData(ref: PictureRef & { readonly kind: "data" }): PictureFile | "no-base64" {
  const blob = dataBlob(ref);
  if (blob === undefined) return "no-base64";
  return {
    bytes: blob.size,
    read: async (from, to) => new Uint8Array(await blob.slice(from, to).arrayBuffer()),
  };
}

async function stateOf(picture: PictureFile): Promise<PictureState> {
  if (picture.bytes === 0) return { ...none, fault: "empty" };
  let head = sniffPicture(await picture.read(0, headBytes));
  if (head.kind === "jpeg" && head.width === undefined) head = sniffPicture(await picture.read(0, longHeadBytes));
  const { kind, width = 0, height = 0 } = head;
  if (kind === "unknown" || (kind === "jpeg" && width === 0)) return { ...none, kind, fault: "unreadable" };
  const tail = await picture.read(Math.max(0, picture.bytes - tailBytes), picture.bytes);
  return { kind, width, height, fault: isCut(kind, tail) ? "cut" : undefined };
}

/** Whether a JPEG or PNG lacks its end; other formats do not tell so cheaply. */
function isCut(kind: PictureKind, tail: Uint8Array): boolean {
  const text = String.fromCharCode(...tail);
  if (kind === "png") return !text.includes("IEND");
  return kind === "jpeg" && !text.includes("\u00ff\u00d9");
}
