// Every kind of thing that can be wrong with data for training, and what it is called. Data only.
import type { ReadSample } from "#samples/read-samples.ts";
import type { Loss } from "#samples/sample.ts";
import type { PictureFault } from "#data/picture-state.ts";

export type FindingKind =
  | (ReadSample["sample"] & string)
  | "mark"
  | "unplaced"
  | "mark-in-answer"
  | "early-answer"
  | "late-system"
  | "picture"
  | "media"
  | `picture-${PictureFault}`
  | "empty-answer"
  | "empty-question"
  | "no-answer"
  | "long-answer"
  | "box-outside"
  | "box-reversed"
  | "same-id"
  | "inexact-id"
  | "same-conversation"
  | "template-token"
  | "bad-characters"
  | "unanswered"
  | "aside";

interface KindOfFinding {
  /** An error breaks training, or trains on what is not there; a warning is worth a look. */
  readonly level: "error" | "warning";
  readonly title: string;
}

const error = (title: string): KindOfFinding => ({ level: "error", title });
const warning = (title: string): KindOfFinding => ({ level: "warning", title });

/** In the order in which they are shown. */
export const findingKinds: Readonly<Record<FindingKind, KindOfFinding>> = {
  broken: error("the JSON breaks off or is broken here, and nothing after it was read"),
  "too-large": error("too large to be one conversation (over 64 MB); read over"),
  "not-a-conversation": error("no conversation: neither {conversations}, {messages} nor {text}"),
  "no-turns": error("a conversation without a turn"),
  "unknown-speaker": error("a speaker who is neither user, assistant nor system"),
  "not-alternating": error("two turns of one speaker in a row"),
  "text-too-long": error("a text of over 200,000 characters"),
  "too-many-turns": error("over 2,000 turns"),
  mark: error("places for pictures (<image>) without a picture"),
  unplaced: error("pictures without a place (<image>): the model would not see them"),
  "mark-in-answer": error("<image> in an answer, where no picture can be"),
  picture: error("pictures that are named in no known way, are in an answer, or are over 500"),
  "picture-missing": error("pictures that are not there"),
  "picture-empty": error("picture files without content"),
  "picture-unreadable": error("picture files that are no pictures"),
  "picture-elsewhere": error("pictures named by an address: nothing is fetched; download them and name the files"),
  "picture-cut": warning("picture files without their end (cut off while copying)"),
  "empty-answer": error("answers without a word"),
  "box-outside": error("boxes that leave the picture (values outside 0 to 1)"),
  "box-reversed": error("boxes whose right side is left of the left one, or whose bottom is above the top"),
  "early-answer": warning("answers before the first question, which LLaVA drops"),
  "no-answer": warning("a last question without an answer, which trains nothing"),
  "empty-question": warning("questions without a word and without a picture"),
  "long-answer": warning("long answers"),
  "late-system": warning("system prompts after the first question"),
  media: warning("videos, sounds or other parts beside text and pictures"),
  "same-id": warning("ids that an earlier conversation has"),
  "inexact-id": warning("numbers as ids that are too long to stay exact; write them as text"),
  "same-conversation": warning("conversations that are there already: same words, same pictures"),
  "template-token": warning(
    "words of chat templates in texts (</s>, <|im_end|>, [INST] …), which can break label masks",
  ),
  "bad-characters": warning("characters that were lost in a wrong encoding (\uFFFD)"),
  unanswered: warning("questions of the app's backup without an answer"),
  aside: warning("answers and edited questions of the app's backup that are not shown"),
};

/** The reader's losses are findings under the same names. */
export const kindOfLoss: Readonly<Record<Loss, FindingKind>> = {
  mark: "mark",
  picture: "picture",
  media: "media",
  "late-system": "late-system",
  "early-answer": "early-answer",
};
