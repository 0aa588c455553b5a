// An answer is prepared while its question is put together. With LLAVA_LONG_TESTS=1 it is measured what that brings.
import { expect, test, type Page } from "@playwright/test";
import { readFile } from "node:fs/promises";
import { alone } from "../support/alone.ts";
import { examplePicture, modelReady, shownAnswer } from "../support/ask.ts";

const pairs = process.env["LLAVA_LONG_TESTS"] === "1" ? 7 : 1;
const question = "How many cats are there?";

interface Figures {
  readonly said: string;
  readonly visionMs: number;
  readonly firstTokenMs: number;
}

let asked = 0;

/** Asks about a new picture, two seconds after it was dropped and the question typed; nothing on the page tells that preparing has ended. */
async function ask(page: Page, prepared: boolean): Promise<Figures> {
  await page.getByRole("button", { name: "Settings" }).click();
  await page.getByRole("switch", { name: "Prepare while I type" }).setChecked(prepared);
  await page.keyboard.press("Escape");
  await page.getByTestId("file-input").setInputFiles({
    name: "pets.png",
    mimeType: "image/png",
    // What follows a PNG's end makes another file of the same picture.
    buffer: Buffer.concat([await readFile(examplePicture("pets.png")), Buffer.from(String(asked++))]),
  });
  await expect(page.getByRole("button", { name: "Remove pets.png" })).toBeVisible();
  const box = page.getByRole("textbox", { name: "Ask about the picture" });
  await box.fill(question);
  await page.waitForTimeout(2000);
  await box.press("Enter");
  const turn = page.getByTestId("answer-turn").last();
  await expect(turn).toHaveAttribute("data-status", "done", { timeout: 60_000 });
  const said = await shownAnswer(page);
  await turn.getByText("Details").click();
  const text = await turn.innerText();
  const ms = (pattern: RegExp): number => {
    const [, value, unit] = pattern.exec(text) ?? [];
    return Number(value) * (unit === "s" ? 1000 : 1);
  };
  const figures = {
    said,
    visionMs: ms(/Vision\s+([\d.]+)\s*(ms|s)/),
    firstTokenMs: ms(/first token in ([\d.]+)\s*(ms|s)/),
  };
  await page.getByRole("button", { name: "New chat" }).first().click();
  return figures;
}

test(
  "a picture is looked at and the question read before Send, unless the setting says no",
  alone,
  async ({ page }) => {
    test.setTimeout(60_000 * (pairs + 1));
    await page.goto("./?device=wasm");
    await modelReady(page);
    const ratios: number[] = [];
    for (let pair = 0; pair < pairs; pair++) {
      const without = await ask(page, false);
      const prepared = await ask(page, true);
      expect(without.visionMs).toBeGreaterThan(0);
      expect(prepared.visionMs).toBe(0);
      expect(prepared.said).toBe(without.said);
      ratios.push(prepared.firstTokenMs / without.firstTokenMs);
      console.log(`first token in ${prepared.firstTokenMs} ms, unprepared ${without.firstTokenMs} ms`);
    }
    const median = ratios.sort((a, b) => a - b)[pairs >> 1];
    console.log(`median ratio ${median?.toFixed(3)}`);
  },
);
