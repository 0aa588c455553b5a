// What the teaching view has to say: what became of given files, what keeps the lesson from being taught, what is not kept, what can be undone.
//   data-testid="given-trouble", "lesson-problem" with data-kind, "lesson-unsaved", "lesson-undo"
import type { JSX } from "preact";
import type { LessonProblem } from "#chat/teach/lesson-check.ts";
import type { GivenTrouble, UnsavedLessons } from "#chat/teach/lessons-state.ts";
import { UndoLine } from "#ui/notes/UndoNote.tsx";
import { IconButton } from "#ui/parts/IconButton.tsx";
import { CloseIcon, WarnIcon } from "#ui/parts/icons.tsx";
import { useTexts } from "#ui/texts/texts.ts";
import type { TeachFeature } from "./teach-feature.ts";
import { useTeachTexts, type TeachTexts } from "./teach-texts.ts";

/** Why some of the files that were given last are not on a card. */
export function GivenNote({
  teach,
  lessonId,
}: {
  readonly teach: TeachFeature;
  readonly lessonId: string;
}): JSX.Element | null {
  const t = useTeachTexts();
  const { history } = useTexts();
  const { given } = teach.lessons.value;
  if (given?.lessonId !== lessonId) return null;
  const sentences = given.troubles.map((trouble) => troubleIn(t, trouble));
  if (given.added === 0 && sentences.length === 0) sentences.push(t.nothingFound);
  if (sentences.length === 0) return null;
  return (
    <div class="teach-note" role="status">
      <WarnIcon />
      <ul>
        {sentences.map((sentence) => (
          <li key={sentence} data-testid="given-trouble">
            {sentence}
          </li>
        ))}
      </ul>
      <IconButton label={history.dismiss} small onClick={() => teach.actions.dismiss("given")}>
        <CloseIcon />
      </IconButton>
    </div>
  );
}

function troubleIn(t: TeachTexts, trouble: GivenTrouble): string {
  switch (trouble.kind) {
    case "same":
      return t.same(trouble.count);
    case "other-card":
      return t.otherCard(trouble.count, trouble.answer);
    case "unusable":
      return t.unusable(trouble.problem, trouble.names);
  }
}

export function problemIn(t: TeachTexts, problem: LessonProblem): string {
  const { problems } = t;
  switch (problem.kind) {
    case "empty":
    case "untested":
      return problems[problem.kind];
    case "no-answer":
    case "no-question":
      return problems[problem.kind](problem.count);
    case "too-few":
    case "few":
      return problems[problem.kind](problem.answers);
    case "one-class":
      return problems["one-class"](problem.answer);
    case "two-answers":
      return problems["two-answers"](problem.pictures, problem.answers);
    case "uneven":
      return problems.uneven(problem.most, problem.least);
  }
}

interface UnsavedNoteProps {
  readonly unsaved: UnsavedLessons | undefined;
  readonly onModels: () => void;
}

/** What is gone after a reload. */
export function UnsavedNote({ unsaved, onModels }: UnsavedNoteProps): JSX.Element | null {
  const t = useTeachTexts();
  const { kept } = useTexts();
  if (unsaved === undefined) return null;
  return (
    <div class="teach-note teach-note-bad" role="alert" data-testid="lesson-unsaved">
      <WarnIcon />
      <p>{unsaved.cause === "full" ? t.unsaved.full(unsaved.pictures) : t.unsaved.blocked}</p>
      {unsaved.cause === "full" && (
        <button type="button" class="button" onClick={onModels}>
          {kept.freeSpace}
        </button>
      )}
    </div>
  );
}

/** Brings back what was just taken away. */
export function UndoRemoval({ teach }: { readonly teach: TeachFeature }): JSX.Element | null {
  const t = useTeachTexts();
  const { undo } = teach.lessons.value;
  if (undo === undefined) return null;
  return (
    <UndoLine
      testId="lesson-undo"
      what={undo}
      words={t.undone[undo]}
      onUndo={() => teach.actions.undo()}
      onDismiss={() => teach.actions.dismiss("undo")}
    />
  );
}
