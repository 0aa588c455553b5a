// English sentences about export and import.
import type { FileProblem, ItemLoss, ItemProblem, PictureTrouble } from "#chat/transfer/import-problems.ts";

const fileProblems: Record<FileProblem, (file: string) => string> = {
  "zip-damaged": (file) => `“${file}” is damaged or isn't a zip file. Get a new copy, then try again.`,
  "zip-encrypted": (file) => `“${file}” is password-protected. Unlock it first, then import its files.`,
  "zip-too-large": (file) => `“${file}” contains too much for one zip file. Split it into several.`,
  "too-large": (file) => `“${file}” contains more text than this page can open at once. Split it into several files.`,
  "not-readable": (file) => `“${file}” couldn't be read. Save it on this device first, then try again.`,
  "not-json": (file) => `“${file}” isn't valid JSON. Check whether it was cut off, or export it again.`,
  "breaks-off": (file) => `“${file}” is cut off in the middle. Everything before that point was opened.`,
  "unknown-format": (file) =>
    `“${file}” contains neither a backup from this page nor conversations in LLaVA, ShareGPT, or OpenAI format.`,
  "newer-version": (file) => `“${file}” was made by a newer version of this page. Reload the page, then try again.`,
  empty: (file) => `“${file}” contains no conversations.`,
  "too-many": (file) =>
    `“${file}” contains more than this page opens at once (2,000 conversations or 16 MB of text). Split it to open the rest.`,
  "pictures-too-large": (file) => `“${file}” contains too many pictures to open at once. Some were left out.`,
};

const itemProblems: Record<ItemProblem, string> = {
  "not-a-conversation": "it isn't a conversation in a format this page knows.",
  "no-turns": "it has no messages.",
  "unknown-speaker": "it has a speaker who is neither the user nor the assistant.",
  "not-alternating": "its speakers don't take turns.",
  "starts-with-answer": "it starts with an answer.",
  "text-too-long": "one of its messages is too long.",
  "too-many-turns": "it has too many messages.",
  "broken-links": "its parts don't fit together.",
};

const pictureTroubles: Record<PictureTrouble, (picture: string) => string> = {
  missing: (picture) => `“${picture}” is not among the files. Drop it along with them, or put it in the zip.`,
  elsewhere: (picture) => `“${picture}” is stored elsewhere, and pictures from elsewhere are never downloaded.`,
  broken: (picture) => `“${picture}” isn't a picture this browser can open.`,
  "too-large": (picture) => `“${picture}” is larger than 64 MB.`,
};

const itemLosses: Record<ItemLoss, (count: number) => string> = {
  system: () => "its system prompt was left out because this page doesn't use one.",
  "early-answer": (count) =>
    count === 1
      ? "an answer before the first question was left out."
      : `${count} answers before the first question were left out.`,
  "late-system": () => "system messages in the middle were left out.",
  mark: (count) =>
    count === 1 ? "an image placeholder has no picture." : `${count} image placeholders have no picture.`,
  picture: (count) =>
    count === 1 ? "1 picture couldn't be read." : `${count} pictures couldn't be read or were too many.`,
  media: (count) =>
    count === 1
      ? "1 video, audio, or other attachment was left out."
      : `${count} videos, audio, or other attachments were left out.`,
};

const count = (number: number): string => (number === 1 ? "1 conversation" : `${number} conversations`);

export const transfer = {
  title: "Export and import",
  what: "Content",
  scopes: { this: "This conversation", all: "All conversations" },
  format: "Format",
  reviewLink: "Open them side by side",
  formats: { markdown: "Markdown", llava: "LLaVA data", backup: "Backup", votes: "Votes" },
  formatHints: {
    markdown: "For reading and sharing; with pictures, as a zip.",
    llava: "LLaVA's training format: a zip with JSON and pictures.",
    backup:
      "Everything, including other versions of answers and votes. This page can restore it. Settings, addresses, and keys are not included.",
    votes: "Ratings, flags, and comparison votes as JSON Lines, with questions and answers.",
  },
  exportButton: "Export",
  exportOutcomes: {
    done: "The file is being saved to your downloads.",
    nothing: "There is nothing to export yet.",
    "too-large": "This is more than 4 GB, too much for one zip file. Export conversations one at a time.",
    failed: "The export failed. Reload the page, then try again.",
  },
  importTitle: "Import",
  importHint:
    "A backup, or conversations in LLaVA, ShareGPT, or OpenAI format as JSON or zip. You can also drop the files on the page along with their pictures.",
  importButton: "Choose files",
  importing: (opened: number) => (opened === 0 ? "Opening the files…" : `Opening the files… ${count(opened)} so far.`),
  stopImport: "Stop",
  stopped: "You stopped the import.",
  importBusy: "An answer is in progress. Import once it has finished.",
  opened: (number: number) => (number === 0 ? "No conversations were opened." : `${count(number)} opened.`),
  notKept:
    "The browser's storage is full or blocked, so not everything could be saved. Free up some space, then try again.",
  picturesNotKept: (number: number) =>
    `The browser's storage has no room for ${number === 1 ? "1 picture" : `${number} pictures`}; all text is saved. Free up some space, then import again.`,
  importFailed: "The files couldn't be opened. Reload the page, then try again.",
  itemLeftOut: (item: number, file: string, why: string) => `Conversation ${item} of “${file}” was left out: ${why}`,
  itemLost: (item: number, file: string, what: string) => `Conversation ${item} of “${file}”: ${what}`,
  likeThis: (number: number) => `(${number} more like this.)`,
  morePoints: (number: number) => (number === 1 ? "1 more problem like these." : `${number} more problems like these.`),
  fileProblems,
  itemProblems,
  itemLosses,
  pictureTroubles,
};
