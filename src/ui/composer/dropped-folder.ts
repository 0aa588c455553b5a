// The files of folders that were dropped on the page, by path. Knows nothing of what becomes of them.

/** More are no model and no conversation. */
const mostFiles = 10_000;

/** The dropped folders, or none; to be asked while the drop is handled, since it is forgotten afterwards. */
export function droppedFolders(transfer: DataTransfer | null): FileSystemDirectoryEntry[] {
  const entries = [...(transfer?.items ?? [])].map((item) => item.webkitGetAsEntry());
  return entries.filter((entry): entry is FileSystemDirectoryEntry => entry?.isDirectory === true);
}

/** Paths start with the folder's name; what can't be read is left out. */
export async function readFolders(folders: readonly FileSystemDirectoryEntry[]): Promise<Map<string, File>> {
  const files = new Map<string, File>();
  const waiting: FileSystemEntry[] = [...folders];
  for (let entry = waiting.shift(); entry !== undefined && files.size < mostFiles; entry = waiting.shift()) {
    try {
      if (isDirectory(entry)) waiting.push(...(await list(entry)));
      else if (isFile(entry)) files.set(entry.fullPath.replace(/^\//, ""), await open(entry));
    } catch {
      // A file without permission: the import says what is missing.
    }
  }
  return files;
}

async function list(folder: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = folder.createReader();
  const all: FileSystemEntry[] = [];
  for (;;) {
    // Given a hundred at a time, and none at the end.
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (some.length === 0) return all;
    all.push(...some);
  }
}

const open = (entry: FileSystemFileEntry): Promise<File> =>
  new Promise((resolve, reject) => entry.file(resolve, reject));

const isDirectory = (entry: FileSystemEntry): entry is FileSystemDirectoryEntry => entry.isDirectory;
const isFile = (entry: FileSystemEntry): entry is FileSystemFileEntry => entry.isFile;
