// The pictures that go with the next question: large while nothing has been asked, smaller in the question box. One that is still being
// opened can be canceled; one that could not be used says why and can be tried again or removed.
import type { ComponentChildren, JSX } from "preact";
import type { Picture } from "#chat/conversation/conversation.ts";
import type { DraftPicture } from "#chat/pictures/draft-pictures.ts";
import { CloseIcon, CropIcon } from "#ui/parts/icons.tsx";
import { focusQuestion } from "#ui/parts/use-modal.ts";
import { useTexts } from "#ui/texts/texts.ts";
import { Thumbnail } from "#ui/parts/Thumbnail.tsx";
import type { Draft } from "./use-draft.ts";

interface AttachedPicturesProps {
  readonly draft: Draft;
  readonly size: "large" | "small";
  /** How many pictures the conversation has already. The numbering continues from there. */
  readonly before: number;
  readonly onView: (pictureId: string) => void;
  readonly onCrop: (picture: Picture) => void;
  /** What stands beside them. */
  readonly children?: ComponentChildren;
}

/** Renders nothing without pictures. `data-testid="picture-problem"` is the message about a picture that could not be used. */
export function AttachedPictures(props: AttachedPicturesProps): JSX.Element | null {
  const t = useTexts();
  const { draft, size, before, onView, onCrop, children } = props;
  const { given, pictures } = draft;
  if (given.length === 0) return null;
  const failed = given.filter((one) => one.state === "failed");
  const shown = given.filter((one) => one.state !== "failed");
  const numbered = before + pictures.length > 1;
  const remove = (id: string): void => {
    draft.remove(id);
    focusQuestion();
  };
  return (
    <div class={`attached attached-${size}`}>
      {failed.length > 0 && (
        <div class="attached-problems" role="alert" data-testid="picture-problem">
          {failed.map((one) => (
            <Problem key={one.id} one={one} onRetry={() => draft.retry(one.id)} onRemove={() => remove(one.id)} />
          ))}
        </div>
      )}
      {shown.length > 0 && (
        <div class={`thumbnails${shown.length === 1 ? " thumbnails-one" : ""}`} role="group" aria-label={t.attached}>
          {shown.map((one) => {
            if (one.state === "opening")
              return (
                <div key={one.id} class="thumbnail thumbnail-opening">
                  <p role="status">{t.chat.opening(one.name)}</p>
                  <button
                    type="button"
                    class="thumbnail-tool thumbnail-remove"
                    aria-label={t.chat.cancel(one.name)}
                    onClick={() => remove(one.id)}
                  >
                    <CloseIcon />
                  </button>
                </div>
              );
            const { picture } = one;
            return (
              <Thumbnail
                key={one.id}
                picture={picture}
                index={before + pictures.indexOf(picture) + 1}
                numbered={numbered}
                onRemove={() => remove(one.id)}
                onOpen={() => onView(picture.id)}
              >
                <button
                  type="button"
                  class="thumbnail-tool thumbnail-crop"
                  aria-label={t.chat.cropOne(picture.name)}
                  title={t.chat.crop}
                  onClick={() => onCrop(picture)}
                >
                  <CropIcon />
                </button>
              </Thumbnail>
            );
          })}
        </div>
      )}
      {children}
    </div>
  );
}

/** A retry can help if the file or the network may have changed; it does not if the kind of file is not supported. */
const worthRetrying = new Set(["broken", "unreadable", "not-fetched", "silent"]);

interface ProblemProps {
  readonly one: Extract<DraftPicture, { state: "failed" }>;
  readonly onRetry: () => void;
  readonly onRemove: () => void;
}

function Problem({ one, onRetry, onRemove }: ProblemProps): JSX.Element {
  const t = useTexts();
  return (
    <p class="attached-problem">
      <span>{t.pictureProblems[one.problem](one.name)}</span>
      <span class="attached-problem-steps">
        {worthRetrying.has(one.problem) && (
          <button type="button" class="link-button" aria-label={t.chat.tryAgainWith(one.name)} onClick={onRetry}>
            {t.tryAgain}
          </button>
        )}
        <button type="button" class="link-button" aria-label={t.removePicture(one.name)} onClick={onRemove}>
          {t.chat.remove}
        </button>
      </span>
    </p>
  );
}
