// Above the question box: how the teaching goes while one chats, and that it has ended.
//   data-testid="teaching-note" with data-phase
import type { JSX } from "preact";
import { formatNumber } from "#ui/parts/format.ts";
import { IconButton } from "#ui/parts/IconButton.tsx";
import { CloseIcon } from "#ui/parts/icons.tsx";
import { useTexts } from "#ui/texts/texts.ts";
import { shareOf } from "./course-words.ts";
import { titleOf } from "./lesson-words.ts";
import type { TeachFeature } from "./teach-feature.ts";
import { useTeachTexts } from "./teach-texts.ts";

interface TeachingNoteProps {
  readonly teach: TeachFeature;
  readonly onLesson: (id: string) => void;
}

/** Nothing of plans, and nothing of what the user has ended. */
export function TeachingNote({ teach, onLesson }: TeachingNoteProps): JSX.Element | null {
  const t = useTeachTexts();
  const page = useTexts();
  const state = teach.teaching.value;
  if (state.phase !== "running" && state.phase !== "done" && state.phase !== "failed" && state.phase !== "unlearned")
    return null;
  const { lessonId } = state;
  const lesson = teach.lessons.value.lessons?.find(({ id }) => id === lessonId);
  const name = lesson === undefined ? t.untitled : titleOf(t, lesson);
  const share = state.phase === "running" ? shareOf(state.run) : undefined;
  const words =
    share !== undefined
      ? t.inChat(name, `${formatNumber(page, Math.floor(share * 100))}%`)
      : state.phase === "done"
        ? t.inChatDone(name)
        : t.inChatFailed(name);
  return (
    <div class="undo teaching-note" data-testid="teaching-note" data-phase={state.phase}>
      <span class="undo-words" role={share === undefined ? "status" : undefined}>
        {words}
      </span>
      {share !== undefined && <progress aria-label={t.progress} max={1} value={share} />}
      <button type="button" class="button" onClick={() => onLesson(lessonId)}>
        {t.show}
      </button>
      {share === undefined && (
        <IconButton label={page.history.dismiss} small onClick={() => teach.course.dismiss()}>
          <CloseIcon />
        </IconButton>
      )}
    </div>
  );
}
