// Teaching one lesson: which model, what it would take, the steps with their losses, Stop.
//   data-testid="course" with data-phase = idle | planning | planned | running | done | stopped | busy | failed · "course-plan", "course-stage"
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { LessonCheck } from "#chat/teach/lesson-check.ts";
import type { Lesson } from "#chat/teach/lesson.ts";
import type { Pupil, TeachingRun, TeachingState } from "#chat/teach/teaching.ts";
import { FailureWords } from "#ui/notes/FailureWords.tsx";
import { Note } from "#ui/notes/Note.tsx";
import { formatNumber, formatSize } from "#ui/parts/format.ts";
import { WarnIcon } from "#ui/parts/icons.tsx";
import { useTexts } from "#ui/texts/texts.ts";
import { LossCurve } from "./LossCurve.tsx";
import { planProblemsIn, shareOf, stageIn } from "./course-words.ts";
import { problemIn } from "./LessonNotes.tsx";
import type { TeachFeature } from "./teach-feature.ts";
import { useTeachTexts } from "./teach-texts.ts";

interface CourseProps {
  readonly teach: TeachFeature;
  readonly lesson: Lesson;
  readonly check: LessonCheck;
}

/** Shows what concerns this lesson; a teaching of another one only keeps this one from being taught. Longer than most functions: its stages. */
export function Course({ teach, lesson, check }: CourseProps): JSX.Element {
  const t = useTeachTexts();
  const state = teach.teaching.value;
  const own = state.phase !== "idle" && state.lessonId === lesson.id ? state : undefined;
  const pupils = teach.pupils.value;
  const [chosen, setChosen] = useState(own?.pupil.id ?? pupils[0]?.id);
  const pupil = pupils.find(({ id }) => id === chosen) ?? pupils[0];
  const [minutes, setMinutes] = useState(3);
  const busy = state.phase === "running" || own?.phase === "planning";
  return (
    <section
      class="teach-section course"
      aria-labelledby="course-title"
      data-testid="course"
      data-phase={own?.phase ?? "idle"}
    >
      <h2 id="course-title">{t.teachTitle}</h2>
      {check.problems.length > 0 && own?.phase !== "running" && (
        <ul class="lesson-problems">
          {check.problems.map((problem) => (
            <li key={problem.kind} data-testid="lesson-problem" data-kind={problem.kind}>
              {problemIn(t, problem)}
            </li>
          ))}
        </ul>
      )}
      {own?.phase === "running" ? (
        <Running run={own.run} onStop={teach.course.stop} />
      ) : (
        <>
          {pupil === undefined ? (
            <p class="dialog-note">{t.noPupil}</p>
          ) : (
            <CourseSetup
              pupils={pupils}
              pupil={pupil}
              minutes={minutes}
              busy={busy}
              ready={check.ready}
              isPlanned={own?.phase === "planned"}
              onPupil={(id) => {
                setChosen(id);
                if (own !== undefined) teach.course.dismiss();
              }}
              onMinutes={(count) => {
                setMinutes(count);
                if (own !== undefined) teach.course.dismiss();
              }}
              onPlan={() => void teach.course.plan({ lesson, pupil, minutes })}
            />
          )}
          {own !== undefined && pupil !== undefined && (
            <Outcome
              state={own}
              lesson={lesson}
              other={pupils.find(({ id }) => id !== own.pupil.id)}
              onStart={() => void teach.course.start({ lesson, pupil, minutes })}
              onPupil={(other) => {
                setChosen(other.id);
                void teach.course.plan({ lesson, pupil: other, minutes });
              }}
            />
          )}
        </>
      )}
    </section>
  );
}

interface CourseSetupProps {
  readonly pupils: readonly Pupil[];
  readonly pupil: Pupil;
  readonly minutes: number;
  readonly busy: boolean;
  /** Whether the lesson can be planned. */
  readonly ready: boolean;
  readonly isPlanned: boolean;
  readonly onPupil: (id: string) => void;
  readonly onMinutes: (minutes: number) => void;
  readonly onPlan: () => void;
}

/** Which model is taught, how long it may take, and the button that asks what it would take. */
function CourseSetup(props: CourseSetupProps): JSX.Element {
  const { pupils, pupil, minutes, busy } = props;
  const t = useTeachTexts();
  return (
    <div class="course-row">
      <label class="course-model">
        <span>{t.model}</span>
        <select value={pupil.id} disabled={busy} onChange={(event) => props.onPupil(event.currentTarget.value)}>
          {pupils.map(({ id, name }) => (
            <option key={id} value={id}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <label class="course-model course-time">
        <span>{t.time}</span>
        <select
          value={minutes}
          disabled={busy}
          onChange={(event) => props.onMinutes(Number(event.currentTarget.value))}
        >
          {[1, 3, 10].map((count) => (
            <option key={count} value={count}>
              {t.minutes(count)}
            </option>
          ))}
        </select>
      </label>
      <button
        type="button"
        class={`button${props.isPlanned ? "" : " button-primary"}`}
        disabled={busy || !props.ready}
        onClick={props.onPlan}
      >
        {t.planButton}
      </button>
    </div>
  );
}

interface OutcomeProps {
  readonly state: Exclude<TeachingState, { readonly phase: "idle" }>;
  readonly lesson: Lesson;
  /** Another model that may be taught instead. */
  readonly other: Pupil | undefined;
  readonly onStart: () => void;
  readonly onPupil: (pupil: Pupil) => void;
}

function Outcome({ state, lesson, other, onStart, onPupil }: OutcomeProps): JSX.Element | null {
  const t = useTeachTexts();
  const page = useTexts();
  switch (state.phase) {
    case "planning":
      return <Note testId="course-stage" state={{ tone: "busy", text: t.planning }} />;
    case "stopped":
      return <Note testId="course-stage" state={{ tone: "good", text: t.stopped }} />;
    case "unlearned":
      return <Note testId="course-stage" state={{ tone: "bad", text: t.unlearned }} />;
    case "busy":
      return <Note testId="course-stage" state={{ tone: "bad", text: t.busy, retry: onStart }} />;
    case "failed":
      return (
        <div class="failure" role="alert" data-testid="course-failure" data-code={state.code}>
          <WarnIcon />
          <div>
            <p>{t.failed}</p>
            <FailureWords code={state.code} />
          </div>
          <button type="button" class="button" onClick={onStart}>
            {page.tryAgain}
          </button>
        </div>
      );
    case "planned": {
      const { plan, pupil } = state;
      const sentences = planProblemsIn(t, page, lesson, plan.problems, pupil);
      const isModel = plan.problems.some(({ kind }) => ["other-architecture", "no-room", "too-large"].includes(kind));
      if (sentences.length > 0)
        return (
          <div class="failure" role="alert" data-testid="course-plan">
            <WarnIcon />
            <ul>
              {sentences.map((sentence) => (
                <li key={sentence}>{sentence}</li>
              ))}
            </ul>
            {isModel && other !== undefined && (
              <button type="button" class="button" onClick={() => onPupil(other)}>
                {t.tryPupil(other.name)}
              </button>
            )}
          </div>
        );
      return (
        <div class="course-plan">
          <p role="status" data-testid="course-plan">
            {t.planned(
              Math.round((plan.seconds ?? 0) / 60),
              formatSize(page, plan.bytes),
              plan.trained.length,
              plan.choosing.length,
              plan.heldOut.length,
            )}
          </p>
          {plan.singles.length > 0 && <p class="teach-hint">{t.singles(plan.singles)}</p>}
          <p class="card-actions">
            <button type="button" class="button button-primary" onClick={onStart}>
              {t.start}
            </button>
            <small class="teach-hint">{t.startHint}</small>
          </p>
        </div>
      );
    }
    case "running":
    case "done":
      return null;
  }
}

interface RunningProps {
  readonly run: TeachingRun;
  readonly onStop: TeachFeature["course"]["stop"];
}

function Running({ run, onStop }: RunningProps): JSX.Element {
  const t = useTeachTexts();
  const page = useTexts();
  const [asking, setAsking] = useState(false);
  const share = shareOf(run);
  return (
    <div class="course-run">
      <p role="status" data-testid="course-stage" data-stage={run.stage}>
        {stageIn(t, run)}
      </p>
      <progress aria-label={t.progress} max={1} value={share} />
      <p class="visually-hidden">{formatNumber(page, Math.floor(share * 100))} %</p>
      <LossCurve curve={run.curve} />
      {asking && run.stopping === undefined ? (
        <div class="card-actions" role="group" aria-label={t.stopTitle}>
          <span>{t.stopTitle}</span>
          {run.step > 0 && (
            <button type="button" class="button" onClick={() => onStop("keep")}>
              {t.stopKeep}
            </button>
          )}
          <button type="button" class="button button-danger" onClick={() => onStop("discard")}>
            {t.stopDiscard}
          </button>
          <button type="button" class="button" onClick={() => setAsking(false)}>
            {t.stopGoOn}
          </button>
        </div>
      ) : (
        <p class="card-actions">
          <button type="button" class="button" disabled={run.stopping !== undefined} onClick={() => setAsking(true)}>
            {t.stop}
          </button>
          <small class="teach-hint">{t.startHint}</small>
        </p>
      )}
    </div>
  );
}
