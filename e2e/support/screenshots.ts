// Pictures of every view, to be looked at: `npm run screenshots [-- <folder>]` builds the page and writes them to screenshots/.
// Wide and light in English, wide and dark in Chinese, and both languages on a phone. Asserts nothing.
import { mkdir, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { chromium, type Locator, type Page } from "@playwright/test";
import { startFakeServer, type FakeServer } from "#testing/servers/fake-server.node.ts";
import { heavyAnswers } from "#testing/markdown-heavy.ts";
import { publishOnHub } from "#testing/servers/hub-server.node.ts";
import { startPackageServer, testPackage, type PackageServer } from "#testing/servers/package-server.node.ts";
import { securityHeaders } from "#sw/security-headers.ts";
import { languages } from "#ui/texts/all.ts";
import { reviewFiles } from "./review-files.ts";
import { answeredTurns, openSavedChat, redPng, type SavedTurn } from "./saved-chat.ts";
import { serveStatic } from "./static-server.ts";

const [app = "dist-test", to = "screenshots"] = process.argv.slice(2);
const forms = [
  { name: "wide", language: "en", colorScheme: "light", width: 1100, height: 800 },
  { name: "wide-dark-zh", language: "zh", colorScheme: "dark", width: 1100, height: 800 },
  { name: "phone-dark", language: "en", colorScheme: "dark", width: 360, height: 740 },
  { name: "phone-zh", language: "zh", colorScheme: "light", width: 360, height: 740 },
] as const;

/** Repositories of the hub that stands beside the page. */
const checkpoint = "someone/tiny-llava";
const ggufModels = "someone/Llava-v1.5-7B-GGUF";

/** A page in one of the forms, and how it is used and photographed. */
interface Studio {
  readonly page: Page;
  readonly t: (typeof languages)[keyof typeof languages];
  readonly shot: (view: string) => Promise<void>;
  readonly button: (label: string) => Locator;
  /** Closes the dialog on top. */
  readonly close: () => Promise<void>;
  /** Clicks something in the list of models. */
  readonly choose: (label: string) => Promise<void>;
}

const richAnswer = `## Sorting, step by step

The **median** of three values \`a\`, \`b\`, \`c\` needs at most three comparisons, $O(1)$ in all:

\`\`\`python
def median(a: float, b: float, c: float) -> float:
    """The middle one of three."""
    if a > b:
        a, b = b, a  # now a <= b
    return max(a, min(b, c))
\`\`\`

| Case | Comparisons |
| --- | --- |
| sorted already | 3 |
| all equal | 3 |

$$\\bar{x} = \\frac{1}{n} \\sum_{i=1}^{n} x_i$$

> Quoted, with a [link](https://example.com/) and a list:
>
> 1. one
> 2. two`;

/** A question and this answer to it. */
function turnsWith(answer: string): SavedTurn[] {
  return answeredTurns.map((turn) => (turn.role === "assistant" ? { ...turn, text: answer } : turn));
}

async function takeFirstVisit({ page, shot, close }: Studio): Promise<void> {
  await page.getByTestId("photo-offer").waitFor();
  await shot("empty");
  await page.getByTestId("example").first().getByRole("button").first().click();
  await page.locator('[data-testid="answer-turn"][data-status="done"]').waitFor();
  await shot("answer");
  await page.getByTestId("answer-figures").getByRole("button").click();
  await shot("figures");
  await close();
  await page.getByTestId("model-picker").getByRole("button").first().click();
  await shot("models");
  await close();
  await page.getByTestId("model-status").getByRole("button").click();
  await shot("model-panel");
  await close();
}

async function takeDialogs({ page, t, shot, button, close, choose }: Studio): Promise<void> {
  await button(t.settings).click();
  await shot("settings");
  await page.getByText(t.sampling.more).click();
  await shot("settings-more");
  await button(t.about).click();
  await shot("about");
  await close();
  await close();
  await page.keyboard.press("Control+/");
  await shot("shortcuts");
  await close();
  await choose(t.storage.open);
  await shot("storage");
}

/** In the models view: a package at an address with its price, its download, and what came of it. */
async function takeModelByAddress({ page, t, shot, button, choose }: Studio, packages: PackageServer): Promise<void> {
  await page.getByLabel(t.storage.address).fill(packages.baseUrl);
  await button(t.storage.look).click();
  const offer = page.getByTestId("model-offer");
  await offer.scrollIntoViewIfNeeded();
  await shot("model-by-address");
  packages.bytesPerSecond = 20_000;
  await offer.getByRole("button").first().click();
  await page.getByTestId("download").waitFor();
  await shot("downloading");
  packages.bytesPerSecond = Infinity;
  await page.locator('[data-testid="download"][data-phase="done"]').waitFor();
  await shot("downloaded");
  await choose(t.storage.open);
  await page.getByTestId("stored-model").last().scrollIntoViewIfNeeded();
  await shot("storage-with-models");
}

/** The zoo, and a checkpoint of a hub: its price, how it is converted, paused, and what is told of it meanwhile. */
async function takeZoo({ page, t, shot, button, choose }: Studio, hub: PackageServer): Promise<void> {
  await choose(t.storage.open);
  await page.getByTestId("zoo-model").first().scrollIntoViewIfNeeded();
  await shot("zoo");
  await page.getByTestId("zoo-model").last().scrollIntoViewIfNeeded();
  await shot("zoo-end");
  await page.getByLabel(t.storage.address).fill(ggufModels);
  await button(t.storage.look).click();
  await page.getByTestId("gguf-models").scrollIntoViewIfNeeded();
  await shot("gguf-models");
  await page.getByLabel(t.storage.address).fill(checkpoint);
  await button(t.storage.look).click();
  const offer = page.getByTestId("model-offer");
  await offer.scrollIntoViewIfNeeded();
  await shot("checkpoint");
  hub.gate.close();
  hub.isHeld = ({ path, start, end }) => path.endsWith(".safetensors") && end - start > 100_000;
  // The first file and a little of the second.
  hub.gate.allow(750_000);
  await offer.getByRole("button").first().click();
  const note = page.locator('[data-testid="download"][data-phase="running"]');
  await note.waitFor();
  await shot("converting");
  await note.getByRole("button").first().click();
  await page.locator('[data-testid="download"][data-phase="paused"]').waitFor();
  await shot("conversion-paused");
  await choose(t.storage.open);
  await page.getByRole("dialog").getByTestId("download").scrollIntoViewIfNeeded();
  await shot("storage-with-conversion");
  hub.isHeld = () => false;
}

async function takeServer({ page, t, shot, button, close, choose }: Studio, server: FakeServer): Promise<void> {
  await choose(t.remote.connect);
  await shot("server");
  await page.getByRole("textbox", { name: t.remote.address }).fill(server.url);
  await page.keyboard.press("Enter");
  await page.getByTestId("leaves-device").waitFor();
  await shot("on-server");
  await choose(t.compare.open);
  await shot("compare");
  await button(t.compare.ask).click();
  await page.getByRole("button", { name: t.compare.adopt }).first().waitFor();
  await shot("compared");
  await close();
}

async function takeConversations({ page, t, shot, close }: Studio): Promise<void> {
  await page.locator("#toggle-sidebar").click();
  await shot("conversations");
  await page.getByRole("button", { name: t.transfer.title }).click();
  await shot("export");
  await close();
  const picture = page.getByTestId("question-turn").locator("img").first();
  await picture.scrollIntoViewIfNeeded();
  await picture.click();
  await shot("lightbox");
  await close();
}

/** An answer that no model here would give. */
async function takeAnswer({ page, shot }: Studio, view: string, answer: string, drawn?: string): Promise<void> {
  await openSavedChat(page, turnsWith(answer), { p1: redPng });
  if (drawn !== undefined) await page.locator(drawn).first().waitFor();
  await shot(view);
}

/** The pages beside the chat: answers side by side, and a short evaluation. */
async function takeEvaluation({ page, shot }: Studio): Promise<void> {
  const files = await reviewFiles(2);
  await page.goto(`${site.url}review/`);
  await page.getByTestId("review-empty").waitFor();
  await shot("review-empty");
  await page.getByTestId("files-input").setInputFiles([...files]);
  await page.getByTestId("question").waitFor();
  await shot("review");
  // The third of the questions was judged.
  await page.locator("body").press("j");
  await page.locator("body").press("j");
  await page.getByTestId("review").waitFor();
  await shot("review-judged");
  await page.goto(`${site.url}eval/?device=wasm`);
  await shot("eval-empty");
  await page.getByTestId("files-input").setInputFiles(files.filter(({ name }) => /^(questions|known)/.test(name)));
  await page.locator(".evaluation-actions .button-primary").click();
  await page.locator('[data-testid="eval-run"][data-phase="done"]').waitFor();
  await page.getByTestId("eval-figures").waitFor();
  await shot("eval-done");
}

const site = await serveStatic({ folder: app, headers: securityHeaders });
const server = await startFakeServer({ models: ["llava-13b"] });
const packages = await startPackageServer(testPackage({ weightBytes: 100_000 }));
packages.headers = {
  "access-control-allow-origin": "*",
  "access-control-allow-headers": "range",
  "access-control-expose-headers": "etag, content-range",
  "cross-origin-resource-policy": "cross-origin",
};
const fixture = "training/fixtures/tiny-llava";
const files = (await readdir(fixture)).map(
  async (file) => [file, new Uint8Array(await readFile(join(fixture, file)))] as const,
);
publishOnHub(packages, checkpoint, new Map(await Promise.all(files)), { license: "llama2", modelType: "llava" });
// Only names and sizes are shown of these.
const sizes = { Q2_K: 2.5, Q3_K_L: 3.6, Q4_K_M: 4.1, Q5_K_M: 4.8, Q6_K: 5.5, Q8_0: 7.2 };
const gguf = Object.entries(sizes).map(
  ([type, size]) => [`llava-v1.5-7b-${type}.gguf`, new Uint8Array(size * 1e6)] as const,
);
const projector = ["llava-v1.5-7b-mmproj-f16.gguf", new Uint8Array(600_000)] as const;
publishOnHub(packages, ggufModels, new Map([...gguf, projector]), { license: "llama2" });
const executablePath = process.env["CHROMIUM_PATH"];
const browser = await chromium.launch({ args: ["--no-sandbox"], ...(executablePath ? { executablePath } : {}) });
await mkdir(to, { recursive: true });

for (const { name, language, colorScheme, width, height } of forms) {
  const t = languages[language];
  const open = async (): Promise<Studio> => {
    const context = await browser.newContext({ colorScheme, locale: t.tag, viewport: { width, height } });
    const page = await context.newPage();
    const hub = encodeURIComponent(new URL("/", packages.baseUrl).href);
    await page.goto(`${site.url}?device=wasm&hub=${hub}`);
    await page.locator('[data-testid="model-status"][data-state="ready"]').waitFor();
    const button = (label: string): Locator => page.getByRole("button", { name: label, exact: true });
    return {
      page,
      t,
      button,
      shot: async (view) => {
        // For what is fetched or drawn late; these pictures are looked at, not compared.
        await page.waitForTimeout(400);
        await page.screenshot({ path: join(to, `${name}-${view}.png`), animations: "disabled" });
      },
      close: () => page.keyboard.press("Escape"),
      choose: async (label) => {
        await page.getByTestId("model-picker").getByRole("button").first().click();
        await button(label).click();
      },
    };
  };
  const use = async (work: (studio: Studio) => Promise<void>): Promise<void> => {
    const studio = await open();
    await work(studio);
    await studio.page.context().close();
  };
  await use(async (studio) => {
    await takeFirstVisit(studio);
    await takeDialogs(studio);
    await takeModelByAddress(studio, packages);
    await studio.close();
    await takeServer(studio, server);
    await takeConversations(studio);
  });
  await use((studio) => takeZoo(studio, packages));
  await use(takeEvaluation);
  // Code in colours, formulas, tables; and what was made to hang the page.
  await use((studio) => takeAnswer(studio, "rich-answer", richAnswer, "code span"));
  await use((studio) => takeAnswer(studio, "hostile-answer", heavyAnswers.get("fractions 150 deep")?.() ?? ""));
}
await browser.close();
await packages.stop();
await server.stop();
await site.stop();
console.log(`The pictures are in ${to}/.`);
