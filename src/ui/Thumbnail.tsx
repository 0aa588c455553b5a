// One picture, small. A huge picture is scaled by the browser as it paints; nothing is copied.
import type { JSX } from "preact";
import type { Picture } from "#chat/conversation.ts";
import { CloseIcon } from "./icons.tsx";
import { useTexts } from "./texts/texts.ts";
import { useObjectUrl } from "./use-object-url.ts";

interface ThumbnailProps {
  readonly picture: Picture;
  /** For the alternative text; counts from 1. */
  readonly index: number;
  readonly onRemove?: () => void;
  readonly onOpen?: () => void;
}

/** With `onRemove` it carries a button that takes it away; with `onOpen` it is a button itself. */
export function Thumbnail({ picture, index, onRemove, onOpen }: ThumbnailProps): JSX.Element {
  const t = useTexts();
  const url = useObjectUrl(picture.blob);
  const image =
    url === undefined ? <span class="thumbnail-blank" /> : <img src={url} alt={t.picture(index, picture.name)} />;
  return (
    <figure class="thumbnail">
      {onOpen === undefined ? (
        image
      ) : (
        <button type="button" class="thumbnail-open" aria-label={t.pictures.view(picture.name)} onClick={onOpen}>
          {image}
        </button>
      )}
      {onRemove !== undefined && (
        <button type="button" class="thumbnail-remove" aria-label={t.removePicture(picture.name)} onClick={onRemove}>
          <CloseIcon />
        </button>
      )}
    </figure>
  );
}
