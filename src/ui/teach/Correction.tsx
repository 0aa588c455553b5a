// Under an answer with a thumb: what it should have said, or that it is good, kept as an example for the next teaching.
//   data-testid="correction": the form · "correction-kept": what is kept of the answer
import type { ReadonlySignal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { correctionsId, exampleOf, lessonsFor, type AskedOf, type ChatExample } from "#chat/teach/chat-examples.ts";
import type { AssistantTurn } from "#chat/conversation/conversation.ts";
import type { LessonsState } from "#chat/teach/lessons-state.ts";
import { useTexts } from "#ui/texts/texts.ts";
import { titleOf } from "./lesson-words.ts";
import { useTeachTexts } from "./teach-texts.ts";

/** What the chat's answers need of the lessons. */
export interface AnswerTeaching {
  readonly state: ReadonlySignal<LessonsState>;
  /** Reads the lessons that are kept. */
  readonly open: () => Promise<void>;
  readonly asked: (answerId: string) => AskedOf;
  readonly keep: (example: ChatExample, lessonId: string) => void;
  readonly forget: (answerId: string) => void;
  readonly show: (lessonId: string) => void;
}

interface CorrectionProps {
  readonly turn: AssistantTurn;
  readonly teaching: AnswerTeaching;
}

export function Correction({ turn, teaching }: CorrectionProps): JSX.Element | null {
  const t = useTeachTexts();
  const { history } = useTexts();
  const [editing, setEditing] = useState(false);
  const state = teaching.state.value;
  useEffect(() => void teaching.open(), []);
  // Until it is known, nothing is offered that may be there already.
  if (state.lessons === undefined) return null;
  const asked = teaching.asked(turn.id);
  const kept = exampleOf(state, turn.id);
  const isGood = turn.opinion === "up";
  if (!asked.ok) return isGood ? null : <p class="correction-kept">{t.correction.cannot[asked.why]}</p>;
  const { question, picture } = asked;
  if (editing)
    return (
      <CorrectionForm
        question={kept?.card.question || question}
        answer={kept?.card.answer ?? ""}
        state={state}
        onKeep={(said, lessonId) => {
          teaching.keep({ answerId: turn.id, picture, ...said }, lessonId);
          setEditing(false);
        }}
        onCancel={() => setEditing(false)}
      />
    );
  if (kept === undefined)
    return (
      <p class="correction-kept">
        <button
          type="button"
          class="link-button"
          onClick={() => {
            if (isGood) teaching.keep({ answerId: turn.id, picture, question, answer: turn.text }, correctionsId);
            else setEditing(true);
          }}
        >
          {isGood ? t.correction.keepGood : t.correction.ask}
        </button>
      </p>
    );
  return (
    <p class="correction-kept" role="status" data-testid="correction-kept">
      <span>{t.correction.kept(kept.card.answer)}</span>
      <button type="button" class="link-button" onClick={() => setEditing(true)}>
        {t.correction.change}
      </button>
      <button type="button" class="link-button" onClick={() => teaching.forget(turn.id)}>
        {history.undo}
      </button>
      <button type="button" class="link-button" onClick={() => teaching.show(kept.lesson.id)}>
        {t.correction.show}
      </button>
    </p>
  );
}

interface CorrectionFormProps {
  readonly question: string;
  readonly answer: string;
  readonly state: LessonsState;
  readonly onKeep: (said: Pick<ChatExample, "question" | "answer">, lessonId: string) => void;
  readonly onCancel: () => void;
}

function CorrectionForm(props: CorrectionFormProps): JSX.Element {
  const t = useTeachTexts();
  const [question, setQuestion] = useState(props.question);
  const [answer, setAnswer] = useState(props.answer);
  const [chosen, setChosen] = useState<string>();
  const field = useRef<HTMLInputElement>(null);
  const [answerId, questionId] = [useId(), useId()];
  useEffect(() => {
    // In the middle, because the question box covers the foot of the window.
    field.current?.form?.scrollIntoView({ block: "center" });
    field.current?.focus({ preventScroll: true });
  }, []);
  const fitting = lessonsFor(props.state, question).filter(({ id }) => id !== correctionsId);
  // A lesson that asks the very same is meant, unless another one is chosen.
  const lessonId = chosen ?? fitting.find(({ kind }) => kind !== "free")?.id ?? correctionsId;
  const complete = question.trim() !== "" && answer.trim() !== "";
  return (
    <form
      class="correction"
      data-testid="correction"
      onSubmit={(event) => {
        event.preventDefault();
        if (complete) props.onKeep({ question: question.trim(), answer: answer.trim() }, lessonId);
      }}
      onKeyDown={(event) => {
        if (event.key !== "Escape") return;
        event.stopPropagation();
        props.onCancel();
      }}
    >
      <div class="field">
        <label for={answerId}>{t.correction.ask}</label>
        <input
          ref={field}
          id={answerId}
          type="text"
          maxLength={500}
          value={answer}
          onInput={(event) => setAnswer(event.currentTarget.value)}
        />
      </div>
      <div class="field">
        <label for={questionId}>{t.correction.question}</label>
        <input
          id={questionId}
          type="text"
          maxLength={500}
          value={question}
          onInput={(event) => setQuestion(event.currentTarget.value)}
        />
      </div>
      {fitting.length > 0 && (
        <label class="course-model">
          <span>{t.correction.lesson}</span>
          <select value={lessonId} onChange={(event) => setChosen(event.currentTarget.value)}>
            <option value={correctionsId}>{t.corrections}</option>
            {fitting.map((lesson) => (
              <option key={lesson.id} value={lesson.id}>
                {titleOf(t, lesson)}
              </option>
            ))}
          </select>
        </label>
      )}
      <p class="card-actions">
        <button type="submit" class="button button-primary" disabled={!complete}>
          {t.correction.keep}
        </button>
        <button type="button" class="button" onClick={props.onCancel}>
          {t.cancel}
        </button>
        <small class="teach-hint">{t.correction.hint}</small>
      </p>
    </form>
  );
}
