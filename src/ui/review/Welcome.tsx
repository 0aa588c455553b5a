// The page before anything is open: what it is for, what opens here, and how.
import type { JSX } from "preact";
import type { GivenFile } from "#eval/files/given-files.ts";
import { FilePickers } from "#ui/frame/FilePickers.tsx";
import { LockIcon, PictureIcon } from "#ui/parts/icons.tsx";
import { Refusals } from "./OpenFiles.tsx";
import { useReviewTexts } from "./review-texts.ts";
import type { Refusal } from "./use-opened.ts";

interface WelcomeProps {
  readonly ownVotes: { readonly file: GivenFile; readonly count: number } | undefined;
  readonly refusals: readonly Refusal[];
  readonly onGiven: (files: readonly GivenFile[]) => void;
}

export function Welcome({ ownVotes, refusals, onGiven }: WelcomeProps): JSX.Element {
  const t = useReviewTexts();
  return (
    <div class="review-welcome" data-testid="review-empty">
      <p class="review-lead">{t.lead}</p>
      <div class="drop-place">
        <PictureIcon />
        <strong>{t.drop}</strong>
        <div class="drop-actions">
          <FilePickers filesLabel={t.chooseFiles} folderLabel={t.chooseFolder} onGiven={onGiven} />
          {ownVotes && (
            <button type="button" class="button" onClick={() => onGiven([ownVotes.file])}>
              {t.ownVotes(ownVotes.count)}
            </button>
          )}
        </div>
        <p class="page-private">
          <LockIcon />
          {t.private}
        </p>
      </div>
      <Refusals refusals={refusals} />
      <h2 class="small-title">{t.kindsTitle}</h2>
      <ul class="review-kinds">
        {t.opens.map((line) => (
          <li key={line}>{line}</li>
        ))}
      </ul>
    </div>
  );
}
