// Where the service worker puts what is shared to the app until the page takes it. Data only; shared with the page.

/** Path that the system posts a share to, relative to the app; the manifest names it too. */
export const sharePath = "share";

/** The name of the form's field with the files, as in the manifest. */
export const shareFilesField = "pictures";

/** Apps under different paths of one origin have caches of their own. */
export const sharedCacheName = (scope: string): string => `llava-shared-${scope}`;

/** Holds a file's name, encoded as in an address. */
export const sharedNameHeader = "x-file-name";

/** Ends the address under which the text is kept. */
export const sharedTextPath = "shared/text";
export const sharedFilePath = (index: number): string => `shared/file-${index}`;

/** More files than these are not one question. */
export const mostSharedFiles = 20;
