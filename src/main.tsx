// The page's entry: picks the browser's adapters, ties worker client, chat store and page together. Decides nothing else.
import { signal } from "@preact/signals";
import { render } from "preact";
import { bindAddress, conversationIn } from "#chat/address.web.ts";
import { fetchExample, loadExamples, type Example } from "#chat/pictures/examples.web.ts";
import { createTransfer } from "#chat/transfer/export-transfer.web.ts";
import { createComparison } from "#chat/compare.ts";
import { createDrafts } from "#chat/persistence/drafts.web.ts";
import { createDrawingMark } from "#chat/pictures/drawing-mark.web.ts";
import { createDownloads, downloadsKey } from "#chat/models/downloads.ts";
import { addVote, mergeVotes, readVotes } from "#chat/compare-votes.ts";
import { createAdaptedModel } from "#chat/models/adapted.ts";
import { createModelRegistry } from "#chat/models/models.ts";
import { createModelMemory, memoryForModels } from "#chat/models/memory.ts";
import { createServers } from "#chat/models/servers.ts";
import { createWebPersistence } from "#chat/persistence/persistence.web.ts";
import type { ModelClient } from "#chat/models/model-client.ts";
import { newId } from "#chat/new-id.ts";
import { cropPicture, fetchPicture } from "#chat/pictures/picture-sources.web.ts";
import { openPicture } from "#chat/pictures/pictures.web.ts";
import { readPreferences, writePreferences, type Preferences } from "#chat/preferences.ts";
import { defaultSettings } from "#chat/settings.ts";
import { createPhotoModels } from "#chat/models/photo-models.ts";
import {
  createStoredModels,
  defaultHub,
  hubAddressOf,
  type AdapterRef,
  type PackageRef,
} from "#chat/models/storage.ts";
import { createWakeLock, estimateStorage, isMetered, machineMemory, saveModelFile } from "#chat/models/storage.web.ts";
import { createChatStore } from "#chat/store/store.ts";
import { createThumbnails } from "#chat/pictures/thumbnails.web.ts";
import { startHubWorker } from "#hub/start.ts";
import { encodePicture } from "#remote/picture.web.ts";
import { addressAfterLaunch, onInstallOffer, onOpenedFiles, readLaunch, takeShared, type Shared } from "#sw/launch.ts";
import { waitUntilOffline } from "#sw/offline-status.ts";
import { startServiceWorker } from "#sw/register.ts";
import { runtimePath } from "#sw/runtime-cache.ts";
import { takeUpdate, watchForUpdate } from "#sw/updates.ts";
import { App } from "#ui/app/App.tsx";
import { toSignal } from "#ui/parts/to-signal.ts";
import type { UpdateState } from "#ui/parts/UpdateNote.tsx";
import "#ui/app/styles.ts";
import { requestBlob } from "#weights/download/request.ts";
import { askToPersist } from "#weights/store/storage.web.ts";
import { createModelClient, type WorkerModelClient } from "#worker/client.ts";
import type { PackageArchitecture } from "#worker/api.ts";
import { createFetchAhead, createPackagesClient, createWeightsWorker } from "#worker/weights-client.ts";
import { repositoryOf } from "#zoo/hub-models.ts";
import { builtInModelId, models } from "#zoo/models.ts";

const pageUrl = document.baseURI;
const baseUrl = new URL("./", pageUrl).href;
const model = models.find((record) => record.id === builtInModelId);
const root = document.getElementById("app");
if (model === undefined || root === null) throw new Error("the page or the zoo is incomplete");

const parameters = new URL(location.href).searchParams;
const wanted = parameters.get("device");
/** One for all: downloads, loads, and what is stored. */
const weights = createWeightsWorker();
const memory = createModelMemory(memoryForModels(machineMemory()));
/** The packages that were connected, by id. */
const connected = new Map<string, { readonly client: WorkerModelClient; readonly architecture: PackageArchitecture }>();
function connect(packaged: PackageRef): ModelClient {
  const { id, architecture } = packaged;
  const made = createModelClient({
    model: packaged,
    weights,
    startWorker: architecture === "transformers.js" ? startHubWorker : undefined,
    device: wanted === "webgpu" || wanted === "wasm" ? wanted : "auto",
    pageUrl,
    runtimeUrl: new URL(runtimePath, baseUrl).href,
  });
  connected.set(id, { client: made, architecture });
  return memory.watch(id, made);
}
const client = connect({ ...model, architecture: "llava" });

/** Beside its base, whose worker and loaded parts it shares. */
function connectAdapter(adapter: AdapterRef): ModelClient {
  const base = registry.client(adapter.baseId);
  const host = connected.get(adapter.baseId);
  if (base === undefined || host === undefined) throw new Error("the base of an adapter is always offered with it");
  beside.set(adapter.id, adapter.baseId);
  return createAdaptedModel({ base, host: host.client, adapter });
}
/** Bases of the adapters that were connected, by the adapters' ids. */
const beside = new Map<string, string>();

// A function, because reading `localStorage` itself throws where a browser keeps nothing.
const storage = (): Storage => localStorage;
const preferences = signal(readPreferences(storage));
const registry = createModelRegistry("device", { id: model.id, name: model.name, connect: () => client }, (id) =>
  memory.release(id),
);
const comparison = createComparison((id) => registry.client(id));
const packages = createPackagesClient(weights);
const hub = hubAddressOf(parameters.get("hub")) ?? defaultHub;
const stored = createStoredModels({
  packages,
  registry,
  connect,
  connectAdapter,
  estimate: estimateStorage,
  builtInId: model.id,
  hub,
});
const servers = createServers({ storage, registry, encodePicture, newId });
/** An id of the zoo, a name, or what a model is called on its server. */
const wantedId = repositoryOf(parameters.get("model") ?? preferences.value.model ?? model.id);
const wantedModel = registry.find(wantedId);
/** What the page's address asked for, and nobody offers here. */
const unknownModel = signal<string | undefined>(undefined);
const persistence = createWebPersistence();
const chat = createChatStore({
  client: registry.select(wantedModel?.id ?? model.id) ?? client,
  persistence,
  settings: preferences.value.settings ?? defaultSettings(model),
  newId,
});
addEventListener("pagehide", () => chat.noteUnfinished());
// Before the page draws anything of a conversation.
const drawing = createDrawingMark();
let drawn: unknown;
chat.subscribe(({ conversation }) => {
  if (conversation === drawn) return;
  drawn = conversation;
  drawing.drawing(conversation.turns.length > 0 ? conversation.id : undefined);
});
const offline = signal(false);

/** The choice holds for the next visit too. */
function selectModel(id: string): void {
  const chosen = registry.select(id);
  if (chosen === undefined) return;
  keepPreferences({ ...preferences.value, model: id });
  void chat.switchModel(chosen);
}

/** What is deleted is not kept in memory either; the model that is always there goes on in its place. */
async function forgetModel(id: string): Promise<"done" | "in-use"> {
  const outcome = await stored.forget(id);
  const { choices, selected } = registry.get();
  if (outcome === "done" && selected.id !== id) memory.release(id);
  if (!choices.some((choice) => choice.id === selected.id)) selectModel(model?.id ?? builtInModelId);
  return outcome;
}

function keepPreferences(next: Preferences): void {
  preferences.value = next;
  writePreferences(storage, next);
}

const downloads = createDownloads({
  storage,
  fetchAhead: createFetchAhead(weights),
  forget: (id) => packages.forget(id),
  changed: () => stored.refresh(),
  async use(id) {
    const before = registry.get().selected.id;
    // Loaded first, so that the chat goes on meanwhile.
    const fetched = registry.client(id);
    // An adapter whose base is not here.
    if (fetched === undefined) return false;
    await fetched.load(() => undefined);
    if (registry.get().selected.id !== before) return false;
    selectModel(id);
    return true;
  },
});
const photos = createPhotoModels({
  device: () => packages.device(),
  preview: (typed) => stored.preview(typed),
  start: (wantedModel, purpose) => downloads.start(wantedModel, purpose),
  metered: isMetered,
});
addEventListener("storage", ({ key }) => {
  if (key === downloadsKey) downloads.followOtherTabs();
});

const examples = signal<readonly Example[] | undefined>(undefined);
const launch = readLaunch(location.href);
if (launch.embed) document.documentElement.dataset["embed"] = "yes";
const incoming = signal<Shared | undefined>(undefined);
const update = signal<UpdateState>("none");
const install = signal<(() => void) | undefined>(undefined);
onInstallOffer((offered) => {
  install.value = offered;
});

/** The new version at once, or at the next visit. */
async function decideUpdate(take: boolean): Promise<void> {
  if (take && (await takeUpdate(navigator.serviceWorker, () => location.reload())) === "other-tabs")
    update.value = "other-tabs";
  if (!take) update.value = "none";
}

render(
  <App
    chat={{
      state: toSignal(chat),
      actions: chat,
      drafts: createDrafts(),
      thumbnails: createThumbnails((id) => persistence.firstPicture(id)),
    }}
    models={{
      state: toSignal(registry),
      loadedIds: toSignal(memory),
      select: selectModel,
      builtIn: model,
      cardUrl: new URL(`${model.path}README.md`, pageUrl).href,
      missing: unknownModel,
    }}
    storage={{ state: toSignal(stored), actions: { ...stored, forget: forgetModel }, saveFile: saveModelFile }}
    downloads={{ state: toSignal(downloads), actions: downloads, hubHost: new URL(hub).host, isMetered }}
    photoModel={{ offer: toSignal(photos), take: () => void photos.take() }}
    servers={{
      state: toSignal(servers),
      actions: {
        connect: (typed, signal) => servers.connect(typed, signal),
        refresh: () => servers.refresh(),
        remove(id) {
          const { selected } = registry.get();
          servers.remove(id);
          // Nobody is left to ask; the model that is always there goes on.
          if (!registry.get().choices.some((choice) => choice.id === selected.id)) selectModel(model.id);
        },
      },
    }}
    pictures={{ open: openPicture, fetch: (address) => fetchPicture(address, requestBlob), crop: cropPicture }}
    examples={{ list: examples, fetch: (example) => fetchExample(example, requestBlob) }}
    compare={{ comparison, vote: (vote) => addVote(storage, vote) }}
    transfer={createTransfer(chat, persistence, {
      read: () => readVotes(storage),
      merge: (votes) => mergeVotes(storage, votes),
    })}
    preferences={{ state: preferences, change: keepPreferences }}
    launch={{ question: launch.question, incoming }}
    installation={{ offline, update, decideUpdate: (now) => void decideUpdate(now), install }}
  />,
  root,
);

loadExamples(new URL("examples/", pageUrl).href, requestBlob).then(
  (list) => {
    examples.value = list;
  },
  // The page is complete without them; a developer wants to know.
  (error: unknown) => {
    examples.value = [];
    console.warn("The examples could not be loaded:", error);
  },
);

chat.subscribe(() => {
  tellOffline().catch((error: unknown) =>
    console.warn("Whether the page works offline could not be found out:", error),
  );
});
const wakeLock = createWakeLock();
/** From so many bytes on a download is long enough for a screen to go dark over it. */
const longDownloadBytes = 100e6;
chat.subscribe(({ model: { phase, ...rest } }) => {
  const left = "progress" in rest ? rest.progress.total - rest.progress.loaded : 0;
  if (phase === "loading" && left > longDownloadBytes) wakeLock.hold();
  else if (phase !== "loading" || left === 0) wakeLock.release();
});
const downloadLock = createWakeLock();
downloads.subscribe((list) => {
  const left = (download: (typeof list)[number]): number => download.total - download.loaded;
  if (list.some((download) => download.phase === "running" && left(download) > longDownloadBytes)) downloadLock.hold();
  else if (!list.some(({ phase }) => phase === "running")) downloadLock.release();
});
let asked: object | undefined;
/** Asks what is stored each time a model has become ready. */
async function tellOffline(): Promise<void> {
  const ready = chat.get().model;
  if (ready.phase !== "ready" || ready.model === asked) return;
  asked = ready.model;
  const { id, device, runtimeFree = false } = ready.model;
  // An adapter that is here is stored, or in memory like its base.
  const own = connected.get(beside.get(id) ?? id);
  // What a server answers is not there without a network.
  if (device === "remote" || own === undefined) {
    offline.value = false;
    return;
  }
  const runsOn = own.architecture === "transformers.js" ? "hub" : device;
  const status = await waitUntilOffline({
    baseUrl,
    device: runsOn,
    runtimeFree,
    isModelStored: () => own.client.isStored(),
  });
  // Another model may have been chosen meanwhile.
  if (asked === ready.model) offline.value = status.ready;
}

await chat.restore({ wanted: conversationIn(location.hash), suspects: await drawing.suspects() });
bindAddress(chat);
// May reload the page, once and only here: before a model loads and before anything is asked.
if (import.meta.env.PROD)
  await startServiceWorker({ baseUrl }).catch((error: unknown) =>
    // The page works without it, only not offline.
    console.warn("The service worker could not be started:", error),
  );
// The page stays now: what it was opened with is used up.
history.replaceState(history.state, "", addressAfterLaunch(location.href));
takeShared(baseUrl).then(
  (shared) => {
    if (shared.text !== "" || shared.files.length > 0) incoming.value = shared;
  },
  (error: unknown) => console.warn("What was shared could not be read:", error),
);
onOpenedFiles((files) => {
  incoming.value = { text: "", files };
});
if (import.meta.env.PROD && "serviceWorker" in navigator)
  watchForUpdate(navigator.serviceWorker, () => {
    update.value = "ready";
  }).catch((error: unknown) => console.warn("New versions can't be watched for:", error));
// Before the first byte. Nobody waits for the answer, which some browsers leave to the user.
void askToPersist();
if (wantedModel === undefined) {
  // Then it may be one that is stored here.
  await stored.refresh().catch((error: unknown) => console.warn("What is stored could not be listed:", error));
  const found = registry.find(wantedId);
  if (found === undefined) unknownModel.value = parameters.get("model") ?? undefined;
  const foundClient = found && registry.select(found.id);
  if (foundClient) void chat.switchModel(foundClient);
}
await chat.start();
// After the model that is to answer; where data costs money nobody is surprised by a download.
downloads.restore(isMetered());
await stored.refresh();
await photos.prepare();
