// The pictures of a run's questions: from the files that were given, or from the browser's storage, where an earlier visit put them.
import type { PictureRef, Question } from "#eval/benchmarks/benchmark.ts";
import { indexFiles, type GivenFile, type GivenFiles } from "#eval/files/given-files.ts";
import { NotAnswered } from "#eval/run/asker.ts";
import type { RunStore } from "./run-store.ts";

/** More bytes of pictures are not copied into the browser's storage. */
const mostPictureBytes = 1e9;

export interface RunPictures {
  /** All files that were given, pictures and others. */
  given(): GivenFiles;
  give(files: readonly GivenFile[]): void;
  forget(): void;
  /** How many of the pictures that the questions name were given. */
  count(questions: readonly Question[]): number;
  /** The paths of all pictures that the questions name, and of those that are neither given nor stored. */
  missing(questions: readonly Question[]): Promise<{ readonly paths: readonly string[]; readonly missing: readonly string[] }>; // prettier-ignore
  /** Throws NotAnswered where there is none. */
  read(picture: PictureRef): Promise<Blob>;
  /** Puts the given pictures that the questions name into the storage, unless they are too many. */
  store(questions: readonly Question[]): Promise<void>;
}

export function createRunPictures(store: Pick<RunStore, "picture" | "keepPictures">): RunPictures {
  let given = indexFiles([]);
  return {
    given: () => given,
    give(files) {
      given = indexFiles([...given.all, ...files]);
    },
    forget() {
      given = indexFiles([]);
    },
    count: (questions) => [...pathsOf(questions)].filter((path) => given.find(path)).length,
    async missing(questions) {
      const paths = [...pathsOf(questions)];
      const missing: string[] = [];
      for (const path of paths) if (!given.find(path) && !(await store.picture(path))) missing.push(path);
      return { paths, missing };
    },
    async read(picture) {
      if (picture.kind === "bytes")
        return new Blob([Uint8Array.from(atob(picture.base64), (unit) => unit.charCodeAt(0))]);
      const blob = given.find(picture.path)?.blob ?? (await store.picture(picture.path));
      if (!blob) throw new NotAnswered(`no picture: ${picture.path}`);
      return blob;
    },
    async store(questions) {
      const pictures = new Map<string, Blob>();
      for (const path of pathsOf(questions)) {
        const blob = given.find(path)?.blob;
        if (blob) pictures.set(path, blob);
      }
      const bytes = [...pictures.values()].reduce((sum, { size }) => sum + size, 0);
      if (bytes <= mostPictureBytes) await store.keepPictures(pictures);
    },
  };
}

const pathsOf = (questions: readonly Question[]): ReadonlySet<string> =>
  new Set(questions.flatMap(({ picture }) => (picture?.kind === "file" ? [picture.path] : [])));
