// The files of folders that were dropped on the page, by path. Does not interpret them.

/** A folder with more files is neither a model nor a conversation. */
const mostFiles = 10_000;

/** The dropped folders, if any. Call it inside the drop event: the browser empties the DataTransfer afterwards. */
export function droppedFolders(transfer: DataTransfer | null): FileSystemDirectoryEntry[] {
  const entries = [...(transfer?.items ?? [])].map((item) => item.webkitGetAsEntry());
  return entries.filter((entry): entry is FileSystemDirectoryEntry => entry?.isDirectory === true);
}

/** At most `most` files of the folders by path, which starts with the folder's name. Files that can't be read are left out. */
export async function readFolders(
  folders: readonly FileSystemDirectoryEntry[],
  most = mostFiles,
): Promise<Map<string, File>> {
  const files = new Map<string, File>();
  const waiting: FileSystemEntry[] = [...folders];
  for (let entry = waiting.shift(); entry !== undefined && files.size < most; entry = waiting.shift()) {
    try {
      if (isDirectory(entry)) waiting.push(...(await list(entry)));
      else if (isFile(entry)) files.set(entry.fullPath.replace(/^\//, ""), await open(entry));
    } catch {
      // The file may not be read. The import reports what is missing.
    }
  }
  return files;
}

async function list(folder: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = folder.createReader();
  const all: FileSystemEntry[] = [];
  for (;;) {
    // readEntries returns up to a hundred entries per call, and an empty array at the end.
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (some.length === 0) return all;
    all.push(...some);
  }
}

const open = (entry: FileSystemFileEntry): Promise<File> =>
  new Promise((resolve, reject) => entry.file(resolve, reject));

const isDirectory = (entry: FileSystemEntry): entry is FileSystemDirectoryEntry => entry.isDirectory;
const isFile = (entry: FileSystemEntry): entry is FileSystemFileEntry => entry.isFile;
