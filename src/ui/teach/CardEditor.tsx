// One card of a lesson: what is asked, what is to be answered, and its pictures, which are dropped on it, picked, or taken from the chat.
//   data-testid="lesson-card"; data-card is its id
import type { JSX } from "preact";
import { useId, useState } from "preact/hooks";
import type { Picture } from "#chat/conversation/conversation.ts";
import { groupByFolder } from "#chat/teach/given-pictures.ts";
import { changeCard, type Card, type Lesson } from "#chat/teach/lesson.ts";
import { FilePickers } from "#ui/frame/FilePickers.tsx";
import { IconButton } from "#ui/parts/IconButton.tsx";
import { CloseIcon } from "#ui/parts/icons.tsx";
import { CardPicture } from "./CardPicture.tsx";
import { ChatPictures } from "./ChatPictures.tsx";
import { useTeachTexts } from "./teach-texts.ts";
import type { TeachViewProps } from "./TeachView.tsx";

/** Ids of the pictures that the model doesn't learn from. */
export interface Aside {
  readonly heldOut: ReadonlySet<string>;
  readonly choosing: ReadonlySet<string>;
}

interface CardEditorProps extends Pick<TeachViewProps, "teach" | "chatPictures" | "onView"> {
  readonly lesson: Lesson;
  readonly card: Card;
  /** Counts from 1. */
  readonly index: number;
  readonly aside: Aside;
}

/** Longer than most functions: one card from its name to its pictures, which share what is being edited. */
export function CardEditor({ teach, lesson, card, index, aside, chatPictures, onView }: CardEditorProps): JSX.Element {
  const t = useTeachTexts();
  const { actions } = teach;
  const { blobs, opening } = teach.lessons.value;
  const [choosing, setChoosing] = useState(false);
  const [over, setOver] = useState(false);
  const label = t.card(index, card.answer.trim());
  const change = (next: Partial<Pick<Card, "answer" | "question">>): void =>
    actions.change(lesson.id, (kept) => changeCard(kept, card.id, (one) => ({ ...one, ...next })));
  const others = lesson.cards.flatMap((other, at) =>
    other === card ? [] : [[other, t.card(at + 1, other.answer.trim())] as const],
  );
  const shown = card.pictures.flatMap(({ id, name, key }): Picture[] => {
    const blob = blobs.get(key);
    return blob === undefined ? [] : [{ id, name, blob }];
  });
  const open = (startId: string): void =>
    onView({
      pictures: shown,
      startId,
      replace(id, cropped) {
        void actions.addPictures(lesson.id, card.id, [cropped]).then(() => actions.removePicture(lesson.id, id));
      },
    });
  const waiting = opening.get(card.id) ?? 0;
  return (
    <section
      class={`lesson-card${over ? " lesson-card-over" : ""}`}
      aria-label={label}
      data-testid="lesson-card"
      data-card={card.id}
      // What is dropped is heard by the page; here is only shown where it would go.
      onDragOver={() => setOver(true)}
      onDrop={() => setOver(false)}
      onDragLeave={(event) => {
        const to = event.relatedTarget;
        if (!(to instanceof Node && event.currentTarget.contains(to))) setOver(false);
      }}
    >
      <CardHead
        card={card}
        kind={lesson.kind}
        onChange={change}
        onRemove={() => actions.removeCard(lesson.id, card.id)}
      />
      <ul class="card-pictures">
        {card.pictures.map((picture, at) => (
          <CardPicture
            key={picture.id}
            picture={picture}
            index={at + 1}
            blob={blobs.get(picture.key)}
            role={aside.heldOut.has(picture.id) ? "test" : aside.choosing.has(picture.id) ? "check" : "learn"}
            others={others}
            onOpen={() => open(picture.id)}
            onMove={(to) => actions.movePicture(lesson.id, picture.id, to)}
            onRemove={() => actions.removePicture(lesson.id, picture.id)}
          />
        ))}
      </ul>
      {card.pictures.length === 0 && waiting === 0 && <p class="card-drop">{t.dropHere}</p>}
      <div class="card-actions">
        <FilePickers
          filesLabel={t.addPictures}
          folderLabel={t.addFolder}
          accept="image/*,.heic,.heif"
          onGiven={(files) => {
            const groups = groupByFolder(files.map(({ path, blob }) => [path, asFile(path, blob)]));
            void actions.give(lesson.id, groups, card.id);
          }}
        />
        {chatPictures.length > 0 && (
          <button type="button" class="button" onClick={() => setChoosing(true)}>
            {t.fromChat}
          </button>
        )}
        <small class="teach-hint" role="status">
          {waiting > 0 ? t.opening(waiting) : card.pictures.length > 0 ? t.count(card.pictures.length) : ""}
        </small>
      </div>
      {choosing && (
        <ChatPictures
          pictures={chatPictures}
          onAdd={(chosen) => void actions.addPictures(lesson.id, card.id, chosen)}
          onClose={() => setChoosing(false)}
        />
      )}
    </section>
  );
}

interface CardHeadProps {
  readonly card: Card;
  readonly kind: Lesson["kind"];
  readonly onChange: (next: Partial<Pick<Card, "answer" | "question">>) => void;
  readonly onRemove: () => void;
}

/** What is asked and what is to be answered. */
function CardHead({ card, kind, onChange, onRemove }: CardHeadProps): JSX.Element {
  const t = useTeachTexts();
  const [answerId, questionId] = [useId(), useId()];
  return (
    <div class="lesson-card-head">
      <div class="lesson-card-fields">
        {kind === "free" && (
          <div class="field">
            <label for={questionId}>{t.cardQuestion}</label>
            <input
              id={questionId}
              type="text"
              maxLength={500}
              value={card.question}
              placeholder={t.defaultQuestions.things}
              onInput={(event) => onChange({ question: event.currentTarget.value })}
            />
          </div>
        )}
        <div class="field">
          <label for={answerId}>{t.answerLabels[kind]}</label>
          <input
            id={answerId}
            type="text"
            maxLength={500}
            value={card.answer}
            placeholder={t.answerHints[kind]}
            onInput={(event) => onChange({ answer: event.currentTarget.value })}
          />
        </div>
      </div>
      <IconButton label={t.removeCard(card.answer.trim())} small onClick={onRemove}>
        <CloseIcon />
      </IconButton>
    </div>
  );
}

const asFile = (path: string, blob: Blob): File =>
  blob instanceof File ? blob : new File([blob], path.split("/").at(-1) ?? path, { type: blob.type });
