// The view in which a model is taught: the lessons, or one of them. What is dropped or pasted on the page goes to the cards.
//   data-testid="teach-view" · "lesson-entry": a lesson of the list · "lesson", "lesson-card", "lesson-problem", "given-trouble": see their files
import type { JSX, RefObject } from "preact";
import { useEffect } from "preact/hooks";
import type { Picture } from "#chat/conversation/conversation.ts";
import { groupByFolder } from "#chat/teach/given-pictures.ts";
import { mayHoldConversations } from "#chat/transfer/import-kind.ts";
import type { Viewing } from "#ui/pictures/Viewer.tsx";
import { LessonList } from "./LessonList.tsx";
import { LessonView } from "./LessonView.tsx";
import { UndoRemoval, UnsavedNote } from "./LessonNotes.tsx";
import type { TakeGiven, TeachFeature } from "./teach-feature.ts";
import { useTeachTexts } from "./teach-texts.ts";
import { useImport } from "./use-import.ts";

export interface TeachViewProps {
  readonly teach: TeachFeature;
  /** Undefined for the list. */
  readonly lessonId: string | undefined;
  readonly onLesson: (id: string | undefined) => void;
  /** Set while the view is shown: it takes what is given to the page. */
  readonly given: RefObject<TakeGiven | undefined>;
  /** Something is dragged over the page. */
  readonly dragging: boolean;
  /** The pictures of the chat, to choose from. */
  readonly chatPictures: readonly Picture[];
  readonly onView: (viewing: Viewing) => void;
  /** Ids of the models that are stored; undefined until it is known. */
  readonly storedIds: ReadonlySet<string> | undefined;
  readonly selectedId: string;
  /** Opens the list of all models. */
  readonly onModels: () => void;
}

export function TeachView(props: TeachViewProps): JSX.Element {
  const { teach, lessonId, onLesson, given, dragging } = props;
  const t = useTeachTexts();
  const { lessons } = teach.lessons.value;
  const lesson = lessons?.find(({ id }) => id === lessonId);
  const importing = useImport(teach, onLesson);
  useEffect(() => void teach.actions.open(), []);
  useEffect(() => {
    // What was pressed is gone: who reads with the ear goes on at the title.
    if (document.activeElement === document.body) document.getElementById("teach-title")?.focus();
  }, [lesson?.id]);
  useEffect(() => {
    /** Of the lesson that is shown, or of one that is begun for what is given. */
    const openLesson = (): string => {
      if (lesson !== undefined) return lesson.id;
      const id = teach.actions.create("things", t.defaultQuestions.things, []);
      onLesson(id);
      return id;
    };
    given.current = {
      files(files, target) {
        const all = [...files];
        if (all.some(([, file]) => mayHoldConversations(file))) return importing.start(all.map(([, file]) => file));
        const groups = groupByFolder(all);
        if (groups.length > 0) void teach.actions.give(openLesson(), groups, cardAt(target));
      },
      address: (address, target) => void teach.actions.giveAddress(openLesson(), address, cardAt(target)),
    };
    return () => {
      given.current = undefined;
    };
  }, [lesson?.id, t]);
  return (
    <main class={`main teach${dragging ? " teach-dragging" : ""}`} data-testid="teach-view">
      {lessons === undefined ? (
        <p class="dialog-note" role="status">
          {t.reading}
        </p>
      ) : lessonId !== undefined && lesson !== undefined ? (
        <LessonView
          key={lesson.id}
          {...props}
          lesson={lesson}
          importing={importing}
          onClose={() => onLesson(undefined)}
        />
      ) : (
        <LessonList
          teach={teach}
          onLesson={onLesson}
          lessons={lessons}
          missing={lessonId !== undefined}
          importing={importing}
        />
      )}
      <div class="teach-foot">
        <UnsavedNote unsaved={teach.lessons.value.unsaved} onModels={props.onModels} />
        <UndoRemoval teach={teach} />
      </div>
    </main>
  );
}

/** The id of the card that the element is in. */
function cardAt(target: EventTarget | null): string | undefined {
  const card = target instanceof Element ? target.closest<HTMLElement>("[data-card]") : null;
  return card?.dataset["card"];
}
