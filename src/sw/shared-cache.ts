// Where the service worker stores what is shared to the app until the page takes it. Data only; used by both.

/** The path that the system posts a share to, relative to the app; the web app manifest has the same. */
export const sharePath = "share";

/** The form field with the files, as in the web app manifest. */
export const shareFilesField = "pictures";

/** Each deployment on an origin has a cache of its own. */
export const sharedCacheName = (scope: string): string => `llava-shared-${scope}`;

/** The header with a file's name, percent-encoded. */
export const sharedNameHeader = "x-file-name";

/** The end of the URL under which the text is cached. */
export const sharedTextPath = "shared/text";
export const sharedFilePath = (index: number): string => `shared/file-${index}`;

/** Files beyond this number are dropped. */
export const mostSharedFiles = 20;
