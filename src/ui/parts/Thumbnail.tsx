// One picture, small. A huge picture is scaled by the browser as it paints; nothing is copied.
import type { ComponentChildren, JSX } from "preact";
import type { Picture } from "#chat/conversation/conversation.ts";
import { CloseIcon } from "./icons.tsx";
import { useTexts } from "#ui/texts/texts.ts";
import { useObjectUrl } from "./use-object-url.ts";

interface ThumbnailProps {
  readonly picture: Picture;
  /** The picture's number in the conversation; counts from 1. */
  readonly index: number;
  /** Whether the number is shown: a picture that is alone needs none. */
  readonly numbered: boolean;
  readonly onRemove?: () => void;
  readonly onOpen?: () => void;
  /** More buttons on it. */
  readonly children?: ComponentChildren;
}

/** With `onRemove` it carries a button that takes it away; with `onOpen` it is a button itself. */
export function Thumbnail({ picture, index, numbered, onRemove, onOpen, children }: ThumbnailProps): JSX.Element {
  const t = useTexts();
  const url = useObjectUrl(picture.blob);
  const image =
    url === undefined ? (
      <span class="thumbnail-blank" />
    ) : (
      <img src={url} alt={t.picture(index, picture.name)} draggable={false} />
    );
  return (
    <figure class="thumbnail">
      {onOpen === undefined ? (
        image
      ) : (
        <button type="button" class="thumbnail-open" aria-label={t.pictures.view(picture.name)} onClick={onOpen}>
          {image}
        </button>
      )}
      {numbered && <PictureNumber index={index} />}
      {children}
      {onRemove !== undefined && (
        <button
          type="button"
          class="thumbnail-tool thumbnail-remove"
          aria-label={t.removePicture(picture.name)}
          title={t.chat.remove}
          onClick={onRemove}
        >
          <CloseIcon />
        </button>
      )}
    </figure>
  );
}

/** For the eye; the alternative text has the number too. */
export function PictureNumber({ index }: { readonly index: number }): JSX.Element {
  return (
    <span class="picture-number" aria-hidden="true">
      {index}
    </span>
  );
}
