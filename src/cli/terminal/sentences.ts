// Errors of the engine as sentences with a next step, for people at a terminal.
import { errorCodeOf, type ErrorCode } from "#engine/errors.ts";

const sentences: Partial<Record<ErrorCode, (detail: string) => string>> = {
  "bad-package": (detail) => `The model package can't be used: ${detail}. Make it again with \`llava convert\`.`,
  "bad-image": (detail) =>
    detail.startsWith("heic")
      ? "HEIC pictures can't be read here. Save the picture as JPEG or PNG and try again."
      : `The picture can't be read: ${detail}. Try another file (PNG, JPEG, WebP, GIF or AVIF).`,
  "bad-input": (detail) => `That can't be asked: ${detail}.`,
  "context-full": (detail) => `The conversation is too long (${detail}). Start a new one, or use fewer pictures.`,
  "out-of-memory": () => "There is not enough memory for this model. Close other programs, or take a smaller model.",
};

/** One sentence for anything thrown. */
export function sentenceFor(error: unknown): string {
  const detail = error instanceof Error ? error.message : String(error);
  return sentences[errorCodeOf(error)]?.(detail) ?? detail;
}
