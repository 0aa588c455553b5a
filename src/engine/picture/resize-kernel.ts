// Written by `npm run build:kernels` from kernels/resize.ts; not to be edited.

/** What kernels/resize.ts exports; it imports its memory. */
export interface ResizeKernel {
  layOnWhite(line: number, pixels: number): void;
  across(line: number, table: number, outputs: number, fill: number, to: number): void;
  down(from: number, bytes: number, count: number, weights: number, to: number): void;
}

// prettier-ignore
const base64 = [
  "AGFzbQEAAAABDgJgBX9/f39/AGACf38AAg8BA2VudgZtZW1vcnkCAAEDBAMBAAAHJwQKbGF5T25XaGl0ZQAABmFjcm9zcwACBGRvd24AAQZtZW1vcnkCAArtBAN/AQJ/IA",
  "AgAUECdGohAQNAIAAgAUkEQCAALQADIgJB/wFHBEAgACACQYF+bEGA/QNqIgMgAC0AACACbGpB/wFuOgAAIAAgAC0AASACbCADakH/AW46AAEgACAALQACIAJsIANqQf8B",
  "bjoAAiAAQf8BOgADCyAAQQRqIQAMAQsLC50CAgN/B3sDQCABIAVLBED9DAAAIAAAACAAAAAgAAAAIAAhCP0MAAAgAAAAIAAAACAAAAAgACEJ/QwAACAAAAAgAAAAIAAAAC",
  "AAIQr9DAAAIAAAACAAAAAgAAAAIAAhCyAAIAVqIQdBACEGA0AgAiAGSgRAIAggAyAGQQJ0av0JAgAiDCAH/QAEACIN/YkBIg79qQH9tQH9rgEhCCAJIAwgDv2qAf21Af2u",
  "ASEJIAogDCAN/YoBIg39qQH9tQH9rgEhCiALIAwgDf2qAf21Af2uASELIAEgB2ohByAGQQFqIQYMAQsLIAQgBWogCEEW/awBIAlBFv2sAf2FASAKQRb9rAEgC0EW/awB/Y",
  "UB/Wb9CwQAIAVBEGohBQwBCwsLywECAnsDfyAD/RH9iQH9qQEhBgNAIAIgCEoEQCAAIAEoAgBBAnRqIQMgACABKAIEQQJ0aiEJIAEoAgghB/0MAAAgAAAAIAAAACAAAAAg",
  "ACABKAIM/REgBv21Af2uASEFA0AgAyAJSQRAIAUgB/0JAgAgA/1cAgD9iQH9qQH9tQH9rgEhBSAHQQRqIQcgA0EEaiEDDAELCyAEIAVBFv2sASIFIAX9hQEiBSAF/Wb9Gw",
  "A2AgAgBEEEaiEEIAFBEGohASAIQQFqIQgMAQsLCw==",
].join("");

/** The WebAssembly's bytes. */
export function resizeKernelBytes(): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}
