// Keeps the screen on while something large is downloaded, because a device that sleeps ends the download.
import type { Download } from "#chat/downloads/wanted.ts";
import type { Observable } from "#chat/observable.ts";
import type { ChatState } from "#chat/store/chat-state.ts";

/** While it is held, the screen stays on. */
export interface WakeLock {
  hold(): void;
  release(): void;
}

/** A download that has more than this left lasts long enough for a screen to go dark. */
const longDownloadBytes = 100e6;

/** Holds the lock from the time that a load has much left to download until it has nothing left. */
export function stayAwakeWhileLoading(chat: Observable<Pick<ChatState, "model">>, lock: WakeLock): void {
  chat.subscribe(({ model }) => {
    const left = model.phase === "loading" ? model.progress.total - model.progress.loaded : 0;
    if (left > longDownloadBytes) lock.hold();
    else if (left === 0) lock.release();
  });
}

/** Holds the lock from the time that a download has much left until none runs. */
export function stayAwakeWhileDownloading(downloads: Observable<readonly Download[]>, lock: WakeLock): void {
  downloads.subscribe((list) => {
    const running = list.filter(({ phase }) => phase === "running");
    if (running.some(({ total, loaded }) => total - loaded > longDownloadBytes)) lock.hold();
    else if (running.length === 0) lock.release();
  });
}

/** Holds the lock while a model is taught: a device that sleeps does not learn. */
export function stayAwakeWhileTeaching(teaching: Observable<{ readonly phase: string }>, lock: WakeLock): void {
  teaching.subscribe(({ phase }) => (phase === "running" ? lock.hold() : lock.release()));
}
