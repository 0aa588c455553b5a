// npm run bench -- hostile [--only <expression>] [--json <file>]: how long each answer that was made to hang the page holds its main
// thread at most, drawn at once and growing, in headless Chromium. Fails when one of them takes over 200 ms.
import { writeFileSync } from "node:fs";
import { chromium } from "@playwright/test";
import { measureHostileAnswers } from "../e2e/support/hostile-answers.ts";
import { serveStatic } from "../e2e/support/static-server.ts";
import { securityHeaders } from "#sw/security-headers.ts";
import { heavyAnswers } from "#testing/markdown-heavy.ts";

const limitMs = 200;
const optionOf = (name: string): string | undefined =>
  process.argv.includes(name) ? process.argv[process.argv.indexOf(name) + 1] : undefined;
const only = optionOf("--only");
const names = [...heavyAnswers.keys()].filter((name) => only === undefined || new RegExp(only).test(name));
const server = await serveStatic({ folder: "dist-test", headers: securityHeaders });
const executablePath = process.env["CHROMIUM_PATH"];
const browser = await chromium.launch({
  args: ["--no-sandbox", "--disable-background-networking"],
  ...(executablePath === undefined ? {} : { executablePath }),
});
try {
  const context = await browser.newContext({ baseURL: server.url, serviceWorkers: "block" });
  const results = await measureHostileAnswers(await context.newPage(), names, ({ name, atOnceMs, growingMs }) => {
    const mark = Math.max(atOnceMs, growingMs) > limitMs ? "OVER" : "ok  ";
    console.log(
      `${mark} ${String(atOnceMs).padStart(5)} ms at once ${String(growingMs).padStart(5)} ms growing  ${name}`,
    );
  });
  const longest = Math.max(...results.flatMap(({ atOnceMs, growingMs }) => [atOnceMs, growingMs]));
  const over = results.filter(({ atOnceMs, growingMs }) => Math.max(atOnceMs, growingMs) > limitMs).length;
  console.log(`${results.length} answers; the longest task took ${longest} ms; ${over} over ${limitMs} ms.`);
  const file = optionOf("--json");
  if (file !== undefined) writeFileSync(file, JSON.stringify({ limitMs, results }, undefined, 2));
  process.exitCode = over === 0 ? 0 : 1;
} finally {
  await browser.close();
  await server.stop();
}
