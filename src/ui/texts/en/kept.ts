// English sentences about what is kept of a conversation and what is not.
const plural = (count: number, one: string, many: string): string => (count === 1 ? one : many);
const messages = (count: number): string => plural(count, "the last message", `the last ${count} messages`);

export const kept = {
  blocked: "This browser doesn't keep data for this page: the conversation will be lost when you leave.",
  blockedPart: (turns: number) =>
    `The browser couldn't save ${messages(turns)} and will lose ${plural(turns, "it", "them")} when you leave. Earlier messages are saved.`,
  full: "The browser's storage is full: this conversation isn't saved and will be lost when you leave.",
  fullPart: (turns: number) =>
    `The browser's storage is full: ${messages(turns)} will be lost when you leave. Earlier messages are saved.`,
  pictures: (count: number) =>
    `The browser's storage is full: ${plural(count, "1 picture", `${count} pictures`)} in this conversation will be lost when you leave. All text is saved.`,
  freeSpace: "Free up space",
  deletedElsewhere: "This conversation was deleted in another tab and is no longer saved.",
  keep: "Keep it",
  crashed: (title: string) => `The page closed unexpectedly while showing “${title}”, so it wasn't opened again.`,
  missing: "This conversation isn't on this device. It was deleted, or it belongs to another browser.",
  openAnyway: "Open it",
};
