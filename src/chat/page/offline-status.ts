// Whether the page would answer without a network: looked up each time that a model has become ready.
import type { AnswerDevice } from "#chat/conversation/conversation.ts";
import type { Connections } from "#chat/models/connections.ts";
import { createCell, type Observable } from "#chat/observable.ts";
import type { ChatState } from "#chat/store/chat-state.ts";

/** What has to be stored besides the page. */
export interface OfflineQuestion {
  /** "hub" is the library that runs a hub's models, on either device. */
  readonly device: Exclude<AnswerDevice, "remote"> | "hub";
  /** The model runs without any runtime's files. */
  readonly runtimeFree: boolean;
  readonly isModelStored: () => Promise<boolean>;
}

interface OfflineStatusOptions {
  readonly chat: Observable<Pick<ChatState, "model">>;
  readonly connections: Pick<Connections, "get">;
  readonly isEverythingStored: (question: OfflineQuestion) => Promise<boolean>;
}

/** False until a model is ready and everything that it needs is known to be stored. */
export function createOfflineStatus({
  chat,
  connections,
  isEverythingStored,
}: OfflineStatusOptions): Observable<boolean> {
  const cell = createCell(false);
  let asked: object | undefined;
  const lookUp = async (): Promise<void> => {
    const { model: state } = chat.get();
    if (state.phase !== "ready" || state.model === asked) return;
    const { model } = state;
    asked = model;
    const { id, device, runtimeFree = false } = model;
    const connection = connections.get(id);
    // What a server answers is not there without a network.
    if (device === "remote" || connection === undefined) return cell.set(false);
    const isOffline = await isEverythingStored({
      device: connection.architecture === "transformers.js" ? "hub" : device,
      runtimeFree,
      isModelStored: () => connection.client.isStored(),
    });
    // Another model may have become ready meanwhile.
    if (asked === model) cell.set(isOffline);
  };
  chat.subscribe(() => {
    lookUp().catch((error: unknown) => console.warn("Whether the page works offline could not be found out:", error));
  });
  return cell;
}
