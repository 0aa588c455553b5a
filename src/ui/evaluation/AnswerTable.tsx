// The answers as they come: a row for each question, of which those in sight are drawn.
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { Question } from "#eval/benchmarks/benchmark.ts";
import type { EvaluationState } from "#evaluation/evaluation.ts";
import { WindowedList } from "#ui/frame/WindowedList.tsx";
import type { EvaluationTexts } from "#ui/texts/en/evaluation.ts";

interface AnswerTableProps {
  readonly t: EvaluationTexts;
  readonly questions: readonly Question[];
  readonly answers: EvaluationState["answers"];
}

const rowHeight = 58;

export function AnswerTable({ t, questions, answers }: AnswerTableProps): JSX.Element {
  const [chosen, setChosen] = useState(0);
  const [follows, setFollows] = useState(true);
  // The newest answer stays in view until the reader scrolls away.
  const newest = [...answers.keys()].at(-1) ?? 0;
  useEffect(() => {
    if (follows) setChosen(newest);
  }, [newest, follows]);
  return (
    <section class="evaluation-answers" aria-label={t.answers}>
      <WindowedList
        label={t.answers}
        items={questions}
        keyOf={(_, index) => index}
        chosen={chosen}
        rowHeight={rowHeight}
        onChoose={(index) => {
          setFollows(false);
          setChosen(index);
        }}
        row={({ text, picture }, place) => {
          const answer = answers.get(place);
          return (
            <div class="answer-row">
              <p class="answer-row-question">
                {text.replaceAll("\n", " ")}
                {picture?.kind === "file" && <small> {picture.path}</small>}
              </p>
              <p class={answer?.error === undefined ? "answer-row-text" : "answer-row-text answer-row-error"}>
                {answer === undefined ? t.notYet : (answer.error ?? answer.text)}
              </p>
            </div>
          );
        }}
      />
    </section>
  );
}
