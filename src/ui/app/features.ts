// What the page is made of. The page's entry (main.tsx) hands it over, grouped by feature; a component asks for the groups that it needs.
import type { ReadonlySignal } from "@preact/signals";
import type { PageView } from "#chat/page/page-view.ts";
import type { UpdateState } from "#chat/page/update-offer.ts";
import type { Drafts } from "#chat/persistence/drafts.ts";
import type { Example } from "#chat/pictures/examples.web.ts";
import type { Thumbnails } from "#chat/pictures/thumbnails.web.ts";
import type { Preferences } from "#chat/preferences.ts";
import type { ChatState } from "#chat/store/chat-state.ts";
import type { ChatStore } from "#chat/store/store.ts";
import type { Transfer } from "#chat/transfer/export-transfer.web.ts";
import type { PictureFeature } from "#ui/pictures/picture-feature.ts";
import type { CompareFeature } from "#ui/dialogs/use-comparing.ts";
import type { ModelFeatures } from "#ui/models/model-features.ts";
import type { TeachFeature } from "#ui/teach/teach-feature.ts";

export interface AppFeatures extends ModelFeatures {
  readonly chat: ChatFeature;
  readonly pictures: PictureFeature;
  readonly examples: ExamplesFeature;
  readonly compare: CompareFeature;
  readonly transfer: Transfer;
  readonly preferences: PreferencesFeature;
  readonly launch: LaunchFeature;
  readonly installation: InstallationFeature;
  readonly teach: TeachFeature;
  readonly view: ViewFeature;
}

/** What the middle of the page shows. */
interface ViewFeature {
  readonly state: ReadonlySignal<PageView>;
  readonly show: (view: PageView) => void;
}

/** The conversations. */
interface ChatFeature {
  readonly state: ReadonlySignal<ChatState>;
  readonly actions: Omit<ChatStore, "get" | "subscribe" | "restore">;
  readonly drafts: Drafts;
  /** A picture of each conversation, for the list. */
  readonly thumbnails: Thumbnails;
}

/** The examples of the welcome. */
interface ExamplesFeature {
  /** Undefined while the list is being downloaded. */
  readonly list: ReadonlySignal<readonly Example[] | undefined>;
  readonly fetch: (example: Example) => Promise<Blob>;
}

export interface PreferencesFeature {
  readonly state: ReadonlySignal<Preferences>;
  readonly change: (preferences: Preferences) => void;
}

/** What the page was opened with. */
interface LaunchFeature {
  readonly question: string;
  /** Shared with the app, or opened with it; may come at any time. */
  readonly incoming: ReadonlySignal<{ readonly text: string; readonly files: readonly File[] } | undefined>;
}

/** The page as an app: whether it works offline, its updates, and installing it. */
interface InstallationFeature {
  readonly offline: ReadonlySignal<boolean>;
  readonly update: ReadonlySignal<UpdateState>;
  /** Takes the new version now, or with the next visit. */
  readonly decideUpdate: (now: boolean) => void;
  /** Undefined where the browser does not offer it. */
  readonly install: ReadonlySignal<(() => void) | undefined>;
}
