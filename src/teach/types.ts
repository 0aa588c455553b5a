// What teaching a model takes and tells, as structured-cloneable data: examples in, events out, a LoRA adapter at the end. Types only.

/** One exchange about a picture. */
export interface TaughtTurn {
  readonly question: string;
  readonly answer: string;
}

/** A picture with what the model shall answer about it. Turns follow one another in one conversation; the first answer names what is taught. */
export interface TeachExample {
  /** The caller's own name for it; events refer to it. */
  readonly id: string;
  /** The undecoded file. */
  readonly picture: Blob;
  /** At least one. */
  readonly turns: readonly TaughtTurn[];
}

export interface TeachOptions {
  /** Of the adapter's matrices, 1 to 64; default 8. */
  readonly rank?: number | undefined;
  /** Training ends after this time at the latest, with the best so far; default 3. */
  readonly minutes?: number | undefined;
  /** Same seed and examples, same split and same order; default 1. */
  readonly seed?: number | undefined;
  /** What part of each answer's pictures is held out, 0 to 0.5; default 0.25, and one picture of each answer at least. */
  readonly heldOut?: number | undefined;
  /** Threads that compute; default one per core. */
  readonly threads?: number | undefined;
}

/** Why examples can't be taught as they are. The page has a sentence with the next step for each. */
export type TeachProblem =
  | { readonly kind: "too-few-pictures"; readonly pictures: number; readonly least: number }
  | { readonly kind: "empty-text"; readonly id: string }
  | { readonly kind: "unreadable-picture"; readonly id: string }
  /** One picture is shown with two different answers to one question. */
  | { readonly kind: "contradiction"; readonly ids: readonly string[]; readonly question: string }
  /** Question, picture and answer are longer than what is trained at a time. */
  | { readonly kind: "too-long"; readonly id: string; readonly tokens: number; readonly most: number }
  /** The model's decoder is none that is taught here; `why` is an English phrase for those who want to know. */
  | { readonly kind: "other-architecture"; readonly why: string }
  /** The package has no room for an adapter. */
  | { readonly kind: "no-room" }
  | { readonly kind: "too-large"; readonly bytes: number; readonly most: number };

/** What teaching would take, before the first step. */
export interface TeachPlan {
  /** Empty where it can begin. */
  readonly problems: readonly TeachProblem[];
  /** Answers with a single picture, which is trained on, so that nothing tells whether it was learned. */
  readonly singles: readonly string[];
  /** Ids of examples that would be held out, of those that would choose the step and the strength, and of those that would be trained on. */
  readonly heldOut: readonly string[];
  readonly choosing: readonly string[];
  readonly trained: readonly string[];
  /** Main memory at its peak. */
  readonly bytes: number;
  /** An estimate from a step measured here; undefined where there are problems. */
  readonly seconds: number | undefined;
}

/** A question about a held-out picture, asked before or after; where none is held out, about those that were trained on. */
export interface HeldOutAnswer {
  readonly id: string;
  readonly asked: string;
  readonly wanted: string;
  readonly answered: string;
  /** Same words, whatever their case, punctuation and articles. */
  readonly right: boolean;
}

/** In this order: `prepare` (several), `before`, `step` (many), `saving`, `after`. */
export type TeachEvent =
  /** `pictures`: looked at; `replay`: what the model itself answers, kept against forgetting. */
  | {
      readonly type: "prepare";
      readonly what: "model" | "pictures" | "replay";
      readonly done: number;
      readonly total: number;
    }
  | { readonly type: "before"; readonly answers: readonly HeldOutAnswer[] }
  | {
      readonly type: "step";
      readonly step: number;
      readonly steps: number;
      /** Mean cross-entropy per trained token of this step's rows, in nats. */
      readonly loss: number;
      /** Of the own questions of the pictures that choose, as last measured. */
      readonly asideLoss: number | undefined;
      readonly secondsLeft: number;
    }
  | { readonly type: "saving" }
  | { readonly type: "after"; readonly answers: readonly HeldOutAnswer[] };

/** What to do with what is learned when the signal aborts: make the adapter of the best step so far, or leave nothing. */
export type OnStop = "keep" | "discard";

export interface TeachResult {
  /** Held-out questions answered right, of how many. */
  readonly before: { readonly right: number; readonly of: number };
  readonly after: { readonly right: number; readonly of: number };
  readonly steps: number;
  /** Whether the held-out pictures also chose the step and the strength, so that `after` flatters. */
  readonly chosenByHeldOut: boolean;
  /** The step whose matrices were kept: the one with the least loss on what chooses. */
  readonly bestStep: number;
  readonly seconds: number;
  /** Whether it ended early because it was stopped. */
  readonly stopped: boolean;
}
