// A teaching in words and as a share: what keeps it from beginning, and how far it is.
import { findPicture, type Lesson } from "#chat/teach/lesson.ts";
import type { Pupil, TeachingRun, TeachingState } from "#chat/teach/teaching.ts";
import { formatSize } from "#ui/parts/format.ts";
import type { Texts } from "#ui/texts/texts.ts";
import type { TeachTexts } from "./teach-texts.ts";

/** One sentence with the next step for each, none twice. */
export function planProblemsIn(
  t: TeachTexts,
  page: Texts,
  lesson: Lesson,
  problems: (TeachingState & { readonly phase: "planned" })["plan"]["problems"],
  pupil: Pupil,
): readonly string[] {
  const nameOf = (id: string): string => findPicture(lesson, id)?.picture.name ?? id;
  const words = t.planProblems;
  return [
    ...new Set(
      problems.map((problem): string => {
        switch (problem.kind) {
          case "too-few-pictures":
            return words["too-few-pictures"](problem.pictures, problem.least);
          case "empty-text":
          case "unreadable-picture":
          case "too-long":
            return words[problem.kind](nameOf(problem.id));
          case "contradiction":
            return words.contradiction(problem.question);
          case "other-architecture":
          case "no-room":
            return words[problem.kind](pupil.name);
          case "too-large":
            return words["too-large"](pupil.name, formatSize(page, problem.bytes));
        }
      }),
    ),
  ];
}

/** Of the whole teaching, from 0 to 1: steps take most of the time. */
export function shareOf({ stage, prepared, step, steps }: TeachingRun): number {
  if (stage === "prepare") {
    const part = prepared === undefined ? 0 : prepared.done / Math.max(1, prepared.total);
    const begun = { model: 0, pictures: 0.02, replay: 0.06 }[prepared?.what ?? "model"];
    return begun + 0.04 * part;
  }
  if (stage === "before") return 0.1;
  if (stage === "step") return 0.12 + 0.8 * (steps > 0 ? step / steps : 0);
  return stage === "saving" ? 0.94 : 0.97;
}

export function stageIn(t: TeachTexts, run: TeachingRun): string {
  const { running } = t;
  if (run.stopping !== undefined) return running.stopping;
  if (run.stage === "prepare") {
    const { what = "model", done = 0, total = 0 } = run.prepared ?? {};
    return what === "model" ? running.model : running[what](done, total);
  }
  if (run.stage !== "step") return running[run.stage];
  return running.step(run.step, run.steps, run.secondsLeft === undefined ? "" : t.secondsLeft(run.secondsLeft));
}
