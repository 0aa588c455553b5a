// The pictures of the conversation, in view all the time: a panel beside it on wide windows, a strip above it on narrow ones.
// data-testid="pictures-beside" with data-form: panel | strip
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { Picture } from "#chat/conversation/conversation.ts";
import { PartIcon } from "#ui/parts/icons.tsx";
import { useTexts } from "#ui/texts/texts.ts";
import { PictureNumber, Thumbnail } from "#ui/parts/Thumbnail.tsx";
import { useObjectUrl } from "#ui/parts/use-object-url.ts";

interface PicturesBesideProps {
  readonly form: "panel" | "strip";
  /** In the order of their numbers; never empty. */
  readonly pictures: readonly Picture[];
  /** The one that was asked about last. */
  readonly latestId: string;
  readonly onView: (pictureId: string) => void;
  /** A part of it is to be asked about. */
  readonly onPart: (picture: Picture) => void;
}

export function PicturesBeside(props: PicturesBesideProps): JSX.Element | null {
  const t = useTexts();
  const { form, pictures, latestId, onPart } = props;
  const [chosenId, setChosenId] = useState(latestId);
  // What is asked about next is what is wanted in view.
  useEffect(() => setChosenId(latestId), [latestId]);
  const index = Math.max(
    0,
    pictures.findIndex(({ id }) => id === chosenId),
  );
  const chosen = pictures[index];
  if (chosen === undefined) return null;
  const part = (
    <button type="button" class="button part-button" title={t.chat.partTitle} onClick={() => onPart(chosen)}>
      <PartIcon />
      <span>{t.chat.part}</span>
    </button>
  );
  return (
    <aside class={`beside beside-${form}`} aria-label={t.chat.pictures} data-testid="pictures-beside" data-form={form}>
      {form === "panel" ? (
        <>
          <Large picture={chosen} index={index + 1} numbered={pictures.length > 1} onView={props.onView} />
          <div class="beside-foot">
            <p class="beside-name">{chosen.name}</p>
            {part}
          </div>
          {pictures.length > 1 && (
            <ul class="beside-list">
              {pictures.map((picture, place) => (
                <li key={picture.id}>
                  <Choice
                    picture={picture}
                    index={place + 1}
                    chosen={picture === chosen}
                    onChoose={() => setChosenId(picture.id)}
                  />
                </li>
              ))}
            </ul>
          )}
        </>
      ) : (
        <>
          <div class="strip-pictures">
            {pictures.map((picture, place) => (
              <Thumbnail
                key={picture.id}
                picture={picture}
                index={place + 1}
                numbered={pictures.length > 1}
                onOpen={() => props.onView(picture.id)}
              />
            ))}
          </div>
          {part}
        </>
      )}
    </aside>
  );
}

interface LargeProps {
  readonly picture: Picture;
  readonly index: number;
  readonly numbered: boolean;
  readonly onView: (pictureId: string) => void;
}

function Large({ picture, index, numbered, onView }: LargeProps): JSX.Element {
  const t = useTexts();
  const url = useObjectUrl(picture.blob);
  return (
    <button
      type="button"
      class="beside-large"
      aria-label={t.pictures.view(picture.name)}
      onClick={() => onView(picture.id)}
    >
      {url !== undefined && <img src={url} alt={t.picture(index, picture.name)} draggable={false} />}
      {numbered && <PictureNumber index={index} />}
    </button>
  );
}

interface ChoiceProps {
  readonly picture: Picture;
  readonly index: number;
  readonly chosen: boolean;
  readonly onChoose: () => void;
}

function Choice({ picture, index, chosen, onChoose }: ChoiceProps): JSX.Element {
  const t = useTexts();
  const url = useObjectUrl(picture.blob);
  return (
    <button
      type="button"
      class="beside-choice"
      aria-label={t.chat.showPicture(index, picture.name)}
      aria-pressed={chosen}
      onClick={onChoose}
    >
      {url !== undefined && <img src={url} alt="" draggable={false} />}
      <PictureNumber index={index} />
    </button>
  );
}
