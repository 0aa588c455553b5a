// A conversation read from a file, and what can be wrong with one. Data only; read-sample.ts reads it.

/** Where a picture is: a name that the reader's caller looks up, or its bytes as base64 in the data itself. */
export type PictureRef =
  { readonly kind: "name"; readonly name: string } | { readonly kind: "data"; readonly base64: string };

export type SampleTurn =
  | {
      readonly role: "user";
      readonly text: string;
      readonly pictures: readonly PictureRef[];
      /** Text and pictures in their order: LLaVA's value, character by character, with a picture for each `<image>`. */
      readonly pieces: readonly Piece[];
    }
  | { readonly role: "assistant"; readonly text: string };

export type Piece = string | PictureRef;

/** A part of a conversation that is dropped while the rest is read. */
export type Loss =
  /** An answer before the first question, as LLaVA drops it. */
  | "early-answer"
  /** Instructions in the middle of the conversation. */
  | "late-system"
  /** A mark for a picture that the data does not name. */
  | "mark"
  /** A picture that is named in no way we know, or is one too many. */
  | "picture"
  /** A video, a sound, a document. */
  | "media";

export interface Sample {
  /** The system prompt; "" for none. */
  readonly system: string;
  /** Speakers take turns, and a question comes first. */
  readonly turns: readonly SampleTurn[];
  /** How often each loss happened. */
  readonly lost: ReadonlyMap<Loss, number>;
  /** Pictures that no question has a place for, though the data marks places; they are the first question's. */
  readonly unplaced: number;
}

/** Why a conversation can't be read. */
export type SampleProblem =
  "not-a-conversation" | "no-turns" | "unknown-speaker" | "not-alternating" | "text-too-long" | "too-many-turns";

/** The bytes of a picture embedded in the data; undefined where they are not base64. */
export function dataBlob(ref: PictureRef & { readonly kind: "data" }): Blob | undefined {
  try {
    const binary = atob(ref.base64.replace(/\s+/g, ""));
    return new Blob([Uint8Array.from(binary, (character) => character.charCodeAt(0))]);
  } catch {
    return undefined;
  }
}
