// What can be done to the turns of a conversation, as the components that show them call it.
import type { Opinion, Picture } from "#chat/conversation/conversation.ts";
import type { OpenedPicture } from "#chat/pictures/pictures.web.ts";
import type { ReplacePicture } from "#ui/pictures/Viewer.tsx";
import type { AnswerTeaching } from "#ui/teach/Correction.tsx";

export interface TurnActions {
  readonly onRetry: () => void;
  /** Ends the answer under way. */
  readonly onStop: () => void;
  readonly onNewChat: () => void;
  /** Leaves out the oldest turns and asks the last question again. */
  readonly onForget: () => void;
  readonly onRegenerate: (answerId: string) => void;
  readonly onContinue: () => void;
  /** Giving the same opinion a second time withdraws it. */
  readonly onJudge: (answerId: string, opinion: Opinion) => void;
  readonly onPage: (turnId: string, step: -1 | 1) => void;
  readonly onRemove: (questionId: string) => void;
  /** Undefined ends editing. */
  readonly onEditing: (questionId: string | undefined) => void;
  readonly onEdit: (questionId: string, text: string, pictures: readonly Picture[]) => void;
  /** Shows it large; what is cropped there takes its place, or goes with the next question where it was sent already. */
  readonly onView: (pictures: readonly Picture[], startId: string, replace?: ReplacePicture) => void;
  /** Crops it at once. */
  readonly onCrop: (picture: Picture, replace?: ReplacePicture) => void;
  /** Keeps answers as examples for teaching. */
  readonly teaching: AnswerTeaching;
  readonly openPicture: (file: Blob, name: string) => Promise<OpenedPicture>;
}
