// The page's entry: picks the browser's adapters and puts the parts together. What the page decides is in chat/page.
import { computed, signal } from "@preact/signals";
import { render } from "preact";
import { createComparison } from "#chat/compare.ts";
import { addVote, mergeVotes, readVotes } from "#chat/persistence/votes.ts";
import { createConnections } from "#chat/models/connections.ts";
import { createDownloads } from "#chat/downloads/downloads.ts";
import { createHubTokens } from "#chat/downloads/hub-tokens.ts";
import { createLookUp } from "#chat/models/look-up/look-up.ts";
import { createModelMemory, memoryForModels } from "#chat/models/memory.ts";
import { createModelRegistry } from "#chat/models/models.ts";
import { createPhotoModels } from "#chat/models/photo-models.ts";
import { createServers } from "#chat/servers/servers.ts";
import { createStoredModels } from "#chat/models/storage.ts";
import { downloadsKey } from "#chat/downloads/stored-downloads.ts";
import { estimateStorage, isMetered, machineMemory } from "#chat/models/storage.web.ts";
import { contentHash } from "#chat/content-hash.ts";
import { newId } from "#chat/new-id.ts";
import { bindAddress, conversationIn } from "#chat/page/address.web.ts";
import { createCrashGuard, markWhatIsDrawn } from "#chat/page/crash-guard.web.ts";
import { createIncoming } from "#chat/page/incoming.ts";
import { createModelActions } from "#chat/page/model-actions.ts";
import { createOfflineStatus } from "#chat/page/offline-status.ts";
import { firstModelIds, readPageOptions } from "#chat/page/page-options.ts";
import { saveFile } from "#chat/page/save-file.web.ts";
import { startPage } from "#chat/page/start-page.ts";
import { stayAwakeWhileDownloading, stayAwakeWhileLoading, stayAwakeWhileTeaching } from "#chat/page/stay-awake.ts";
import { createUpdateOffer } from "#chat/page/update-offer.ts";
import { createPageView } from "#chat/page/page-view.ts";
import { createWakeLock } from "#chat/page/wake-lock.web.ts";
import { createDrafts } from "#chat/persistence/drafts.web.ts";
import { createWebPersistence } from "#chat/persistence/persistence.web.ts";
import { fetchExample, loadExamples, type Example } from "#chat/pictures/examples.web.ts";
import { cropPicture, fetchPicture } from "#chat/pictures/picture-sources.web.ts";
import { openPicture, type OpenedPicture } from "#chat/pictures/pictures.web.ts";
import { createThumbnails } from "#chat/pictures/thumbnails.web.ts";
import { createPreferences } from "#chat/preferences.ts";
import { defaultSettings } from "#chat/settings.ts";
import { createChatStore } from "#chat/store/store.ts";
import { createLessonFiles } from "#chat/teach/lesson-files.web.ts";
import { createWebLessons } from "#chat/teach/lesson-place.web.ts";
import { createLessons } from "#chat/teach/lessons.ts";
import { createTeaching, type TeachingRequest } from "#chat/teach/teaching.ts";
import { pupilsOf } from "#chat/teach/pupils.ts";
import { teachAlone } from "#chat/teach/teaching-alone.web.ts";
import { createTransfer } from "#chat/transfer/export-transfer.web.ts";
import { startHubWorker } from "#hub/start.ts";
import { encodePicture } from "#remote/picture.web.ts";
import { addressAfterLaunch, onInstallOffer, onOpenedFiles, readLaunch, takeShared } from "#sw/launch.ts";
import { waitUntilOffline } from "#sw/offline-status.ts";
import { startServiceWorker } from "#sw/register.ts";
import { runtimePath } from "#sw/runtime-cache.ts";
import { takeUpdate, watchForUpdate } from "#sw/updates.ts";
import { App } from "#ui/app/App.tsx";
import { toSignal } from "#ui/parts/to-signal.ts";
import { pickLanguage } from "#ui/texts/language.ts";
import { loadTexts } from "#ui/texts/texts.ts";
import "#ui/app/styles.ts";
import { requestBlob } from "#weights/download/request.ts";
import { askToPersist } from "#weights/store/storage.web.ts";
import { createModelClient } from "#worker/inference/client.ts";
import type { ConversionRequest } from "#worker/convert/convert-api.ts";
import { createConversions } from "#worker/convert/convert-client.ts";
import { createTeaching as createTutor } from "#worker/teach/teach-client.ts";
import type { TeachRequest } from "#worker/teach/teach-api.ts";
import {
  createFetchAhead,
  createPackageGetter,
  createPackagesClient,
  createWeightsWorker,
} from "#worker/weights/weights-client.ts";
import { builtInModelId, models } from "#zoo/models.ts";

const pageUrl = document.baseURI;
const baseUrl = new URL("./", pageUrl).href;
const builtIn = models.find((record) => record.id === builtInModelId);
const root = document.getElementById("app");
if (builtIn === undefined || root === null) throw new Error("the page or the zoo is incomplete");

const options = readPageOptions(location.href);
const launch = readLaunch(location.href);
if (launch.embed) document.documentElement.dataset["embed"] = "yes";
// A function, because reading `localStorage` itself throws where a browser stores nothing.
const storage = (): Storage => localStorage;
const preferences = createPreferences(storage);

// Models: the built-in one, stored ones, those of servers.
/** One worker for downloads, for loading, and for the packages that are stored. */
const weights = createWeightsWorker();
const packages = createPackagesClient(weights);
const memory = createModelMemory(memoryForModels(machineMemory()));
const connections = createConnections({
  createClient: (model) =>
    createModelClient({
      model,
      weights,
      startWorker: model.architecture === "transformers.js" ? startHubWorker : undefined,
      device: options.device,
      pageUrl,
      runtimeUrl: new URL(runtimePath, baseUrl).href,
    }),
  memory,
  offeredClient: (id) => registry.client(id),
});
const builtInClient = connections.connect({ ...builtIn, architecture: "llava" });
const registry = createModelRegistry(
  "device",
  { id: builtIn.id, name: builtIn.name, connect: () => builtInClient },
  (id) => memory.release(id),
);
const stored = createStoredModels({
  packages,
  registry,
  connect: (model) => connections.connect(model),
  connectAdapter: (adapter) => connections.connectAdapter(adapter),
  estimate: estimateStorage,
  builtInId: builtIn.id,
});
const tokens = createHubTokens(storage);
const conversions = createConversions(new URL(runtimePath, baseUrl).href);
/** With the reader's token for the hub that is asked, if there is one. */
const withToken = (request: ConversionRequest): ConversionRequest => {
  const token = request.place.kind === "hub" ? tokens.get(request.place.hub) : undefined;
  return token === undefined ? request : { ...request, token };
};
const lookUp = createLookUp({
  preview: (baseUrl) => packages.preview(baseUrl),
  plan: (request) => conversions.plan(withToken(request)),
  hub: options.hub,
});
const servers = createServers({ storage, registry, encodePicture, newId });

// The chat.
const persistence = createWebPersistence();
const firstIds = firstModelIds(options.model, preferences.get().model, builtIn.id);
const firstModel = firstIds.map((id) => registry.find(id)).find((found) => found !== undefined);
/** What the page's address asked for, where it is no model that this page can offer. */
const missingModel = signal<string | undefined>(undefined);
const chat = createChatStore({
  client: registry.select(firstModel?.id ?? builtIn.id) ?? builtInClient,
  persistence,
  settings: preferences.get().settings ?? defaultSettings(builtIn),
  newId,
});
addEventListener("pagehide", () => {
  chat.noteUnfinished();
  lessons.noteUnfinished();
});
// Before the page draws anything of a conversation.
const crashGuard = createCrashGuard();
markWhatIsDrawn(chat, crashGuard);
const comparison = createComparison((id) => registry.client(id));
const modelActions = createModelActions({
  registry,
  memory,
  stored,
  servers,
  builtInId: builtIn.id,
  switchModel: (client) => chat.switchModel(client),
  remember: (model) => preferences.change({ ...preferences.get(), model }),
});
const downloads = createDownloads({
  storage,
  fetchAhead: createFetchAhead(weights),
  convert: (request, onEvent, pause) => conversions.convert(withToken(request), onEvent, pause),
  forget: (id) => packages.forget(id),
  changed: () => stored.refresh(),
  use: (id) => modelActions.useDownloaded(id),
});
addEventListener("storage", ({ key }) => {
  if (key === downloadsKey) downloads.followOtherTabs();
});
const photoModels = createPhotoModels({
  device: () => packages.device(),
  lookUp,
  start: (model, purpose) => downloads.start(model, purpose),
  metered: isMetered,
});

// Teaching.
const now = (): number => Date.now();
const fetchFrom = (address: string): Promise<OpenedPicture> => fetchPicture(address, requestBlob);
const lessons = createLessons({
  place: createWebLessons(newId()),
  openPicture,
  fetchPicture: fetchFrom,
  hash: contentHash,
  newId,
  now,
});
const lessonFiles = createLessonFiles({ saveFile, hash: contentHash, newId, now });
const view = createPageView(location.hash);
const tutor = createTutor();
const getPackage = createPackageGetter(weights);
/** With the model's package as it is stored. */
const teachRequest = async ({ pupil, examples, name, minutes }: TeachingRequest): Promise<TeachRequest> => {
  const model = { id: pupil.id, baseUrl: pupil.path === "" ? "" : new URL(pupil.path, pageUrl).href };
  const runtimeUrl = new URL(runtimePath, baseUrl).href;
  const replayUrl = new URL("teach/", baseUrl).href;
  return { model, package: await getPackage(model), examples, name, options: { minutes }, runtimeUrl, replayUrl };
};
const teaching = createTeaching({
  teacher: {
    plan: async (request) => tutor.plan(await teachRequest(request)),
    teach: async (request, onEvent, stop) => tutor.teach(await teachRequest(request), onEvent, stop),
    end: () => tutor.end(),
  },
  blobs: () => lessons.get().blobs,
  keepResult: (id, result) => lessons.addResult(id, result),
  listModels: () => stored.refresh(),
  alone: teachAlone,
  now,
});

// The page as an app.
const incoming = createIncoming({ takeShared: () => takeShared(baseUrl), onOpenedFiles });
const update = createUpdateOffer(() => takeUpdate(navigator.serviceWorker, () => location.reload()));
const offline = createOfflineStatus({
  chat,
  connections,
  isEverythingStored: async (question) => (await waitUntilOffline({ baseUrl, ...question })).ready,
});
const install = signal<(() => void) | undefined>(undefined);
onInstallOffer((offered) => {
  install.value = offered;
});
const examples = signal<readonly Example[] | undefined>(undefined);

const storedState = toSignal(stored);
const registryState = toSignal(registry);

// The first frame speaks the visitor's language.
const { language } = preferences.get();
await loadTexts(pickLanguage([...(language === undefined ? [] : [language]), ...navigator.languages])).catch(
  () => undefined,
);

render(
  <App
    chat={{
      state: toSignal(chat),
      actions: chat,
      drafts: createDrafts(),
      thumbnails: createThumbnails((id) => persistence.firstPicture(id)),
    }}
    models={{
      state: registryState,
      loadedIds: toSignal(memory),
      select: (id) => modelActions.select(id),
      builtIn,
      cardUrl: new URL(`${builtIn.path}README.md`, pageUrl).href,
      missing: missingModel,
    }}
    storage={{
      state: storedState,
      actions: { ...stored, forget: (id) => modelActions.forget(id) },
      saveFile,
    }}
    downloads={{
      state: toSignal(downloads),
      actions: downloads,
      lookUp,
      hubHost: new URL(options.hub).host,
      setToken: (hub, token) => tokens.set(hub, token),
      isMetered,
    }}
    photoModel={{ offer: toSignal(photoModels), take: () => void photoModels.take() }}
    servers={{
      state: toSignal(servers),
      actions: {
        connect: (typed, signal) => servers.connect(typed, signal),
        refresh: () => servers.refresh(),
        remove: (id) => modelActions.removeServer(id),
      },
    }}
    pictures={{ open: openPicture, fetch: fetchFrom, crop: cropPicture }}
    examples={{ list: examples, fetch: (example) => fetchExample(example, requestBlob) }}
    compare={{ comparison, vote: (vote) => addVote(storage, vote) }}
    transfer={createTransfer(
      chat,
      persistence,
      { read: () => readVotes(storage), merge: (votes) => mergeVotes(storage, votes) },
      saveFile,
    )}
    teach={{
      lessons: toSignal(lessons),
      actions: lessons,
      files: lessonFiles,
      teaching: toSignal(teaching),
      course: teaching,
      pupils: computed(() => pupilsOf(storedState.value.stored, registryState.value.selected.id, builtIn)),
      results: {
        use: (id) => modelActions.select(id),
        save: async (id, name) => {
          const zip = await stored.exportPackage(id);
          if (typeof zip === "string") return "failed";
          saveFile(zip, `${name.replace(/[^\p{L}\p{N}.-]+/gu, "-")}.zip`);
          return "done";
        },
        remove: (id) => modelActions.forget(id),
      },
    }}
    view={{ state: toSignal(view), show: (next) => view.set(next) }}
    preferences={{ state: toSignal(preferences), change: (next) => preferences.change(next) }}
    launch={{ question: launch.question, incoming: toSignal(incoming) }}
    installation={{
      offline: toSignal(offline),
      update: toSignal(update),
      decideUpdate: (now) => void update.decide(now),
      install,
    }}
  />,
  root,
);

void loadExamples(new URL("examples/", pageUrl).href, requestBlob).then((list) => {
  examples.value = list;
});
stayAwakeWhileLoading(chat, createWakeLock());
stayAwakeWhileDownloading(downloads, createWakeLock());
stayAwakeWhileTeaching(teaching, createWakeLock());

await startPage({
  restoreChat: async () =>
    chat.restore({ wanted: conversationIn(location.hash), suspects: await crashGuard.suspects() }),
  followAddress: () => bindAddress(chat, view),
  startServiceWorker: async () => {
    if (import.meta.env.PROD) await startServiceWorker({ baseUrl });
  },
  forgetLaunch: () => history.replaceState(history.state, "", addressAfterLaunch(location.href)),
  receiveIncoming: () => incoming.receive(),
  watchForUpdate: async () => {
    if (import.meta.env.PROD && "serviceWorker" in navigator)
      await watchForUpdate(navigator.serviceWorker, () => update.arrive());
  },
  askToPersist,
  findFirstModel: async () => {
    if (firstModel !== undefined) return;
    for (const id of firstIds) if (await modelActions.findStored(id)) return;
    missingModel.value = options.model;
  },
  startModel: () => chat.start(),
  resumeDownloads: () => downloads.restore(isMetered()),
  refreshStored: () => stored.refresh(),
  preparePhotoModels: () => photoModels.prepare(),
});
