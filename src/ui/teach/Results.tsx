// What teachings of a lesson made: an honest verdict, the test pictures before and after, and what to do with the adapter.
//   data-testid="lesson-result", "result-verdict", "test-row" with data-before and data-after = right | wrong
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { Lesson, LessonResult, TestRow } from "#chat/teach/lesson.ts";
import { removeResult } from "#chat/teach/lesson.ts";
import { Note, type NoteState } from "#ui/notes/Note.tsx";
import { formatDuration } from "#ui/parts/format.ts";
import { CheckIcon, CloseIcon } from "#ui/parts/icons.tsx";
import { useObjectUrl } from "#ui/parts/use-object-url.ts";
import { useTexts } from "#ui/texts/texts.ts";
import { LossCurve } from "./LossCurve.tsx";
import { scoreOf, titleOf } from "./lesson-words.ts";
import type { TeachFeature } from "./teach-feature.ts";
import { useTeachTexts } from "./teach-texts.ts";

interface ResultsProps {
  readonly teach: TeachFeature;
  readonly lesson: Lesson;
  /** Ids of the adapters that are stored; undefined until it is known. */
  readonly storedIds: ReadonlySet<string> | undefined;
  readonly selectedId: string;
}

export function Results({ teach, lesson, storedIds, selectedId }: ResultsProps): JSX.Element | null {
  const t = useTeachTexts();
  const [note, setNote] = useState<NoteState>();
  if (lesson.results.length === 0) return note === undefined ? null : <Note state={note} />;
  return (
    <section class="teach-section" aria-labelledby="results-title">
      <h2 id="results-title">{t.resultsTitle}</h2>
      {lesson.results.map((result) => (
        <Result
          key={result.adapterId}
          teach={teach}
          lesson={lesson}
          result={result}
          isStored={storedIds?.has(result.adapterId) !== false}
          inUse={selectedId === result.adapterId}
          onNote={setNote}
        />
      ))}
      <Note state={note} testId="result-note" />
    </section>
  );
}

interface ResultProps {
  readonly teach: TeachFeature;
  readonly lesson: Lesson;
  readonly result: LessonResult;
  readonly isStored: boolean;
  readonly inUse: boolean;
  readonly onNote: (note: NoteState | undefined) => void;
}

function Result({ teach, lesson, result, isStored, inUse, onNote }: ResultProps): JSX.Element {
  const t = useTeachTexts();
  const page = useTexts();
  const { right, before, of } = scoreOf(result.rows);
  const when = new Date(result.at).toLocaleString(page.tag, { dateStyle: "medium", timeStyle: "short" });
  return (
    <article class="lesson-result" data-testid="lesson-result">
      <p class="result-verdict" data-testid="result-verdict">
        {t.verdict(right, of, before)}
      </p>
      <p class="dialog-note">
        {t.result(result.modelName, when, formatDuration(page, result.seconds * 1000))}{" "}
        {result.stopped ? t.stoppedEarly : ""} {result.chosenByTest === true ? t.chosenByTest : ""}
      </p>
      {result.rows.length > 0 && <TestTable rows={result.rows} blobs={teach.lessons.value.blobs} />}
      <LossCurve curve={result.curve} />
      {isStored ? (
        <ResultButtons teach={teach} lesson={lesson} result={result} inUse={inUse} onNote={onNote} />
      ) : (
        <p class="card-actions">
          <span class="dialog-note">{t.resultGone}</span>
          <button
            type="button"
            class="button"
            onClick={() => teach.actions.change(lesson.id, (kept) => removeResult(kept, result.adapterId))}
          >
            {t.removeResult}
          </button>
        </p>
      )}
    </article>
  );
}

function ResultButtons({ teach, lesson, result, inUse, onNote }: Omit<ResultProps, "isStored">): JSX.Element {
  const t = useTeachTexts();
  const page = useTexts();
  const [asking, setAsking] = useState(false);
  const title = titleOf(t, lesson);
  const fail = (error: unknown): void => {
    console.warn("What was learned:", error);
    onNote({ tone: "bad", text: page.storage.failed });
  };
  const remove = (): void => {
    setAsking(false);
    teach.results.remove(result.adapterId).then((outcome) => {
      if (outcome === "in-use") return onNote({ tone: "bad", text: t.resultInUse, retry: remove });
      teach.actions.change(lesson.id, (kept) => removeResult(kept, result.adapterId));
      onNote({ tone: "good", text: t.removed });
    }, fail);
  };
  const save = (): void => {
    teach.results
      .save(result.adapterId, title)
      .then(
        (outcome) =>
          onNote(
            outcome === "done"
              ? { tone: "good", text: page.storage.saved }
              : { tone: "bad", text: page.storage.failed },
          ),
        fail,
      );
  };
  if (asking)
    return (
      <div class="card-actions" role="group" aria-label={t.reallyRemove(title)}>
        <span>{t.reallyRemove(title)}</span>
        <button type="button" class="button button-danger" onClick={remove}>
          {t.removeResult}
        </button>
        <button type="button" class="button" onClick={() => setAsking(false)}>
          {t.cancel}
        </button>
      </div>
    );
  return (
    <>
      <div class="card-actions">
        <button
          type="button"
          class="button button-primary"
          disabled={inUse}
          onClick={() => teach.results.use(result.adapterId)}
        >
          {inUse ? t.inUse : t.use}
        </button>
        <button type="button" class="button" title={t.saveResultHint} onClick={save}>
          {t.saveResult}
        </button>
        <button type="button" class="button" onClick={() => setAsking(true)}>
          {t.removeResult}
        </button>
      </div>
      <p class="dialog-note">{t.moreHint}</p>
    </>
  );
}

function TestTable({
  rows,
  blobs,
}: {
  readonly rows: readonly TestRow[];
  readonly blobs: ReadonlyMap<string, Blob>;
}): JSX.Element {
  const t = useTeachTexts();
  return (
    <div class="test-table-frame">
      <table class="test-table" aria-label={t.testTable}>
        <thead>
          <tr>
            {[t.columns.picture, t.columns.wanted, t.columns.before, t.columns.after].map((title) => (
              <th key={title} scope="col">
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row, index) => (
            <tr
              key={index}
              data-testid="test-row"
              data-before={row.beforeRight ? "right" : "wrong"}
              data-after={row.afterRight ? "right" : "wrong"}
            >
              <td>
                <RowPicture blob={blobs.get(row.key)} alt={row.asked} />
              </td>
              <td>{row.wanted}</td>
              <td>
                <Judged said={row.before} right={row.beforeRight} />
              </td>
              <td>
                <Judged said={row.after} right={row.afterRight} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

const nothing = new Blob();

function RowPicture({ blob = nothing, alt }: { readonly blob: Blob | undefined; readonly alt: string }): JSX.Element {
  const url = useObjectUrl(blob);
  return url === undefined || blob.size === 0 ? (
    <span class="test-blank" />
  ) : (
    <img src={url} alt={alt} draggable={false} />
  );
}

/** Never by color alone. */
function Judged({ said, right }: { readonly said: string; readonly right: boolean }): JSX.Element {
  const t = useTeachTexts();
  return (
    <span class={right ? "judged judged-right" : "judged judged-wrong"}>
      {right ? <CheckIcon /> : <CloseIcon />}
      <span class="visually-hidden">{right ? t.right : t.wrong}: </span>
      <span>{said === "" ? t.noAnswer : said}</span>
    </span>
  );
}
