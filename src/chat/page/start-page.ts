// The order in which a visit begins. The page is drawn already, and shows what each step brings.

/** The steps of a visit's beginning; each may be asynchronous. */
export interface PageStart {
  /** Brings back the list of conversations and the one that is shown first. */
  restoreChat(): Promise<void>;
  /** Keeps the address and the shown conversation the same from now on. */
  followAddress(): void;
  /** Resolves when a model may be loaded; does not resolve when the page is about to reload. */
  startServiceWorker(): Promise<unknown>;
  /** Takes out of the address what the page was opened with. */
  forgetLaunch(): void;
  /** Shows what was shared with the app, or opened with it. */
  receiveIncoming(): void;
  watchForUpdate(): Promise<void>;
  /** Asks the browser not to evict what is stored. */
  askToPersist(): Promise<void>;
  /** Where the model to begin with was not known yet: looks for it among the stored ones. */
  findFirstModel(): Promise<void>;
  /** Loads the model that answers; resolves also when that fails. */
  startModel(): Promise<void>;
  /** Goes on with downloads that earlier visits began. */
  resumeDownloads(): void;
  /** Lists what is stored. */
  refreshStored(): Promise<void>;
  /** Finds out which model for photographs is offered. */
  preparePhotoModels(): Promise<void>;
}

/** Resolves when everything is under way. What the page can do without is only warned of. */
export async function startPage(page: PageStart): Promise<void> {
  await page.restoreChat();
  page.followAddress();
  // The service worker may reload the page, once and only here: before a model loads and before anything is asked. Without it the page
  // works, but not offline.
  await page.startServiceWorker().catch(warnOf("The service worker could not be started:"));
  // The page stays now: what it was opened with is used up.
  page.forgetLaunch();
  page.receiveIncoming();
  page.watchForUpdate().catch(warnOf("New versions can't be watched for:"));
  // Before the first byte is stored. The start does not wait for the answer, which some browsers leave to the user.
  void page.askToPersist();
  await page.findFirstModel();
  // The model that answers comes before other downloads and before what the models view shows.
  await page.startModel();
  page.resumeDownloads();
  await page.refreshStored();
  await page.preparePhotoModels();
}

const warnOf =
  (what: string) =>
  (error: unknown): void =>
    console.warn(what, error);
