// One question: its pictures, its words, and the few things that can be done to it.
import type { JSX } from "preact";
import type { Alternatives } from "#chat/conversation/branches.ts";
import type { Picture, UserTurn } from "#chat/conversation/conversation.ts";
import { IconButton } from "#ui/parts/IconButton.tsx";
import { DeleteIcon, EditIcon } from "#ui/parts/icons.tsx";
import { lazy } from "#ui/parts/lazy.tsx";
import { Pager } from "./Pager.tsx";
import { useTexts } from "#ui/texts/texts.ts";
import { Thumbnail } from "#ui/parts/Thumbnail.tsx";
import type { TurnActions } from "./turn-actions.ts";

const QuestionEditor = lazy(async () => (await import("./QuestionEditor.tsx")).QuestionEditor);

interface QuestionTurnProps {
  readonly turn: UserTurn;
  readonly alternatives: Alternatives;
  readonly busy: boolean;
  readonly editing: boolean;
  /** The last question of the conversation. */
  readonly isLast: boolean;
  /** All pictures of the conversation, in the order of their numbers. */
  readonly pictures: readonly Picture[];
  readonly actions: TurnActions;
}

/** While it is edited, the editor stands in its place. */
export function QuestionTurn({
  turn,
  alternatives,
  busy,
  editing,
  isLast,
  pictures,
  actions,
}: QuestionTurnProps): JSX.Element {
  const t = useTexts();
  const numberOf = (picture: Picture): number => pictures.findIndex(({ id }) => id === picture.id) + 1;
  const [first] = turn.pictures;
  return (
    <article
      class={`turn turn-user${isLast ? " turn-last" : ""}`}
      aria-label={t.you}
      tabIndex={-1}
      data-testid="question-turn"
    >
      {editing ? (
        <QuestionEditor
          key={turn.id}
          turn={turn}
          before={first === undefined ? 0 : numberOf(first) - 1}
          actions={actions}
        />
      ) : (
        <>
          {turn.pictures.length > 0 && (
            <div class={`turn-pictures${turn.pictures.length === 1 ? " turn-pictures-one" : ""}`}>
              {turn.pictures.map((picture) => (
                <Thumbnail
                  key={picture.id}
                  picture={picture}
                  index={numberOf(picture)}
                  numbered={pictures.length > 1}
                  onOpen={() => actions.onView(pictures, picture.id)}
                />
              ))}
            </div>
          )}
          <div class="question-row">
            {turn.text !== "" && (
              <p class="bubble" dir="auto">
                {turn.text}
              </p>
            )}
            <div class="turn-tools">
              <Pager {...alternatives} disabled={busy} onPage={(step) => actions.onPage(turn.id, step)} />
              <IconButton label={t.turnTools.edit} small disabled={busy} onClick={() => actions.onEditing(turn.id)}>
                <EditIcon />
              </IconButton>
              <IconButton
                label={t.turnTools.deletePair}
                small
                disabled={busy}
                onClick={() => actions.onRemove(turn.id)}
              >
                <DeleteIcon />
              </IconButton>
            </div>
          </div>
        </>
      )}
    </article>
  );
}
