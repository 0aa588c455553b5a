// Entry of the bench page: this engine, and transformers.js beside it if asked, each in a worker of its own, on this device.
// The peer's worker is fetched only when it is asked for.
import { wrap } from "comlink";
import { runtimePath } from "#sw/runtime-cache.ts";
import type { Message } from "#engine/types.ts";
import "#ui/styles/tokens.css";
import "#ui/styles/base.css";
import "./page.css";
import { spreadOf, type System } from "../measure.ts";
import type { Split } from "../systems/ours.ts";
import { runPlan } from "../plan.ts";
import type { LibraryApi, LoadOptions, Memory, OursApi } from "./api.ts";
import { workerHeaps } from "./memory.ts";
import { deviceLine, partings, pictureOf, tableOf, type Report, type SystemReport } from "./report.ts";
import { benchTexts } from "./texts.ts";

const appUrl = new URL("../", document.baseURI);
const { language, texts: t } = benchTexts(navigator.languages);
document.documentElement.lang = language;
document.title = `${t.title} · llava-web`;
const dark = matchMedia("(prefers-color-scheme: dark)");
const showTheme = (): void => {
  document.documentElement.dataset["theme"] = dark.matches ? "dark" : "light";
};
showTheme();
dark.addEventListener("change", showTheme);

function make<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  properties: Partial<HTMLElementTagNameMap[Name]> = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[Name] {
  const element = Object.assign(document.createElement(name), properties);
  element.append(...children);
  return element;
}

function choice(name: string, label: string, options: Readonly<Record<string, string>>, chosen: string) {
  const select = make(
    "select",
    { name },
    ...Object.entries(options).map(([value, text]) => make("option", { value }, text)),
  );
  select.value = chosen;
  return { select, label: make("label", {}, make("span", {}, label), select) };
}

// ?device=, ?pairs= and ?beside fill the form, so that a link tells how to run it; ?contexts= and ?tokens= are the lengths of the prompts
// without a picture and of the answers, ?package= another package's folder on this origin. ?heap=no leaves out what takes Chromium a minute,
// because it asks threads that wait inside WebAssembly, too.
const query = new URLSearchParams(location.search);
const contexts = (query.get("contexts") ?? "256,1024").split(",").map(Number);
const longestAnswer = Number(query.get("tokens") ?? 48);
const wantedPairs = query.get("pairs") ?? "3";
const pairsOffered = {
  "3": t.quick,
  "9": t.full,
  ...(wantedPairs in { "3": 0, "9": 0 } ? {} : { [wantedPairs]: wantedPairs }),
};
const device = choice("device", t.device, t.devices, query.get("device") ?? "auto");
const pairs = choice("pairs", t.pairs, pairsOffered, wantedPairs);
const beside = make("input", { type: "checkbox", checked: query.has("beside") });
const button = make("button", { type: "submit", className: "bench-run" }, t.run);
const status = make("p", { className: "bench-status" });
status.setAttribute("role", "status");
status.dataset["testid"] = "bench-status";
const result = make("section", { hidden: true });
const form = make(
  "form",
  { className: "bench-form" },
  device.label,
  pairs.label,
  make("label", { className: "bench-check" }, beside, make("span", {}, t.beside)),
  button,
);
document
  .querySelector("#bench")
  ?.append(
    make("p", {}, make("a", { href: appUrl.href }, t.back)),
    make("h1", {}, t.title),
    make("p", { className: "bench-lead" }, t.lead),
    form,
    status,
    result,
  );

function chosenDevice(): LoadOptions["device"] {
  const { value } = device.select;
  return value === "webgpu" || value === "wasm" ? value : "auto";
}

async function bench(): Promise<Report> {
  const workers: Worker[] = [];
  let breakOff: (error: Error) => void = () => undefined;
  const broken = new Promise<never>((_, reject) => (breakOff = reject));
  const started = (worker: Worker): Worker => {
    workers.push(worker);
    // A worker that cannot be loaded answers no call.
    worker.onerror = ({ message }) => breakOff(new Error(message || "a worker could not be started"));
    return worker;
  };
  try {
    return await Promise.race([run(started), broken]);
  } finally {
    for (const worker of workers) worker.terminate();
  }
}

/** Opens the systems one after another, asks them in turns, and at the end what they hold. */
async function run(started: (worker: Worker) => Worker): Promise<Report> {
  const ours = wrap<OursApi>(
    started(new Worker(new URL("./bench-ours.ts", import.meta.url), { type: "module", name: "ours" })),
  );
  const options: LoadOptions = {
    packageUrl: new URL(query.get("package") ?? "models/pocket-llava/", appUrl).href,
    runtimeUrl: new URL(runtimePath, appUrl).href,
    device: chosenDevice(),
    longestAnswer,
  };
  const loaded = await ours.load(options);
  const widened = beside.checked && loaded.device === "wasm";
  const peers: Record<string, System<readonly Message[]>> = {};
  const opened: { name: string; loaded: SystemReport; memory: () => Promise<Memory> }[] = [];
  if (beside.checked) {
    const library = wrap<LibraryApi>(
      started(new Worker(new URL("./bench-library.ts", import.meta.url), { type: "module", name: "library" })),
    );
    const table = widened ? await ours.embeddings() : undefined;
    const same = { ...options, device: loaded.device === "webgpu" ? ("webgpu" as const) : ("wasm" as const) };
    const found = await library.load(same, table);
    const name = "transformers.js";
    peers[name] = (messages) => library.ask(messages);
    opened.push({ name, loaded: { ...found, memory: { wasmBytes: NaN } }, memory: () => library.memory() });
  }
  const picture = await (await fetch(new URL("examples/pets.png", appUrl))).blob();
  const splits: Split[] = [];
  const count = Number(pairs.select.value);
  const fitting = contexts.filter((tokens) => tokens > 0 && tokens <= loaded.contextLength - longestAnswer - 64);
  const rows = await runPlan(
    {
      ours: async (messages) => {
        const found = await ours.ask(messages);
        if (found?.split) splits.push(found.split);
        return found;
      },
      peers,
    },
    picture,
    { pairs: count, contexts: fitting },
    (done, of) => (status.textContent = t.running(done + 1, of)),
  );
  status.textContent = t.counting;
  const heapOf = query.get("heap") === "no" ? undefined : await workerHeaps().catch(() => undefined);
  const held = opened.map(
    async ({ name, loaded: peer, memory }) =>
      [name, { ...peer, memory: { ...(await memory()), heapBytes: heapOf?.("bench-library") } }] as const,
  );
  // Of the first question: before it two prompts have counted words, and its first run does not count.
  const skipped = fitting.length > 0 ? 3 : 1;
  return {
    date: new Date().toISOString(),
    userAgent: navigator.userAgent,
    cores: navigator.hardwareConcurrency,
    pairs: count,
    longestAnswer,
    ours: { ...loaded, memory: { ...(await ours.memory()), heapBytes: heapOf?.("bench-ours") } },
    peers: Object.fromEntries(await Promise.all(held)),
    widened,
    split: medianSplit(splits.slice(skipped, skipped + count)),
    rows,
  };
}

function medianSplit(splits: readonly Split[]): Split {
  const of = (name: keyof Split): number => spreadOf(splits.map((split) => split[name])).median;
  return {
    imageMs: of("imageMs"),
    visionMs: of("visionMs"),
    prefillMs: of("prefillMs"),
  };
}

function show(report: Report): void {
  const { split } = report;
  const [header = [], ...lines] = tableOf(report, t);
  const heads = header.map((text) => make("th", { scope: "col" }, text));
  const rows = lines.map(([what = "", ...cells]) =>
    make("tr", {}, make("th", { scope: "row" }, what), ...cells.map((text) => make("td", {}, text))),
  );
  const wide = make("div", { className: "bench-table", tabIndex: 0 });
  wide.setAttribute("role", "region");
  wide.setAttribute("aria-label", t.title);
  wide.append(make("table", {}, make("thead", {}, make("tr", {}, ...heads)), make("tbody", {}, ...rows)));
  const json = JSON.stringify(report, undefined, 1);
  const copy = action(t.copy, async () => {
    await navigator.clipboard.writeText(json);
    status.textContent = t.copied;
  });
  const saveJson = action(t.saveJson, () => save(new Blob([json], { type: "application/json" }), "llava-bench.json"));
  const savePicture = action(t.savePicture, async () => save(await pictureOf(report, t), "llava-bench.png"));
  const ms = (value: number): string => value.toFixed(0);
  result.replaceChildren(
    make("h2", {}, deviceLine(report, t)),
    wide,
    make("p", {}, t.ahead),
    make("p", {}, t.split(ms(split.imageMs), ms(split.visionMs), ms(split.prefillMs))),
    ...partings(report, t).map((line) => make("p", {}, line)),
    ...(report.widened ? [make("p", {}, t.widened)] : []),
    make("div", { className: "bench-actions" }, copy, saveJson, savePicture),
  );
  result.hidden = false;
}

function action(label: string, act: () => void | Promise<void>): HTMLButtonElement {
  const button = make("button", { type: "button" }, label);
  button.addEventListener("click", () => {
    void Promise.resolve(act()).catch(tellFailure);
  });
  return button;
}

function save(blob: Blob, name: string): void {
  const href = URL.createObjectURL(blob);
  make("a", { href, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(href), 10_000);
}

function tellFailure(error: unknown): void {
  status.dataset["state"] = "failed";
  status.textContent = t.failed(error instanceof Error ? error.message : String(error));
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  button.disabled = true;
  status.dataset["state"] = "running";
  status.textContent = t.loading;
  bench()
    .then((report) => {
      show(report);
      status.dataset["state"] = "done";
      status.textContent = t.done;
    })
    .catch(tellFailure)
    .finally(() => (button.disabled = false));
});
