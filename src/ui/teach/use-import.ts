// Opens lessons from files, and what came of it.
import { useState } from "preact/hooks";
import type { TeachFeature } from "./teach-feature.ts";

type ImportState =
  "idle" | "working" | "failed" | { readonly lessonId: string; readonly pictures: number; readonly leftOut: number };

export interface Importing {
  readonly state: ImportState;
  readonly start: (files: readonly File[]) => void;
}

/** A lesson that was opened is shown. */
export function useImport({ files, actions }: TeachFeature, onLesson: (id: string) => void): Importing {
  const [state, setState] = useState<ImportState>("idle");
  return {
    state,
    start(given) {
      if (given.length === 0) return;
      setState("working");
      files.read(given).then(
        (found) => {
          if (found === undefined) return setState("failed");
          actions.add(found.lesson, found.pictures);
          setState({ lessonId: found.lesson.id, pictures: found.pictures.length, leftOut: found.leftOut });
          onLesson(found.lesson.id);
        },
        (error: unknown) => {
          console.warn("The lesson could not be opened:", error);
          setState("failed");
        },
      );
    },
  };
}
