// Chooses among the pictures of the current chat.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { Picture } from "#chat/conversation/conversation.ts";
import { Dialog } from "#ui/parts/Dialog.tsx";
import { useObjectUrl } from "#ui/parts/use-object-url.ts";
import { useTeachTexts } from "./teach-texts.ts";

interface ChatPicturesProps {
  readonly pictures: readonly Picture[];
  readonly onAdd: (chosen: readonly Picture[]) => void;
  readonly onClose: () => void;
}

export function ChatPictures({ pictures, onAdd, onClose }: ChatPicturesProps): JSX.Element {
  const t = useTeachTexts();
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const toggle = (id: string): void => {
    const next = new Set(chosen);
    if (!next.delete(id)) next.add(id);
    setChosen(next);
  };
  return (
    <Dialog title={t.fromChatTitle} onClose={onClose}>
      <p class="dialog-note">{t.fromChatHint}</p>
      <ul class="card-pictures">
        {pictures.map((picture) => (
          <li key={picture.id}>
            <PictureChoice picture={picture} chosen={chosen.has(picture.id)} onToggle={() => toggle(picture.id)} />
          </li>
        ))}
      </ul>
      <p class="dialog-actions">
        <button
          type="button"
          class="button button-primary"
          disabled={chosen.size === 0}
          onClick={() => {
            onAdd(pictures.filter(({ id }) => chosen.has(id)));
            onClose();
          }}
        >
          {t.fromChatAdd(chosen.size)}
        </button>
      </p>
    </Dialog>
  );
}

interface PictureChoiceProps {
  readonly picture: Picture;
  readonly chosen: boolean;
  readonly onToggle: () => void;
}

function PictureChoice({ picture, chosen, onToggle }: PictureChoiceProps): JSX.Element {
  const url = useObjectUrl(picture.blob);
  return (
    <button
      type="button"
      class="picture-choice thumbnail"
      aria-label={picture.name}
      aria-pressed={chosen}
      onClick={onToggle}
    >
      {url !== undefined && <img src={url} alt="" draggable={false} />}
    </button>
  );
}
