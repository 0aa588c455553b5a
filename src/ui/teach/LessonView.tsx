// One lesson: its name and question, its cards, what it lacks, teaching it, and what that made.
//   data-testid="lesson"; see CardEditor.tsx, Course.tsx and Results.tsx
import type { JSX } from "preact";
import { useId, useState } from "preact/hooks";
import { checkLesson } from "#chat/teach/lesson-check.ts";
import { lessonTitle, type Lesson } from "#chat/teach/lesson.ts";
import { Note, type NoteState } from "#ui/notes/Note.tsx";
import { PlusIcon, PreviousIcon } from "#ui/parts/icons.tsx";
import { CardEditor, type Aside } from "./CardEditor.tsx";
import { Course } from "./Course.tsx";
import { GivenNote } from "./LessonNotes.tsx";
import { titleOf } from "./lesson-words.ts";
import { Results } from "./Results.tsx";
import { useTeachTexts } from "./teach-texts.ts";
import type { TeachViewProps } from "./TeachView.tsx";
import type { Importing } from "./use-import.ts";

interface LessonViewProps extends TeachViewProps {
  readonly lesson: Lesson;
  readonly importing: Importing;
  readonly onClose: () => void;
}

const nothingAside: Aside = { heldOut: new Set(), choosing: new Set() };

export function LessonView(props: LessonViewProps): JSX.Element {
  const { teach, lesson, importing, onClose } = props;
  const t = useTeachTexts();
  const { actions } = teach;
  const state = teach.teaching.value;
  const planned = state.phase === "planned" && state.lessonId === lesson.id ? state.plan : undefined;
  const aside: Aside =
    planned === undefined ? nothingAside : { heldOut: new Set(planned.heldOut), choosing: new Set(planned.choosing) };
  const change = (next: Partial<Pick<Lesson, "name" | "question">>): void =>
    actions.change(lesson.id, (kept) => ({ ...kept, ...next }));
  return (
    <div class="lesson" data-testid="lesson" data-kind={lesson.kind}>
      <p>
        <button type="button" class="link-button teach-back" onClick={onClose}>
          <PreviousIcon />
          {t.all}
        </button>
      </p>
      <h1 id="teach-title" tabIndex={-1} class="visually-hidden">
        {titleOf(t, lesson)}
      </h1>
      <LessonFields lesson={lesson} onChange={change} />
      {typeof importing.state === "object" && importing.state.lessonId === lesson.id && (
        <Note
          testId="lesson-import"
          state={{
            tone: "good",
            text: [
              t.imported(importing.state.pictures),
              importing.state.leftOut > 0 ? t.importedLeftOut(importing.state.leftOut) : "",
            ].join(" "),
          }}
        />
      )}
      <section class="teach-section" aria-labelledby="cards-title">
        <div class="teach-section-head">
          <h2 id="cards-title">{t.cards}</h2>
          <small class="teach-hint">{t.dropFolders}</small>
        </div>
        <div class="lesson-cards">
          {lesson.cards.map((card, index) => (
            <CardEditor key={card.id} {...props} card={card} index={index + 1} aside={aside} />
          ))}
          <button type="button" class="lesson-add" onClick={() => actions.addCard(lesson.id)}>
            <PlusIcon />
            {t.addCard[lesson.kind]}
          </button>
        </div>
        <GivenNote teach={teach} lessonId={lesson.id} />
        <details class="dialog-details teach-needs" open={lesson.results.length === 0}>
          <summary>{t.needsTitle}</summary>
          <ul class="dialog-points">
            {[...t.needs, t.needsTest].map((need) => (
              <li key={need}>{need}</li>
            ))}
          </ul>
        </details>
      </section>
      <Course teach={teach} lesson={lesson} check={checkLesson(lesson)} />
      <Results {...props} />
      <LessonFoot {...props} />
    </div>
  );
}

interface LessonFieldsProps {
  readonly lesson: Lesson;
  readonly onChange: (next: Partial<Pick<Lesson, "name" | "question">>) => void;
}

function LessonFields({ lesson, onChange }: LessonFieldsProps): JSX.Element {
  const t = useTeachTexts();
  const [nameId, questionId, hintId] = [useId(), useId(), useId()];
  return (
    <div class="lesson-fields">
      <div class="field">
        <label for={nameId}>{t.name}</label>
        <input
          id={nameId}
          type="text"
          maxLength={80}
          value={lesson.name}
          placeholder={titleOf(t, { ...lesson, name: "" })}
          onInput={(event) => onChange({ name: event.currentTarget.value })}
        />
      </div>
      {lesson.kind !== "free" && (
        <div class="field">
          <label for={questionId}>{t.question}</label>
          <input
            id={questionId}
            type="text"
            maxLength={500}
            value={lesson.question}
            placeholder={t.defaultQuestions[lesson.kind]}
            aria-describedby={hintId}
            onInput={(event) => onChange({ question: event.currentTarget.value })}
          />
          <small id={hintId} class="teach-hint">
            {t.questionHint[lesson.kind]}
          </small>
        </div>
      )}
    </div>
  );
}

function LessonFoot({ teach, lesson, onClose }: LessonViewProps): JSX.Element {
  const t = useTeachTexts();
  const [note, setNote] = useState<NoteState>();
  const hasPictures = lesson.cards.some(({ pictures }) => pictures.length > 0);
  const save = async (): Promise<void> => {
    const stem = lessonTitle(lesson) === "" ? "lesson" : "llava-web-lesson";
    const outcome = await teach.files.save(lesson, teach.actions.picturesIn(lesson), stem);
    if (outcome === "done") setNote({ tone: "good", text: t.saved });
    else setNote({ tone: "bad", text: outcome === "failed" ? t.saveFailed : t.tooLarge });
  };
  const running = teach.teaching.value;
  const isTaught = running.phase === "running" && running.lessonId === lesson.id;
  return (
    <section class="teach-section">
      <p class="card-actions">
        <button type="button" class="button" title={t.saveFileHint} disabled={!hasPictures} onClick={() => void save()}>
          {t.saveFile}
        </button>
        <button
          type="button"
          class="button"
          disabled={isTaught}
          onClick={() => {
            onClose();
            teach.actions.remove(lesson.id);
          }}
        >
          {t.remove}
        </button>
      </p>
      <Note testId="lesson-note" state={note} />
    </section>
  );
}
