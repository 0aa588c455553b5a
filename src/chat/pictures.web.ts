// Opens the files a user gives, by letting the browser decode them: what it can decode here, the worker can decode too.
import type { Picture } from "./conversation.ts";
import { newId } from "./new-id.ts";
import { sniffBytes, sniffFormat } from "./sniff.ts";

/** Why a file is not a picture we can use; the page has a sentence for each. */
export type PictureProblem = "heic" | "broken" | "not-a-picture" | "unreadable" | "not-fetched" | "silent";

export type OpenedPicture =
  | { readonly ok: true; readonly picture: Picture }
  | { readonly ok: false; readonly name: string; readonly problem: PictureProblem };

/** Copies the bytes, so that the picture stays readable when its file changes, and checks that they decode. */
export async function openPicture(file: Blob, name: string): Promise<OpenedPicture> {
  let bytes: ArrayBuffer;
  try {
    bytes = await file.arrayBuffer();
  } catch {
    return { ok: false, name, problem: "unreadable" };
  }
  const format = sniffFormat(new Uint8Array(bytes, 0, Math.min(sniffBytes, bytes.byteLength)));
  const type = format === "unknown" ? file.type : `image/${format}`;
  const blob = new Blob([bytes], { type });
  try {
    // Only whether it decodes matters here, so the bitmap may be tiny.
    const bitmap = await createImageBitmap(blob, { resizeWidth: 16, resizeHeight: 16, resizeQuality: "low" });
    bitmap.close();
    return { ok: true, picture: { id: newId(), name, blob } };
  } catch {
    return { ok: false, name, problem: format === "heic" ? "heic" : format === "unknown" ? "not-a-picture" : "broken" };
  }
}
