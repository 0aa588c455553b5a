// The entry of /eval/, the page that asks a model of this device a benchmark's questions. Puts the browser's adapters and the parts together.
import { signal } from "@preact/signals";
import { render } from "preact";
import { createWakeLock } from "#chat/page/wake-lock.web.ts";
import { readPageOptions } from "#chat/page/page-options.ts";
import { saveFile } from "#chat/page/save-file.web.ts";
import { readPreferences } from "#chat/preferences.ts";
import { engineAsker } from "#eval/run/engine-asker.ts";
import { createEvaluation } from "#evaluation/evaluation.ts";
import { createRunStore } from "#evaluation/run-store.web.ts";
import { startHubWorker } from "#hub/start.ts";
import { startServiceWorker } from "#sw/register.ts";
import { runtimePath } from "#sw/runtime-cache.ts";
import { Evaluation, type OfferedModel } from "#ui/evaluation/Evaluation.tsx";
import { evaluationLanguages } from "#ui/evaluation/evaluation-texts.ts";
import { toSignal } from "#ui/parts/to-signal.ts";
import { pickLanguage } from "#ui/texts/language.ts";
import { createModelClient } from "#worker/inference/client.ts";
import { createPackagesClient, createWeightsWorker } from "#worker/weights/weights-client.ts";
import { builtInModelId, models } from "#zoo/models.ts";
import "#ui/styles/tokens.css";
import "#ui/styles/base.css";
import "#ui/parts/logo.css";
import "#ui/parts/progress.css";
import "#ui/frame/frame.css";
import "#ui/evaluation/evaluation.css";

const root = document.getElementById("app");
const builtIn = models.find(({ id }) => id === builtInModelId);
if (root === null || builtIn === undefined) throw new Error("the page or the zoo is incomplete");

const appUrl = new URL("../", document.baseURI).href;
const { device } = readPageOptions(location.href);
// A function, because reading `localStorage` itself throws where a browser stores nothing.
const { theme, language: chosen } = readPreferences(() => localStorage);
const language = pickLanguage([...(chosen === undefined ? [] : [chosen]), ...navigator.languages]);
const texts = evaluationLanguages[language];
document.documentElement.lang = texts.tag;
document.title = `${texts.title} · llava-web`;

const weights = createWeightsWorker();
const packages = createPackagesClient(weights);
const { id, name, path } = builtIn;
/** The models that are stored completely on this device; the built-in one comes with the page. */
const offered = signal<readonly OfferedModel[]>([{ id, name, path, architecture: "llava" }]);

const evaluation = createEvaluation({
  store: createRunStore(),
  firstModelId: builtIn.id,
  now: () => performance.now(),
  async open(modelId, onLoaded, stop) {
    const model = offered.value.find((one) => one.id === modelId);
    if (!model) throw new Error(texts.modelGone(modelId));
    const client = createModelClient({
      model,
      weights,
      startWorker: model.architecture === "transformers.js" ? startHubWorker : undefined,
      device,
      pageUrl: appUrl,
      runtimeUrl: new URL(runtimePath, appUrl).href,
    });
    await client.load((event) => {
      if (event.type === "download" && event.total > 0) onLoaded(event.loaded / event.total);
    }, stop);
    return engineAsker(client);
  },
});

const wakeLock = createWakeLock();
evaluation.subscribe(({ phase }) => {
  if (phase === "running") wakeLock.hold();
  else wakeLock.release();
});

render(
  <Evaluation
    theme={theme}
    texts={texts}
    state={toSignal(evaluation)}
    actions={evaluation}
    models={offered}
    saveFile={saveFile}
  />,
  root,
);

// The service worker may reload the page once, to isolate it for threads, so nothing runs before. Without it the page works, on one thread
// where its host sends no headers.
if (import.meta.env.PROD) await startServiceWorker({ baseUrl: appUrl }).catch(() => undefined);
const stored = await packages.list().catch(() => []);
offered.value = [
  ...offered.value,
  ...stored
    .filter((one) => one.complete && one.id !== builtIn.id && one.architecture !== "llava-adapter")
    .map((one) => ({ id: one.id, name: one.name === "" ? one.id : one.name, path: one.baseUrl, architecture: one.architecture })), // prettier-ignore
];
await evaluation.restore();
