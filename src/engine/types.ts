// The engine's requests and events, as structured-cloneable data. The hub and remote wings yield the same events.

/** A picture as the user gave it: the undecoded file. Two parts with the same bytes share their image features. */
export interface ImagePart {
  readonly type: "image";
  readonly blob: Blob;
  /** Identifies the copies of one Blob, since a worker gets a new copy with every call, so that the picture is hashed once. */
  readonly id?: string | undefined;
}

interface TextPart {
  readonly type: "text";
  readonly text: string;
}

export type Part = TextPart | ImagePart;

type Role = "system" | "user" | "assistant";

/** One message of a conversation; the parts are in reading order. */
export interface Message {
  readonly role: Role;
  readonly parts: readonly Part[];
}

/** How the next token is chosen. `temperature` 0 (or ≤ 0.001) is greedy; filters of value 0 or 1 (see each) are off. */
export interface Sampling {
  readonly temperature: number;
  /** Keep the k most likely tokens; 0 is off. */
  readonly topK: number;
  /** Keep the smallest set of tokens whose probabilities add up to p; 1 is off. */
  readonly topP: number;
  /** Drop tokens less likely than minP × the most likely one; 0 is off. */
  readonly minP: number;
  /** Divide (positive) or multiply (negative) the logits of tokens seen before; 1 is off. */
  readonly repetitionPenalty: number;
  /** Same seed, same answer; absent draws one. */
  readonly seed?: number;
}

/** How a picture that is not square becomes one; "auto" is what the package says. */
export type ImageMode = "auto" | "pad" | "crop" | "resize";

/**
 * How closely a picture is looked at by models that can see it in tiles: "quick" encodes it whole, "every" in all its tiles too; "auto" takes
 * what this device does in a few seconds.
 */
export type PictureDetail = "auto" | "quick" | "every";

export interface GenerateRequest {
  /** The whole conversation, ending with a user message (or with an assistant message to be continued). */
  readonly messages: readonly Message[];
  readonly sampling: Sampling;
  readonly maxNewTokens: number;
  /** Generation ends when the text contains one of these; they are not part of the answer. */
  readonly stop: readonly string[];
  readonly imageMode?: ImageMode;
  readonly detail?: PictureDetail;
}

export type Stage = "image" | "vision" | "prefill" | "decode";

/** The vision encoder's classification of a picture. */
export type PictureKind = "photograph" | "drawing";

/** The kinds of a request's pictures, in the order of its image parts; undefined where the model does not classify them. */
export type PictureKinds = readonly (PictureKind | undefined)[];

/** Milliseconds per part of one answer; `firstTokenMs` counts from the request to the first token. */
export interface Timings {
  readonly imageMs: number;
  readonly visionMs: number;
  readonly prefillMs: number;
  readonly decodeMs: number;
  readonly firstTokenMs: number;
  readonly totalMs: number;
}

/** Token counts of one answer; `cachedTokens` of the prompt were already in the KV cache. */
export interface Usage {
  readonly promptTokens: number;
  readonly cachedTokens: number;
  readonly imageTokens: number;
  readonly newTokens: number;
}

/** "length": the answer has maxNewTokens; "context": the context is full. */
export type FinishReason = "eos" | "stop" | "length" | "context" | "abort";

/** Yielded in this order: stages (progress, not promised), text pieces, one `done`; `waiting` at any time. Text never holds a broken UTF-8 character. */
export type GenerateEvent =
  | { readonly type: "stage"; readonly stage: Stage; readonly done: number; readonly total: number }
  | { readonly type: "text"; readonly text: string }
  // How long a server has sent nothing; 0 once bytes arrive again. The engines of this device never yield it.
  | { readonly type: "waiting"; readonly silentMs: number }
  | {
      readonly type: "done";
      readonly reason: FinishReason;
      /** A server's own finish reason where it is none of these; "" where the stream ended without one. */
      readonly ending?: string;
      readonly usage: Usage;
      readonly timings: Timings;
      /** Absent from remote servers and the hub's library, which do not classify pictures. */
      readonly pictures?: PictureKinds;
    };

export type Device = "webgpu" | "wasm" | "cpu";

/** 8-bit RGBA pixels, row-major, upright (EXIF orientation applied), not premultiplied. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8ClampedArray | Uint8Array; // [height, width, 4]
}

/** The files of one model package, wherever they are kept. Paths are relative to the package folder. */
export interface PackageFiles {
  /** Bytes of one whole file; cheap to call (a Blob is a handle); throws EngineError("bad-package") when absent. */
  blob(path: string): Promise<Blob>;
  /** Where the file lies on disk, on hosts where the package is a folder; lets weights be mapped instead of copied. */
  localPath?(path: string): string;
}
