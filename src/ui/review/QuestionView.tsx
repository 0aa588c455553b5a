// The chosen question: picture, words, right answers, what each model said, and what a judge said of it.
//   data-testid="question", "answer" (data-column), "review"
import type { JSX, RefObject } from "preact";
import { useEffect, useMemo, useState } from "preact/hooks";
import type { PictureRef } from "#eval/benchmarks/benchmark.ts";
import type { GivenFiles } from "#eval/files/given-files.ts";
import { isRead } from "#eval/files/reviews.ts";
import type { Board, BoardAnswer, BoardItem, BoardReview, Mark } from "#review/board.ts";
import { IconButton } from "#ui/parts/IconButton.tsx";
import { NextIcon, PreviousIcon } from "#ui/parts/icons.tsx";
import { useObjectUrl } from "#ui/parts/use-object-url.ts";
import { toneOf } from "./QuestionRow.tsx";
import { useReviewTexts } from "./review-texts.ts";

interface QuestionViewProps {
  readonly view: RefObject<HTMLElement | null>;
  readonly item: BoardItem;
  readonly board: Board;
  readonly pictures: GivenFiles;
  readonly position: { readonly index: number; readonly count: number; readonly onMove: (step: -1 | 1) => void };
}

export function QuestionView({ view, item, board, pictures, position }: QuestionViewProps): JSX.Element {
  const t = useReviewTexts();
  const answers = board.columns.flatMap(({ name, isFile }, column) => {
    const answer = item.answers[column];
    const isShown = answer !== undefined || (isFile && item.verdict === undefined && item.answers.some(Boolean));
    return isShown ? [<Answer key={column} name={name} answer={answer} />] : [];
  });
  return (
    <article ref={view} class="question" data-testid="question">
      <div class="question-head">
        <h2>
          {t.question(item.id)}
          {item.category !== "" && <span class="question-category">{item.category}</span>}
        </h2>
        <Pages {...position} />
      </div>
      <div class={item.picture === undefined ? "question-top" : "question-top question-with-picture"}>
        {item.picture !== undefined && <QuestionPicture picture={item.picture} pictures={pictures} />}
        <div class="question-words">
          {item.earlier.length > 0 && (
            <details>
              <summary>{t.earlier}</summary>
              {item.earlier.map((said, i) => (
                <p key={i} class="said">
                  {said}
                </p>
              ))}
            </details>
          )}
          <p class="said question-text">{item.text}</p>
          {item.references.length > 0 && (
            <p class="question-reference">
              <span class="small-title">{item.references.length === 1 ? t.reference : t.references}</span>
              <span class="said">{item.references.join(" · ")}</span>
            </p>
          )}
        </div>
      </div>
      {answers.length > 0 && (
        <section aria-label={t.answers} class="answer-cards">
          {answers}
        </section>
      )}
      {item.reviews.length > 0 && (
        <section aria-label={t.reviews} class="review-cards">
          {item.reviews.map((review, i) => (
            <ReviewCard key={i} review={review} />
          ))}
        </section>
      )}
      <Notes marks={item.marks} />
      <p class="question-keys">{t.keys}</p>
    </article>
  );
}

function Pages({ index, count, onMove }: QuestionViewProps["position"]): JSX.Element {
  const t = useReviewTexts();
  return (
    <span class="question-pages">
      <IconButton label={t.previous} aria-disabled={index === 0} onClick={() => index > 0 && onMove(-1)}>
        <PreviousIcon />
      </IconButton>
      <span role="status">{t.position(index + 1, count)}</span>
      <IconButton label={t.next} aria-disabled={index + 1 >= count} onClick={() => index + 1 < count && onMove(1)}>
        <NextIcon />
      </IconButton>
    </span>
  );
}

function QuestionPicture({
  picture,
  pictures,
}: {
  readonly picture: PictureRef;
  readonly pictures: GivenFiles;
}): JSX.Element {
  const t = useReviewTexts();
  const blob = useMemo(
    () => (picture.kind === "file" ? pictures.find(picture.path)?.blob : blobOf(picture.base64)),
    [picture, pictures],
  );
  const name = picture.kind === "file" ? picture.path : "";
  return (
    <figure class="question-picture">
      {blob === undefined ? <p class="picture-missing">{t.noPicture(name)}</p> : <Shown blob={blob} name={name} />}
      {name !== "" && <figcaption>{name}</figcaption>}
    </figure>
  );
}

function Shown({ blob, name }: { readonly blob: Blob; readonly name: string }): JSX.Element {
  const t = useReviewTexts();
  const url = useObjectUrl(blob);
  const [broken, setBroken] = useState(false);
  useEffect(() => setBroken(false), [blob]);
  if (broken) return <p class="picture-missing">{t.pictureBroken(name)}</p>;
  return <img src={url} alt={t.picture(name)} onError={() => setBroken(true)} />;
}

/** The bytes of a picture that stands in a table; none where they are no base64. */
function blobOf(base64: string): Blob {
  try {
    return new Blob([Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))]);
  } catch {
    return new Blob([]);
  }
}

function Answer({ name, answer }: { readonly name: string; readonly answer: BoardAnswer | undefined }): JSX.Element {
  const t = useReviewTexts();
  return (
    <section class={`answer-card answer-${toneOf(answer)}`} data-testid="answer" data-column={name} aria-label={name}>
      <h3>
        <span>{name}</span>
        {answer?.score !== undefined && (
          <span class="answer-score">{t.score(answer.score.toLocaleString(t.tag, { maximumFractionDigits: 1 }))}</span>
        )}
      </h3>
      {answer && <Notes marks={answer.marks} />}
      {answer === undefined ? (
        <p class="answer-none">{t.noAnswer}</p>
      ) : answer.error !== undefined && answer.text !== answer.error ? (
        <p class="answer-none">{t.notAsked(answer.error)}</p>
      ) : answer.text.trim() === "" ? (
        <p class="answer-none">{t.emptyAnswer}</p>
      ) : (
        <p class="said">{answer.text}</p>
      )}
    </section>
  );
}

function Notes({ marks }: { readonly marks: ReadonlySet<Mark> }): JSX.Element | null {
  const t = useReviewTexts();
  const shown = [...marks].filter((mark) => mark !== "unanswered");
  if (shown.length === 0) return null;
  return (
    <p class="marks">
      {shown.map((mark) => (
        <span key={mark} class={`mark mark-${mark}`}>
          {t.marks[mark]}
        </span>
      ))}
    </p>
  );
}

function ReviewCard({ review }: { readonly review: BoardReview }): JSX.Element {
  const t = useReviewTexts();
  const [reference, candidate] = review.scores;
  const say = (value: number): string => value.toLocaleString(t.tag);
  return (
    <section class="review-card" data-testid="review">
      <h3>
        <span>{isRead(review) ? t.reviewScores(say(reference), say(candidate)) : t.unread}</span>
        {review.swapped && <span class="mark">{t.swapped}</span>}
        <small>{review.file}</small>
      </h3>
      <p class="said">{review.content}</p>
    </section>
  );
}
