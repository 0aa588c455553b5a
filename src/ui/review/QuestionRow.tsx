// A question in the list: its first words, and in short how the models did.
import type { JSX } from "preact";
import type { Board, BoardAnswer, BoardItem } from "#review/board.ts";
import { useReviewTexts } from "./review-texts.ts";

interface QuestionRowProps {
  readonly item: BoardItem;
  readonly board: Board;
}

export function QuestionRow({ item, board }: QuestionRowProps): JSX.Element {
  const t = useReviewTexts();
  return (
    <div class="question-row">
      <p class="question-row-text">{item.text === "" ? t.question(item.id) : item.text}</p>
      <p class="question-row-facts">
        <span>{item.category === "" ? item.id : item.category}</span>
        <span class="question-row-dots">
          {item.answers.map((answer, column) =>
            board.columns[column]?.isFile === true || answer !== undefined ? (
              <span key={column} class={`dot dot-${toneOf(answer)}`} />
            ) : null,
          )}
        </span>
      </p>
    </div>
  );
}

/** How an answer is coloured. */
export function toneOf(answer: BoardAnswer | undefined): "good" | "bad" | "middle" | "none" | "plain" {
  if (!answer || answer.marks.has("unanswered")) return "none";
  const { marks } = answer;
  if (marks.has("right") || marks.has("won") || marks.has("better")) return "good";
  if (marks.has("wrong") || marks.has("worse")) return "bad";
  if (marks.has("partly") || marks.has("equal")) return "middle";
  return "plain";
}
