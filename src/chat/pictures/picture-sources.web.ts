// Pictures that are not files: fetched from an address the user typed, or cut out of another picture.
import type { Picture } from "#chat/conversation/conversation.ts";
import { newId } from "#chat/new-id.ts";
import { nameOfAddress, readDataAddress } from "./picture-address.ts";
import { openPicture, type OpenedPicture } from "./pictures.web.ts";

/** More than any photograph has, and far less than would fill the memory. */
const largestBytes = 64 * 2 ** 20;

/** Fetches the bytes at an address, with retries of its own; "silent" when the server sends nothing. */
export type ReadAddress = (address: string, init: RequestInit, mostBytes: number) => Promise<Blob | "silent">;

/** Fetches and opens a picture; its server has to allow it (CORS). Sends no cookies and no referrer. */
export async function fetchPicture(address: string, read: ReadAddress): Promise<OpenedPicture> {
  const name = nameOfAddress(address);
  const problem = { ok: false, name, problem: "not-fetched" } as const;
  const held = readDataAddress(address);
  if (held !== undefined) return openPicture(held, name);
  if (!/^https?:$/.test(URL.parse(address)?.protocol ?? "")) return problem;
  let blob: Blob | "silent";
  try {
    const init: RequestInit = { mode: "cors", credentials: "omit", referrerPolicy: "no-referrer" };
    blob = await read(address, init, largestBytes);
  } catch {
    // The browser does not tell a page why: no such server, no permission, no connection.
    return problem;
  }
  if (blob === "silent") return { ...problem, problem: "silent" };
  return openPicture(blob, name);
}

/** Edges as shares of the width and height, 0 to 1. */
export interface CropFrame {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** The part of a picture inside the frame, as a picture of its own; rejects when the browser can't draw it. */
export async function cropPicture(picture: Picture, frame: CropFrame): Promise<Picture> {
  const bitmap = await createImageBitmap(picture.blob);
  try {
    const x = Math.round(frame.left * bitmap.width);
    const y = Math.round(frame.top * bitmap.height);
    const width = Math.max(1, Math.round(frame.right * bitmap.width) - x);
    const height = Math.max(1, Math.round(frame.bottom * bitmap.height) - y);
    const canvas = new OffscreenCanvas(width, height);
    const context = canvas.getContext("2d");
    if (context === null) throw new Error("no canvas to draw on");
    context.drawImage(bitmap, x, y, width, height, 0, 0, width, height);
    // A photograph stays a photograph; anything else keeps every pixel.
    const type = picture.blob.type === "image/jpeg" ? "image/jpeg" : "image/png";
    return { id: newId(), name: picture.name, blob: await canvas.convertToBlob({ type, quality: 0.95 }) };
  } finally {
    bitmap.close();
  }
}
