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
}

/** With `onRemove` it carries a button that takes it away. */
export function Thumbnail({ picture, index, onRemove }: ThumbnailProps): JSX.Element {
  const t = useTexts();
  const url = useObjectUrl(picture.blob);
  return (
    <figure class="thumbnail">
      {url === undefined ? <span class="thumbnail-blank" /> : <img src={url} alt={t.picture(index, picture.name)} />}
      {onRemove !== undefined && (
        <button type="button" class="thumbnail-remove" aria-label={t.removePicture(picture.name)} onClick={onRemove}>
          <CloseIcon />
        </button>
      )}
    </figure>
  );
}
