// The built page in a browser that Playwright does not drive: opened, asked about an example, given a picture and a file of
// conversations, and opened again with its server gone. Prints a line per step; the exit code is 0 when all held.
// Usage: smoke.ts firefox|webkit <program> <folder of the built page> [folder for screenshots]
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { securityHeaders } from "#sw/security-headers.ts";
import { examplePicture, truths } from "../support/ask.ts";
import { serveStatic } from "../support/static-server.ts";
import { waitFor, type Browser } from "./browser.ts";
import { startFirefox } from "./firefox.ts";
import { startWebkit } from "./webkit.ts";

const [kind, program, folder = "dist-test", pictures] = process.argv.slice(2);
if ((kind !== "firefox" && kind !== "webkit") || program === undefined) {
  console.error("usage: smoke.ts firefox|webkit <program> <folder> [screenshots]");
  process.exit(2);
}

const box = `document.querySelector("textarea")`;
const answered = `[...document.querySelectorAll('[data-testid="answer-turn"]')].filter((turn) => turn.dataset.status === "done")`;
const ready = `return document.querySelector('[data-testid="model-status"]')?.dataset.state === "ready";`;

/** Types a question as a person does and sends it; resolves with the finished answer's words. */
async function ask(browser: Browser, question: string): Promise<string> {
  const before = await browser.run<number>(`return ${answered}.length;`);
  await browser.run(
    `const box = ${box};
     box.focus();
     Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, "value").set.call(box, argument);
     box.dispatchEvent(new InputEvent("input", { bubbles: true }));
     await new Promise((resolve) => setTimeout(resolve, 100));
     box.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true, cancelable: true }));`,
    question,
  );
  await waitFor(browser, `an answer to “${question}”`, `return ${answered}.length > ${before};`);
  return browser.run(`return [...document.querySelectorAll('[data-testid="answer"]')].at(-1).innerText.trim();`);
}

async function drop(browser: Browser, name: string, type: string, bytes: Buffer): Promise<void> {
  await browser.run(
    `const bytes = Uint8Array.from(atob(argument.base64), (character) => character.charCodeAt(0));
     const dataTransfer = new DataTransfer();
     dataTransfer.items.add(new File([bytes], argument.name, { type: argument.type }));
     document.body.dispatchEvent(new DragEvent("drop", { bubbles: true, cancelable: true, dataTransfer }));`,
    { name, type, base64: bytes.toString("base64") },
  );
}

function expectMatch(answer: string, wanted: RegExp): string {
  if (!wanted.test(answer)) throw new Error(`“${answer}” is not ${String(wanted)}`);
  return `“${answer}”`;
}

const server = await serveStatic({ folder, headers: securityHeaders });
const browser = await (kind === "firefox" ? startFirefox(program) : startWebkit(program));
let passed = 0;
let failed = 0;

/** Runs one step and tells how it ended. Later steps need the ones before, so the first failure ends the run. */
async function step(title: string, work: () => Promise<string>): Promise<void> {
  if (failed > 0) return;
  const startedAt = Date.now();
  try {
    const told = await work();
    passed++;
    console.log(`✓ ${browser.name}: ${title} (${((Date.now() - startedAt) / 1000).toFixed(1)} s): ${told}`);
  } catch (error) {
    failed++;
    console.log(`✘ ${browser.name}: ${title}: ${String(error)}`);
    console.log(await browser.run<string>("return document.body.innerText.slice(0, 1500);").catch(String));
  }
  if (pictures !== undefined) await browser.screenshot(join(pictures, `${kind}-${passed + failed}.png`));
}

try {
  await step("the page opens and the built-in model loads", async () => {
    await browser.goto(`${server.url}?device=wasm`);
    await waitFor(browser, "the model", ready);
    return browser.run<string>(
      `return [
         crossOriginIsolated ? "isolated, with threads" : "not isolated, one thread",
         "gpu" in navigator ? "WebGPU" : "no WebGPU",
         "serviceWorker" in navigator ? "works offline" : "no service worker",
         "onbeforeinstallprompt" in window ? "offers to install" : "no offer to install",
         "share" in navigator ? "shares" : "does not share",
       ].join(", ");`,
    );
  });
  const [example] = truths;
  await step("a dropped picture is asked about", async () => {
    await drop(browser, example.file, "image/png", await readFile(examplePicture(example.file)));
    await waitFor(
      browser,
      "the picture",
      `return [...document.querySelectorAll("button")].some((button) => button.getAttribute("aria-label") === "Remove ${example.file}");`,
    );
    return expectMatch(await ask(browser, example.question), example.words);
  });
  await step("a second question gets its answer from the same picture", async () =>
    expectMatch(await ask(browser, "Is there a dog?"), /^yes/i),
  );
  await step("conversations of a file are imported", async () => {
    const line = {
      id: "1",
      conversations: [
        { from: "human", value: "What does the smoke run import?" },
        { from: "gpt", value: "This conversation." },
      ],
    };
    await drop(browser, "conversations.json", "application/json", Buffer.from(JSON.stringify([line])));
    await waitFor(
      browser,
      "the imported conversation",
      `return document.body.innerText.includes("What does the smoke run import?");`,
    );
    return "opened";
  });
  await step("the app is kept for offline use", async () => {
    await waitFor(browser, "the note", `return document.querySelector('[data-testid="offline"]') !== null;`);
    return "the page says so";
  });
  await step("with the server gone a reload opens the page, and it answers", async () => {
    await server.stop();
    await browser.goto(server.url + "?device=wasm");
    await waitFor(browser, "the model", ready);
    await drop(browser, example.file, "image/png", await readFile(examplePicture(example.file)));
    await waitFor(
      browser,
      "the picture",
      `return [...document.querySelectorAll("button")].some((button) => button.getAttribute("aria-label") === "Remove ${example.file}");`,
    );
    return expectMatch(await ask(browser, example.question), example.words);
  });
} finally {
  await browser.close().catch(() => undefined);
  await server.stop().catch(() => undefined);
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
