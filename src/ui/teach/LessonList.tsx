// The lessons that are kept here, and the ways to begin another one.
//   data-testid="lesson-entry": one lesson · "lesson-input": the picker of saved ones · "lesson-import", "lesson-missing": sentences
import type { JSX } from "preact";
import { useRef } from "preact/hooks";
import { lessonKinds, picturesOf, type Lesson } from "#chat/teach/lesson.ts";
import { Note } from "#ui/notes/Note.tsx";
import { LockIcon, PictureIcon, ShapesIcon, SpeechIcon } from "#ui/parts/icons.tsx";
import { useObjectUrl } from "#ui/parts/use-object-url.ts";
import { scoreOf, titleOf } from "./lesson-words.ts";
import { useTeachTexts } from "./teach-texts.ts";
import type { TeachViewProps } from "./TeachView.tsx";
import type { Importing } from "./use-import.ts";

interface LessonListProps extends Pick<TeachViewProps, "teach" | "onLesson"> {
  readonly lessons: readonly Lesson[];
  /** The address names a lesson that is not here. */
  readonly missing: boolean;
  readonly importing: Importing;
}

const kindIcons = { things: PictureIcon, classes: ShapesIcon, free: SpeechIcon };

export function LessonList({ teach, lessons, missing, importing, onLesson }: LessonListProps): JSX.Element {
  const t = useTeachTexts();
  const { actions } = teach;
  return (
    <>
      <div class="teach-head">
        <h1 id="teach-title" tabIndex={-1}>
          {t.title}
        </h1>
        <p class="teach-lead">{t.lead}</p>
        <p class="teach-privacy">
          <LockIcon />
          <span>{t.privacy}</span>
        </p>
      </div>
      {missing && <Note testId="lesson-missing" state={{ tone: "bad", text: t.missing }} />}
      {lessons.length > 0 && (
        <section class="teach-section" aria-labelledby="lessons-title">
          <h2 id="lessons-title">{t.yours}</h2>
          <ul class="lesson-list">
            {lessons.map((lesson) => (
              <LessonEntry
                key={lesson.id}
                lesson={lesson}
                blobs={teach.lessons.value.blobs}
                onOpen={() => onLesson(lesson.id)}
              />
            ))}
          </ul>
        </section>
      )}
      <section class="teach-section" aria-labelledby="kinds-title">
        <h2 id="kinds-title">{lessons.length > 0 ? t.again : t.begin}</h2>
        <ul class="lesson-kinds">
          {lessonKinds.map((kind) => {
            const KindIcon = kindIcons[kind];
            const begin = (): void => onLesson(actions.create(kind, t.defaultQuestions[kind], t.defaultAnswers[kind]));
            return (
              <li key={kind}>
                <button type="button" class="lesson-kind" data-kind={kind} onClick={begin}>
                  <KindIcon />
                  <strong>{t.kinds[kind].title}</strong>
                  <span>{t.kinds[kind].hint}</span>
                </button>
              </li>
            );
          })}
        </ul>
        <OpenSaved importing={importing} />
      </section>
    </>
  );
}

function OpenSaved({ importing }: { readonly importing: Importing }): JSX.Element {
  const t = useTeachTexts();
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <p class="card-actions">
        <button
          type="button"
          class="button"
          disabled={importing.state === "working"}
          onClick={() => input.current?.click()}
        >
          {t.importButton}
        </button>
        <small class="teach-hint">{t.importHint}</small>
      </p>
      <input
        ref={input}
        type="file"
        multiple
        hidden
        accept=".json,.jsonl,.zip,image/*"
        data-testid="lesson-input"
        onChange={(event) => {
          importing.start([...(event.currentTarget.files ?? [])]);
          event.currentTarget.value = "";
        }}
      />
      {importing.state === "failed" && <Note testId="lesson-import" state={{ tone: "bad", text: t.importFailed }} />}
    </>
  );
}

interface LessonEntryProps {
  readonly lesson: Lesson;
  readonly blobs: ReadonlyMap<string, Blob>;
  readonly onOpen: () => void;
}

function LessonEntry({ lesson, blobs, onOpen }: LessonEntryProps): JSX.Element {
  const t = useTeachTexts();
  const pictures = picturesOf(lesson);
  const shown = pictures.flatMap(({ key }) => blobs.get(key) ?? []).slice(0, 3);
  const [result] = lesson.results;
  const { right, of } = scoreOf(result?.rows ?? []);
  const state = result === undefined ? t.notTaught : of === 0 ? "" : t.taughtScore(right, of);
  const filled = lesson.cards.filter((card) => card.pictures.length > 0).length;
  return (
    <li>
      <button type="button" class="lesson-entry" data-testid="lesson-entry" onClick={onOpen}>
        <span class="lesson-stack" aria-hidden="true">
          {shown.map((blob, index) => (
            <SmallPicture key={index} blob={blob} />
          ))}
        </span>
        <span class="lesson-entry-about">
          <strong>{titleOf(t, lesson)}</strong>
          <small>{[t.summary(filled, pictures.length), state].filter((words) => words !== "").join(" · ")}</small>
        </span>
      </button>
    </li>
  );
}

function SmallPicture({ blob }: { readonly blob: Blob }): JSX.Element {
  const url = useObjectUrl(blob);
  return url === undefined ? <span class="thumbnail-blank" /> : <img src={url} alt="" draggable={false} />;
}
