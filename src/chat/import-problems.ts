// Everything that can be wrong with a file somebody gives to import; the page has a sentence for each. Data only.
import type { ZipProblem } from "./import-zip.ts";

/** What is wrong with a whole file. */
export type FileProblem =
  | ZipProblem
  | "too-large"
  | "not-readable"
  | "not-json"
  | "unknown-format"
  | "newer-version"
  | "empty"
  | "too-many"
  | "pictures-too-large";

/** Why one conversation of a file was left out. */
export type ItemProblem =
  | "not-a-conversation"
  | "no-turns"
  | "unknown-speaker"
  | "not-alternating"
  | "starts-with-answer"
  | "text-too-long"
  | "too-many-turns"
  | "broken-links";

/** Why a picture is missing in a conversation that was opened. */
export type PictureTrouble = "missing" | "elsewhere" | "broken" | "too-large";

export type ImportProblem =
  | { readonly kind: "file"; readonly problem: FileProblem; readonly file: string }
  /** `item` counts from 1. */
  | { readonly kind: "item"; readonly problem: ItemProblem; readonly file: string; readonly item: number }
  | { readonly kind: "picture"; readonly problem: PictureTrouble; readonly picture: string; readonly item: number };

/** How much an import may hold; sizes in bytes. */
export const importLimits = {
  /** Of a file with text. */
  jsonBytes: 64 * 2 ** 20,
  pictureBytes: 64 * 2 ** 20,
  conversations: 2000,
  turns: 2000,
  /** Of one turn, in UTF-16 units. */
  textLength: 200_000,
  pathLength: 1000,
} as const;
