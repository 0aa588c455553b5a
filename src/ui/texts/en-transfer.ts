// English sentences about export and import.
import type { FileProblem, ItemProblem, PictureTrouble } from "#chat/import-problems.ts";

const fileProblems: Record<FileProblem, (file: string) => string> = {
  "zip-damaged": (file) => `“${file}” is damaged or no zip file. Get it anew, then try again.`,
  "zip-encrypted": (file) => `“${file}” is locked with a password. Unlock it first, then import the files in it.`,
  "zip-too-large": (file) => `“${file}” holds too much for one zip file. Split it into several.`,
  "too-large": (file) => `The text in “${file}” is longer than 64 MB. Split it into several files.`,
  "not-readable": (file) => `“${file}” could not be read. Save it on this device first, then try again.`,
  "not-json": (file) => `“${file}” is no valid JSON. Check where it breaks off, or export it again.`,
  "unknown-format": (file) => `“${file}” holds neither a backup of this page nor data in LLaVA's training format.`,
  "newer-version": (file) => `“${file}” was made by a newer version of this page. Reload the page, then try again.`,
  empty: (file) => `“${file}” holds no conversations.`,
  "too-many": (file) => `“${file}” holds more than 2,000 conversations. The first 2,000 were opened.`,
  "pictures-too-large": (file) => `The pictures in “${file}” are too many to open at once. Some were left out.`,
};

const itemProblems: Record<ItemProblem, string> = {
  "not-a-conversation": "it is not a conversation in a form this page knows.",
  "no-turns": "nobody says anything in it.",
  "unknown-speaker": "somebody else than “human” and “gpt” speaks in it.",
  "not-alternating": "its speakers do not take turns.",
  "starts-with-answer": "it starts with an answer.",
  "text-too-long": "one of its texts is too long.",
  "too-many-turns": "it has too many turns.",
  "broken-links": "its parts do not fit together.",
};

const pictureTroubles: Record<PictureTrouble, (picture: string) => string> = {
  missing: (picture) => `“${picture}” is not among the files. Drop it together with them, or put it into the zip.`,
  elsewhere: (picture) => `“${picture}” lies elsewhere, and pictures from elsewhere are never fetched.`,
  broken: (picture) => `“${picture}” is no picture that this browser can open.`,
  "too-large": (picture) => `“${picture}” is larger than 64 MB.`,
};

const count = (number: number): string => (number === 1 ? "1 conversation" : `${number} conversations`);

export const transfer = {
  title: "Export and import",
  what: "What",
  scopes: { this: "This conversation", all: "All conversations" },
  format: "As",
  formats: { markdown: "Markdown", llava: "LLaVA data", backup: "Backup", votes: "Votes" },
  formatHints: {
    markdown: "To read or to pass on; pictures come along in a zip.",
    llava: "LLaVA's training format: JSON and its pictures in a zip.",
    backup: "Everything, other answers and votes too; this page can restore it. No settings, addresses or keys.",
    votes: "Thumbs, flags and votes side by side as JSON lines, with what was asked and answered.",
  },
  exportButton: "Export",
  exportOutcomes: {
    done: "The file is on its way to your downloads.",
    nothing: "There is nothing to export yet.",
    "too-large": "That is more than 4 GB, too much for one zip file. Export single conversations.",
    failed: "The export failed. Reload the page, then try again.",
  },
  importTitle: "Import",
  importHint: "A backup, or LLaVA data as JSON or zip. You can also drop the files on the page, pictures beside them.",
  importButton: "Choose files",
  importing: "Opening the files…",
  importBusy: "An answer is under way. Import when it has ended.",
  opened: (number: number) => (number === 0 ? "No conversation was opened." : `${count(number)} opened.`),
  notKept: "The browser's storage is full or blocked, so not all of it could be kept. Free some space, then try again.",
  importFailed: "The files could not be opened. Reload the page, then try again.",
  itemLeftOut: (item: number, file: string, why: string) => `Conversation ${item} of “${file}” was left out: ${why}`,
  morePoints: (number: number) => (number === 1 ? "One more like these." : `${number} more like these.`),
  fileProblems,
  itemProblems,
  pictureTroubles,
};
