// Browser tests on the built app. scripts/e2e.mjs builds it, finds a Chromium and sets CHROMIUM_PATH. It runs one project after the other:
// files beside each other, then the tests that measure, one at a time.
import { defineConfig } from "@playwright/test";

const port = Number(process.env["E2E_PORT"] ?? 4318);

/**
 * Playwright's own list, which this one takes the place of, and the browser's own panels: each window loaded one of them in a process of its
 * own, which took a fifth of the processor time of a test.
 */
const disabledFeatures = [
  "AimEnabled",
  "AvoidCorsURLLoaderRestartOnRedirect",
  "AvoidUnnecessaryBeforeUnloadCheckSync",
  "DestroyProfileOnBrowserClose",
  "HttpsFirstBalancedModeAutoEnable",
  "HttpsUpgrades",
  "LensOverlay",
  "MediaRouter",
  "NetworkTimeServiceQuerying",
  "OptimizationHints",
  "PaintHolding",
  "PreconnectToSearch",
  "ThirdPartyStoragePartitioning",
  "PreloadTopChromeWebUI",
  "WebUIOmnibox",
  "WebUIOmniboxAimPopup",
  "WebUIOmniboxPopup",
  "WebUIOmniboxPopupPreload",
];

/** Quiet and the same everywhere; the software adapter gives WebGPU without a GPU. */
const flags = [
  "--no-sandbox",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--enable-unsafe-webgpu",
  "--use-webgpu-adapter=swiftshader",
  "--enable-features=Vulkan",
  `--disable-features=${disabledFeatures.join(",")}`,
];

const executablePath = process.env["CHROMIUM_PATH"];

export default defineConfig({
  testDir: "e2e",
  outputDir: "test-results",
  workers: Number(process.env["E2E_WORKERS"] ?? 1),
  retries: 0,
  forbidOnly: true,
  timeout: 120_000,
  expect: { timeout: 30_000 },
  reporter: [["list"], ["json", { outputFile: process.env["E2E_REPORT"] ?? ".cache/e2e.json" }]],
  projects: [
    { name: "together", grepInvert: /@alone/ },
    { name: "alone", grep: /@alone/ },
  ],
  use: {
    baseURL: `http://localhost:${port}/`,
    trace: "off",
    // A button that never becomes enabled must not use up a whole test's time.
    actionTimeout: 30_000,
    locale: "en-US",
    launchOptions: { args: flags, ...(executablePath === undefined ? {} : { executablePath }) },
  },
  webServer: {
    command: `node scripts/run.mjs e2e/support/serve.ts ${process.env["E2E_DIST"] ?? "dist-test"} ${port}`,
    url: `http://localhost:${port}/`,
    reuseExistingServer: false,
  },
});
