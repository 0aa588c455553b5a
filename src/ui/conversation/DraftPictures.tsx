// The pictures that go with the next question.
import type { ComponentChildren, JSX } from "preact";
import { AttachedPictures } from "#ui/composer/AttachedPictures.tsx";
import type { Draft } from "#ui/composer/use-draft.ts";
import type { TurnActions } from "./turn-actions.ts";

interface DraftPicturesProps {
  readonly draft: Draft;
  readonly size: "large" | "small";
  /** How many pictures the conversation holds already: the numbers go on from there. */
  readonly before: number;
  readonly actions: TurnActions;
  /** What stands beside them. */
  readonly children?: ComponentChildren;
}

/** A picture that is cropped takes the place of the one it was cut from. */
export function DraftPictures({ draft, size, before, actions, children }: DraftPicturesProps): JSX.Element {
  const replace = draft.replace.bind(draft);
  return (
    <AttachedPictures
      draft={draft}
      size={size}
      before={before}
      onView={(id) => actions.onView(draft.pictures, id, replace)}
      onCrop={(picture) => actions.onCrop(picture, replace)}
    >
      {children}
    </AttachedPictures>
  );
}
