// Which of the files that were given are for the import. Small, because the page asks it of every drop.

/** Whether a file may hold conversations, by its name: then it is for `importFiles`, with all that was given beside it. */
export function mayHoldConversations(file: Pick<File, "name">): boolean {
  return /\.(?:json|jsonl|zip)$/i.test(file.name);
}
