// What the buttons of questions and answers do.
import type { Signal } from "@preact/signals";
import { askedOf } from "#chat/teach/chat-examples.ts";
import type { TurnActions } from "#ui/conversation/turn-actions.ts";
import type { Viewing } from "#ui/pictures/Viewer.tsx";
import { focusQuestion } from "#ui/parts/use-modal.ts";
import type { AppFeatures } from "./features.ts";

interface Shown {
  /** Id of the question that is being edited. */
  readonly editing: Signal<string | undefined>;
  readonly viewing: Signal<Viewing | undefined>;
}

export function createTurnActions(
  { chat: { actions: chat, state }, pictures, teach, view }: Pick<AppFeatures, "chat" | "pictures" | "teach" | "view">,
  { editing, viewing }: Shown,
): TurnActions {
  return {
    onRetry: () => chat.retry(),
    onStop: () => chat.stop(),
    onNewChat() {
      chat.newChat();
      editing.value = undefined;
      focusQuestion();
    },
    onForget: () => chat.forgetAndRetry(),
    onRegenerate: (id) => chat.regenerate(id),
    onContinue: () => chat.continueAnswer(),
    onJudge: (id, opinion) => chat.judge(id, opinion),
    onPage: (id, step) => chat.page(id, step),
    onRemove(id) {
      chat.removeTurns(id);
      focusQuestion();
    },
    onEditing(id) {
      editing.value = id;
      if (id === undefined) focusQuestion();
    },
    onEdit(id, text, edited) {
      chat.edit(id, text, edited);
      editing.value = undefined;
      focusQuestion();
    },
    onView(shown, startId, replace) {
      viewing.value = { pictures: shown, startId, replace };
    },
    onCrop(picture, replace) {
      viewing.value = { pictures: [picture], startId: picture.id, cropping: picture, replace };
    },
    teaching: {
      state: teach.lessons,
      open: () => teach.actions.open(),
      asked: (answerId) => askedOf(state.value.conversation.turns, answerId),
      keep: (example, lessonId) => void teach.actions.keepExample(example, lessonId),
      forget: (answerId) => teach.actions.forgetExample(answerId),
      show: (lessonId) => view.show({ name: "teach", lessonId }),
    },
    openPicture: pictures.open,
  };
}
