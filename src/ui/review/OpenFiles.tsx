// What is open, what could not be opened, and what did not pair.
import type { JSX } from "preact";
import { useMemo } from "preact/hooks";
import type { GivenFiles } from "#eval/files/given-files.ts";
import type { Board } from "#review/board.ts";
import { FilePickers } from "#ui/frame/FilePickers.tsx";
import { IconButton } from "#ui/parts/IconButton.tsx";
import { CloseIcon } from "#ui/parts/icons.tsx";
import { useReviewTexts, type ReviewTexts } from "./review-texts.ts";
import type { OpenedState, Refusal } from "./use-opened.ts";

export function OpenFiles({ open }: { readonly open: OpenedState }): JSX.Element {
  const t = useReviewTexts();
  return (
    <section class="open-files" aria-label={t.files}>
      <ul>
        {open.opened.map((one) => (
          <li key={one.name} class="open-file">
            <span class="open-file-name">{one.name}</span>
            <small>{t.kinds[one.kind]}</small>
            <IconButton label={t.close(one.name)} small onClick={() => open.close(one)}>
              <CloseIcon />
            </IconButton>
          </li>
        ))}
        {open.pictures.size > 0 && <li class="open-file">{t.pictures(open.pictures.size)}</li>}
      </ul>
      <div class="open-actions">
        <FilePickers filesLabel={t.chooseFiles} folderLabel={t.chooseFolder} onGiven={open.give} />
        <button type="button" class="link-button" onClick={open.closeAll}>
          {t.closeAll}
        </button>
      </div>
    </section>
  );
}

export function Refusals({ refusals }: { readonly refusals: readonly Refusal[] }): JSX.Element | null {
  const t = useReviewTexts();
  if (refusals.length === 0) return null;
  return (
    <ul class="review-refusals" role="alert" data-testid="review-refusals">
      {refusals.map((refusal, i) => (
        <li key={i}>{refusalSentence(t, refusal)}</li>
      ))}
    </ul>
  );
}

function refusalSentence(t: ReviewTexts, refusal: Refusal): string {
  if (refusal.kind === "damaged") return t.damaged(refusal.name, refusal.detail);
  return refusal.kind === "not-read" ? t.notRead(refusal.name) : t.notOpened(refusal.name);
}

interface RemarksProps {
  readonly board: Board;
  readonly pictures: GivenFiles;
}

/** Nothing where all pairs. */
export function Remarks({ board, pictures }: RemarksProps): JSX.Element | null {
  const t = useReviewTexts();
  const missing = useMemo(() => missingPictures(board, pictures), [board, pictures]);
  const sentences = board.problems.map(t.problem);
  if (missing.names.length > 0)
    sentences.push(t.picturesMissing(missing.names.length, missing.of, missing.names[0] ?? ""));
  if (sentences.length === 0) return null;
  return (
    <details class="review-remarks" data-testid="review-remarks">
      <summary>{t.remarks(sentences.length)}</summary>
      <ul>
        {sentences.map((sentence) => (
          <li key={sentence}>{sentence}</li>
        ))}
      </ul>
    </details>
  );
}

function missingPictures(
  { items }: Board,
  pictures: GivenFiles,
): { readonly names: readonly string[]; readonly of: number } {
  const paths = new Set(items.flatMap(({ picture }) => (picture?.kind === "file" ? [picture.path] : [])));
  return { names: [...paths].filter((path) => pictures.find(path) === undefined), of: paths.size };
}
