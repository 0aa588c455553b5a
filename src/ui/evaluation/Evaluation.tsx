// The page that asks a model a benchmark's questions: what was given, the model, the run, and its answers as they come.
//   data-testid="eval-run" (data-phase), "eval-trouble", "eval-figures"
import type { ReadonlySignal } from "@preact/signals";
import type { JSX } from "preact";
import { useCallback } from "preact/hooks";
import type { Theme } from "#chat/preferences.ts";
import type { GivenFile } from "#eval/files/given-files.ts";
import type { Evaluation as EvaluationActions, EvaluationState } from "#evaluation/evaluation.ts";
import { FilePickers } from "#ui/frame/FilePickers.tsx";
import { PageHeader } from "#ui/frame/PageHeader.tsx";
import { Select } from "#ui/frame/Select.tsx";
import { useDrop } from "#ui/frame/use-given-files.ts";
import { LockIcon, PictureIcon } from "#ui/parts/icons.tsx";
import { useTheme } from "#ui/parts/use-theme.ts";
import type { EvaluationTexts } from "#ui/texts/en/evaluation.ts";
import { AnswerTable } from "./AnswerTable.tsx";
import { Scores } from "./Scores.tsx";

/** A model that can be asked. */
export interface OfferedModel {
  readonly id: string;
  readonly name: string;
  readonly path: string;
  readonly architecture: string | undefined;
}

interface EvaluationProps {
  readonly theme: Theme;
  readonly texts: EvaluationTexts;
  readonly state: ReadonlySignal<EvaluationState>;
  readonly actions: EvaluationActions;
  readonly models: ReadonlySignal<readonly OfferedModel[]>;
  readonly saveFile: (blob: Blob, name: string) => void;
}

export function Evaluation({ theme, texts: t, state, actions, models, saveFile }: EvaluationProps): JSX.Element {
  useTheme(theme);
  const give = useCallback((files: readonly GivenFile[]): void => void actions.give(files), []);
  const over = useDrop(give);
  const { chosen, trouble, answers, figures, notes } = state.value;
  const pickers = <FilePickers filesLabel={t.chooseFiles} folderLabel={t.chooseFolder} onGiven={give} />;
  return (
    <>
      <PageHeader title={t.title} toChat={t.toChat} />
      <main class="evaluation">
        <p class="evaluation-lead">{t.lead}</p>
        {chosen === undefined ? (
          <>
            <div class="drop-place">
              <PictureIcon />
              <strong>{t.drop}</strong>
              <div class="drop-actions">{pickers}</div>
              <p class="page-private">
                <LockIcon />
                {t.private}
              </p>
            </div>
            <h2 class="small-title">{t.hintsTitle}</h2>
            <ul class="evaluation-hints">
              {t.hints.map((line) => (
                <li key={line}>{line}</li>
              ))}
            </ul>
          </>
        ) : (
          <Run
            t={t}
            state={state.value}
            actions={actions}
            models={models.value}
            saveFile={saveFile}
            pickers={pickers}
          />
        )}
        {trouble !== undefined && (
          <p class="evaluation-trouble" role="alert" data-testid="eval-trouble">
            {t.trouble(trouble)}
          </p>
        )}
        <Scores t={t} figures={figures} notes={notes} />
        {chosen !== undefined && answers.size > 0 && (
          <AnswerTable t={t} questions={chosen.questions} answers={answers} />
        )}
      </main>
      {over && (
        <div class="drop-veil" aria-hidden="true">
          {t.dropOverlay}
        </div>
      )}
    </>
  );
}

interface RunProps extends Omit<EvaluationProps, "theme" | "texts" | "state" | "models"> {
  readonly t: EvaluationTexts;
  readonly state: EvaluationState;
  readonly models: readonly OfferedModel[];
  readonly pickers: JSX.Element;
}

function Run({ t, state, actions, models, saveFile, pickers }: RunProps): JSX.Element {
  const { phase, chosen, modelId, answers, pictures, loaded } = state;
  const total = chosen?.questions.length ?? 0;
  const failed = [...answers.values()].filter(({ error }) => error !== undefined).length;
  const isBusy = phase === "loading" || phase === "running";
  const known = models.some(({ id }) => id === modelId) ? models : [...models, { id: modelId, name: modelId }];
  const startLabel = phase === "done" ? t.tryAgain : answers.size > 0 ? t.resume : t.start;
  return (
    <section class="evaluation-run" data-testid="eval-run" data-phase={phase}>
      <div class="evaluation-what">
        <h2>{chosen?.benchmark.id === "custom" ? chosen.name : chosen?.benchmark.title}</h2>
        <p>
          {t.questions(total)}
          {pictures > 0 && ` · ${t.picturesHere(pictures)}`}
        </p>
      </div>
      <div class="evaluation-actions">
        <Select
          label={t.model}
          value={modelId}
          disabled={isBusy || answers.size > 0}
          options={known.map(({ id, name }) => [id, name] as const)}
          onChange={(id) => actions.chooseModel(id)}
        />
        {isBusy ? (
          <button type="button" class="button" onClick={() => actions.pause()}>
            {t.pause}
          </button>
        ) : (
          (phase !== "done" || failed > 0) && (
            <button type="button" class="button button-primary" onClick={() => void actions.start()}>
              {startLabel}
            </button>
          )
        )}
        {answers.size > 0 && (
          <button
            type="button"
            class="button"
            onClick={() => saveFile(new Blob([actions.lines()], { type: "application/jsonl" }), `${modelId}-${chosen?.benchmark.id ?? ""}.jsonl`)} // prettier-ignore
          >
            {t.save}
          </button>
        )}
        {!isBusy && (
          <>
            {pickers}
            <button type="button" class="link-button" onClick={() => void actions.discard()}>
              {t.discard}
            </button>
          </>
        )}
      </div>
      {(isBusy || answers.size > 0) && (
        <div class="evaluation-progress">
          <progress
            aria-label={t.phases[phase]}
            max={phase === "loading" ? 1 : total}
            value={phase === "loading" ? loaded : answers.size}
          />
          <p>
            <span role="status">{t.phases[phase]}</span>
            {phase !== "loading" && <span>{t.progress(answers.size, total)}</span>}
            {phase === "running" && <span>{paceOf(t, state)}</span>}
            {failed > 0 && <span>{t.failed(failed)}</span>}
          </p>
        </div>
      )}
    </section>
  );
}

/** Nothing before the first answers tell it. */
function paceOf(t: EvaluationTexts, { pace, chosen, answers }: EvaluationState): string {
  if (pace.answered < 2) return "";
  const perMs = pace.answered / pace.ms;
  const seconds = ((chosen?.questions.length ?? 0) - answers.size) / perMs / 1000;
  const perMinute = (perMs * 60_000).toLocaleString(t.tag, { maximumFractionDigits: perMs * 60_000 < 10 ? 1 : 0 });
  return t.pace(perMinute, t.left(seconds));
}
