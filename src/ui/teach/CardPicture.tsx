// One picture of a card: seen in large, moved to another card, or removed.
//   data-testid="card-picture" with data-role = learn | test | check
import type { JSX } from "preact";
import type { Card, LessonPicture } from "#chat/teach/lesson.ts";
import { CloseIcon, MoveIcon } from "#ui/parts/icons.tsx";
import { Thumbnail } from "#ui/parts/Thumbnail.tsx";
import { useTexts } from "#ui/texts/texts.ts";
import { useTeachTexts } from "./teach-texts.ts";

interface CardPictureProps {
  readonly picture: LessonPicture;
  readonly index: number;
  /** Undefined where its bytes can't be read. */
  readonly blob: Blob | undefined;
  /** Learned from, set aside to test, or to check when it is enough. */
  readonly role: "learn" | "test" | "check";
  /** The cards that it can be moved to. */
  readonly others: readonly (readonly [card: Card, label: string])[];
  readonly onOpen: () => void;
  readonly onMove: (cardId: string) => void;
  readonly onRemove: () => void;
}

export function CardPicture(props: CardPictureProps): JSX.Element {
  const { picture, index, blob, role, others, onOpen, onMove, onRemove } = props;
  const t = useTeachTexts();
  const page = useTexts();
  if (blob === undefined)
    return (
      <li class="card-picture" data-testid="card-picture" data-lost="true">
        <figure class="thumbnail thumbnail-opening">
          <p title={picture.name}>{t.lost(picture.name)}</p>
          <button
            type="button"
            class="thumbnail-tool thumbnail-remove"
            aria-label={page.removePicture(picture.name)}
            onClick={onRemove}
          >
            <CloseIcon />
          </button>
        </figure>
      </li>
    );
  return (
    <li class="card-picture" data-testid="card-picture" data-role={role}>
      <Thumbnail
        picture={{ id: picture.id, name: picture.name, blob }}
        index={index}
        numbered={false}
        onOpen={onOpen}
        onRemove={onRemove}
      >
        {role !== "learn" && (
          <span class="held-out" title={role === "test" ? t.heldOutHint : t.choosingHint}>
            {role === "test" ? t.heldOut : t.choosing}
          </span>
        )}
        {others.length > 0 && (
          <label class="thumbnail-tool card-picture-move" title={t.moveTo}>
            <MoveIcon />
            <select
              aria-label={t.move(picture.name)}
              value=""
              onChange={(event) => {
                if (event.currentTarget.value !== "") onMove(event.currentTarget.value);
              }}
            >
              <option value="">{t.moveTo}</option>
              {others.map(([{ id }, label]) => (
                <option key={id} value={id}>
                  {label}
                </option>
              ))}
            </select>
          </label>
        )}
      </Thumbnail>
    </li>
  );
}
