// The view in which a model is taught, in the place of the chat, with what the page's parts lend it.
import type { Signal } from "@preact/signals";
import type { JSX, RefObject } from "preact";
import { picturesIn } from "#chat/conversation/conversation.ts";
import { lazy } from "#ui/parts/lazy.tsx";
import type { Viewing } from "#ui/pictures/Viewer.tsx";
import type { TakeGiven } from "#ui/teach/teach-feature.ts";
import type { AppFeatures } from "./features.ts";

const TeachView = lazy(async () => (await import("#ui/teach/TeachView.tsx")).TeachView);

interface TeachPartProps {
  readonly features: Pick<AppFeatures, "chat" | "models" | "storage" | "teach" | "view">;
  readonly lessonId: string | undefined;
  readonly given: RefObject<TakeGiven | undefined>;
  readonly dragging: boolean;
  readonly viewing: Signal<Viewing | undefined>;
  readonly onModels: () => void;
}

export function TeachPart({ features, viewing, ...rest }: TeachPartProps): JSX.Element {
  const { chat, models, storage, teach, view } = features;
  const { stored } = storage.state.value;
  return (
    <TeachView
      {...rest}
      teach={teach}
      chatPictures={picturesIn(chat.state.value.conversation.turns)}
      storedIds={stored && new Set(stored.map(({ id }) => id))}
      selectedId={models.state.value.selected.id}
      onLesson={(lessonId) => view.show({ name: "teach", lessonId })}
      onView={(viewed) => {
        viewing.value = viewed;
      }}
    />
  );
}
