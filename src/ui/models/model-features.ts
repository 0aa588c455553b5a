// The state and actions of models and servers that the components get as props, in groups. The page's entry creates the groups; each
// component takes those that it needs.
import type { ReadonlySignal } from "@preact/signals";
import type { Downloads } from "#chat/downloads/downloads.ts";
import type { Download } from "#chat/downloads/wanted.ts";
import type { LookUp } from "#chat/models/look-up/look-up.ts";
import type { ModelsState } from "#chat/models/models.ts";
import type { PhotoOffer } from "#chat/models/photo-models.ts";
import type { ConnectedServer, Servers } from "#chat/servers/servers.ts";
import type { StorageState, StoredModels } from "#chat/models/storage.ts";
import type { ModelRecord } from "#zoo/models.ts";

export interface ModelFeatures {
  readonly models: ModelsFeature;
  readonly storage: StorageFeature;
  readonly downloads: DownloadsFeature;
  readonly photoModel: PhotoModelFeature;
  readonly servers: ServersFeature;
}

/** The models that can answer, and which one does. */
export interface ModelsFeature {
  readonly state: ReadonlySignal<ModelsState>;
  /** Ids of the models that are in this device's memory. */
  readonly loadedIds: ReadonlySignal<readonly string[]>;
  readonly select: (id: string) => void;
  readonly builtIn: ModelRecord;
  /** Absolute URL of the built-in model's card. */
  readonly cardUrl: string;
  /** The model that the page's address asks for, if it can't be chosen here. */
  readonly missing: ReadonlySignal<string | undefined>;
}

/** The models that are stored in this browser. */
interface StorageFeature {
  readonly state: ReadonlySignal<StorageState>;
  readonly actions: Omit<StoredModels, "get" | "subscribe">;
  readonly saveFile: (blob: Blob, name: string) => void;
}

/** The models that are being downloaded. */
export interface DownloadsFeature {
  readonly state: ReadonlySignal<readonly Download[]>;
  readonly actions: Omit<Downloads, "get" | "subscribe" | "restore" | "followOtherTabs">;
  /** What stands behind an id, an address or files, and what it costs. */
  readonly lookUp: LookUp;
  /** The host that "owner/name" is downloaded from. */
  readonly hubHost: string;
  /** Keeps an access token for a hub's URL. */
  readonly setToken: (hub: string, token: string) => void;
  /** Whether the connection is metered: the browser reports that data costs money. */
  readonly isMetered: () => boolean;
}

/** The model for photographs that is offered beside the built-in one. */
interface PhotoModelFeature {
  /** Undefined if this device can't run any, and until that is known. */
  readonly offer: ReadonlySignal<PhotoOffer | undefined>;
  readonly take: () => void;
}

/** The servers that the user connected. */
export interface ServersFeature {
  readonly state: ReadonlySignal<readonly ConnectedServer[]>;
  readonly actions: Pick<Servers, "connect" | "refresh" | "remove">;
}
