// Lets a test decode picture files with the browser's own decoders. Bundled by the test that opens it; no part of the app.
import { openPicture } from "#chat/pictures/pictures.web.ts";
import { decodeImage } from "#engine/picture/decode.web.ts";
import { EngineError } from "#engine/errors.ts";

/** Size and the RGBA values at the asked places, or how decoding was refused. */
export type Decoded =
  | { readonly width: number; readonly height: number; readonly colours: readonly (readonly number[])[] }
  | { readonly code: string; readonly message: string };

declare global {
  interface Window {
    /** As the page opens a picture and the worker decodes it: size and all pixels, or why it is not opened. */
    openFile: (base64: string) => Promise<{ width: number; height: number; rgba: number[] } | { problem: string }>;
    /** `places` are fractions of width and height. */
    decodeFile: (base64: string, places: readonly (readonly [number, number])[]) => Promise<Decoded>;
  }
}

window.openFile = async (base64) => {
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  const opened = await openPicture(new Blob([bytes]), "picture");
  if (!opened.ok) return { problem: opened.problem };
  const { width, height, data } = await decodeImage(opened.picture.blob);
  return { width, height, rgba: [...data] };
};
window.decodeFile = async (base64, places) => {
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  try {
    const { width, height, data } = await decodeImage(new Blob([bytes]));
    const colours = places.map(([x, y]) => {
      const at = 4 * (Math.floor(y * height) * width + Math.floor(x * width));
      return [...data.slice(at, at + 4)];
    });
    return { width, height, colours };
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    return { code: error.code, message: error.message };
  }
};
document.body.textContent = "ready";
