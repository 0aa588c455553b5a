// Files that were dropped or picked, sorted by the cards they belong to: a folder's name is what its pictures show. Pure, but for the files.

export interface GivenGroup {
  /** The folder's name in words; undefined for files that came without one. */
  readonly answer: string | undefined;
  readonly files: readonly File[];
}

/** What systems leave in folders. */
const litter = /^(?:\.|thumbs\.db$|desktop\.ini$|icon\r?$)/i;
const pictureName = /\.(?:png|jpe?g|jfif|webp|gif|avif|bmp|ico|heic|heif|tiff?)$/i;
/** Folders that are no names of things. */
const plainFolder = /^(?:images?|pictures?|photos?|data|dataset|all|new folder|图片|照片|dcim|\d+\w*)$/i;

/** By the folder that holds each file; in folders, files that are no pictures are left out, because nobody chose them. */
export function groupByFolder(files: Iterable<readonly [path: string, file: File]>): readonly GivenGroup[] {
  const groups = new Map<string, File[]>();
  for (const [path, file] of files) {
    const parts = path.split("/").filter((part) => part !== "");
    const name = parts.at(-1) ?? file.name;
    if (parts.slice(0, -1).some((folder) => folder.startsWith("__MACOSX")) || litter.test(name)) continue;
    const folder = parts.length > 1 ? (parts.at(-2) ?? "") : undefined;
    if (folder !== undefined && !pictureName.test(name) && !file.type.startsWith("image/")) continue;
    const answer = folder === undefined || plainFolder.test(folder) ? "" : inWords(folder);
    groups.set(answer, [...(groups.get(answer) ?? []), file]);
  }
  return [...groups].map(([answer, held]) => ({ answer: answer === "" ? undefined : answer, files: held }));
}

/** "my_cat-Mimi" is "my cat Mimi". */
const inWords = (folder: string): string => folder.normalize("NFC").replace(/[_-]+/g, " ").replace(/\s+/g, " ").trim();
