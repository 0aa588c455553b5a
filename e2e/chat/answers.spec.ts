// True answers in the built page: on WASM, and on WebGPU through Chromium's software adapter (slow, so one short question).
import { expect, test, type Page } from "@playwright/test";
import { execFileSync } from "node:child_process";
import { askAbout, examplePicture, modelReady, openPage, photographTruth, truths } from "../support/ask.ts";

/** The command line's answer: the same engine on ONNX Runtime for Node. */
function nodeAnswer(file: string | undefined, question: string): string {
  const picture = file === undefined ? [] : ["--image", examplePicture(file)];
  const args = ["scripts/run.mjs", "src/cli/main.ts", "chat", ...picture, question];
  return execFileSync(process.execPath, args, { encoding: "utf8" }).trim();
}

/** Opens the page on this device with the model ready; returns the files of the runtime that are asked for from then on, too. */
async function openOn(page: Page, device: "wasm" | "webgpu"): Promise<readonly string[]> {
  const runtimeFiles: string[] = [];
  page.on("request", (request) => {
    if (new URL(request.url()).pathname.includes("/ort/")) runtimeFiles.push(request.url());
  });
  await openPage(page, `./?device=${device}`);
  await modelReady(page, 120_000);
  // A device that failed its self-test would have handed over to WASM.
  await expect(page.getByTestId("model-status")).toContainText(device === "wasm" ? "WASM" : "WebGPU");
  return runtimeFiles;
}

async function askTheTruth(page: Page, { file, question, words }: (typeof truths)[number]): Promise<void> {
  const answer = await askAbout(page, file, question, 120_000);
  expect(answer).toMatch(words);
  expect(answer).toBe(nodeAnswer(file, question));
  await expect(page.getByTestId("answer-figures").last()).toContainText("tokens/s");
}

test("drawings and a photograph get true answers on wasm, the same as in Node, and beside the photograph a model for such is offered", async ({
  page,
}) => {
  const runtimeFiles = await openOn(page, "wasm");
  for (const truth of truths) {
    await askTheTruth(page, truth);
    await page.getByRole("button", { name: "New chat" }).click();
  }
  const { file, question, words } = photographTruth;
  await page.getByTestId("file-input").setInputFiles(examplePicture(file));
  await expect(page.getByTestId("photo-offer")).toContainText("This looks like a photo.", { timeout: 120_000 });
  const answer = await askAbout(page, undefined, question, 120_000);
  expect(answer).toMatch(words);
  expect(answer).toBe(nodeAnswer(file, question));
  // On WASM the model runs on kernels of our own, and the runtime, larger than it, is not fetched.
  expect(runtimeFiles).toEqual([]);
});

// The software adapter takes half a minute for a picture of the built-in model: with --long one is asked about. Pictures of smaller models on
// WebGPU are in engine/smolvlm.spec.ts and app/offline.spec.ts.
test("the built-in model answers on webgpu as in Node", async ({ page }) => {
  test.setTimeout(300_000);
  const runtimeFiles = await openOn(page, "webgpu");
  const question = "Hello";
  expect(await askAbout(page, undefined, question, 120_000)).toBe(nodeAnswer(undefined, question));
  expect(runtimeFiles).not.toEqual([]);
  if (process.env["LLAVA_LONG_TESTS"] !== "1") return;
  await page.getByRole("button", { name: "New chat" }).click();
  await askTheTruth(page, truths[0]);
});

test("a picture dropped on the page is asked about, and the next question is about the same picture", async ({
  page,
}) => {
  await openPage(page, "./?device=wasm");
  await modelReady(page);
  await askAbout(page, "pets.png", "How many cats are there?");
  const follow = await askAbout(page, undefined, "Is there a rocket?");
  expect(follow).toMatch(/^no\b/i);
});
