// What the page is made of and what it may do; main.tsx gives it.
import type { ReadonlySignal } from "@preact/signals";
import type { Comparison } from "#chat/compare.ts";
import type { Vote } from "#chat/compare-votes.ts";
import type { Picture } from "#chat/conversation/conversation.ts";
import type { Drafts } from "#chat/persistence/drafts.ts";
import type { Download, Downloads } from "#chat/models/downloads.ts";
import type { Example } from "#chat/pictures/examples.web.ts";
import type { Transfer } from "#chat/transfer/export-transfer.web.ts";
import type { ModelsState } from "#chat/models/models.ts";
import type { ConnectedServer, Servers } from "#chat/models/servers.ts";
import type { PhotoOffer } from "#chat/models/photo-models.ts";
import type { CropFrame } from "#chat/pictures/picture-sources.web.ts";
import type { OpenedPicture } from "#chat/pictures/pictures.web.ts";
import type { Preferences } from "#chat/preferences.ts";
import type { StorageState, StoredModels } from "#chat/models/storage.ts";
import type { ChatState } from "#chat/store/chat-state.ts";
import type { ChatStore } from "#chat/store/store.ts";
import type { Thumbnails } from "#chat/pictures/thumbnails.web.ts";
import type { ModelRecord } from "#zoo/models.ts";
import type { UpdateState } from "./UpdateNote.tsx";

export interface AppProps {
  readonly drafts: Drafts;
  readonly chat: Omit<ChatStore, "get" | "subscribe" | "restore">;
  readonly state: ReadonlySignal<ChatState>;
  /** The built-in one. */
  readonly model: ModelRecord;
  readonly models: ReadonlySignal<ModelsState>;
  /** Ids of those that are in this device's memory. */
  readonly loadedModels: ReadonlySignal<readonly string[]>;
  readonly onModel: (id: string) => void;
  readonly servers: ReadonlySignal<readonly ConnectedServer[]>;
  readonly storage: ReadonlySignal<StorageState>;
  readonly storageActions: Omit<StoredModels, "get" | "subscribe">;
  readonly downloads: ReadonlySignal<readonly Download[]>;
  readonly downloadActions: Omit<Downloads, "get" | "subscribe" | "restore" | "followOtherTabs">;
  /** A model for photographs, where this device can have one. */
  readonly photos: ReadonlySignal<PhotoOffer | undefined>;
  readonly onTakePhotoModel: () => void;
  /** Where it comes from. */
  readonly hubHost: string;
  /** What the page's address asked for, where nobody offers it. */
  readonly unknownModel: ReadonlySignal<string | undefined>;
  /** Whether the connection says that data costs money. */
  readonly metered: () => boolean;
  readonly saveFile: (blob: Blob, name: string) => void;
  readonly comparison: Comparison;
  /** Keeps the vote and gives all votes. */
  readonly onVote: (vote: Vote) => readonly Vote[];
  readonly serverActions: Pick<Servers, "connect" | "refresh" | "remove">;
  /** Absolute URL. */
  readonly modelCardUrl: string;
  /** Undefined while they are on their way. */
  readonly examples: ReadonlySignal<readonly Example[] | undefined>;
  readonly offline: ReadonlySignal<boolean>;
  readonly preferences: ReadonlySignal<Preferences>;
  readonly onPreferences: (preferences: Preferences) => void;
  readonly openPicture: (file: Blob, name: string) => Promise<OpenedPicture>;
  readonly fetchExample: (example: Example) => Promise<Blob>;
  readonly fetchPicture: (address: string) => Promise<OpenedPicture>;
  /** What the page was opened with. */
  readonly question: string;
  /** Given from outside, by sharing or opening them with the app. */
  readonly incoming: ReadonlySignal<{ readonly text: string; readonly files: readonly File[] } | undefined>;
  readonly transfer: Transfer;
  readonly update: ReadonlySignal<UpdateState>;
  readonly onUpdate: (take: boolean) => void;
  readonly install: ReadonlySignal<(() => void) | undefined>;
  /** For the list of conversations. */
  readonly thumbnails: Thumbnails;
  readonly cropPicture: (picture: Picture, frame: CropFrame) => Promise<Picture>;
}
