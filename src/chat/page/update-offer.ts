// The offer of a new version of the app: taken when the user says so, and only where no other tab would lose its files.
import { createCell, type Observable } from "#chat/observable.ts";

/** "other-tabs": it can't be taken while other tabs are open. */
export type UpdateState = "none" | "ready" | "other-tabs";

interface UpdateOffer extends Observable<UpdateState> {
  /** A new version waits. */
  arrive(): void;
  /** Takes it now, or with the next visit. */
  decide(now: boolean): Promise<void>;
}

/** No new version yet; `take` reloads the page with it. */
export function createUpdateOffer(take: () => Promise<"reloading" | "other-tabs">): UpdateOffer {
  const cell = createCell<UpdateState>("none");
  return {
    get: () => cell.get(),
    subscribe: (listener) => cell.subscribe(listener),
    arrive: () => cell.set("ready"),
    async decide(now) {
      if (!now) cell.set("none");
      else if ((await take()) === "other-tabs") cell.set("other-tabs");
    },
  };
}
