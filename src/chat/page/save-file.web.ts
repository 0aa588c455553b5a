// Files that the user keeps.

/** Time enough for the browser to read a file of some gigabytes. */
const savingMs = 600_000;

/** Lets the browser save the file as a download. */
export function saveFile(blob: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), savingMs);
}
