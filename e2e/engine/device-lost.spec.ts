// A graphics device that goes away while an answer is made: the real one (Chromium's software adapter), destroyed in the page's worker. A small
// package answers, since it does not matter what.
import { expect, test, type Page, type Worker } from "@playwright/test";
import { modelReady, openPage } from "../support/ask.ts";
import { smallPackage, type SmallPackage } from "../support/small-package.ts";

// A page without its service worker asks the network for everything, where the small package is in the built-in one's place.
test.use({ serviceWorkers: "block" });

let small: SmallPackage;
test.beforeAll(async () => {
  small = await smallPackage();
});
test.afterAll(() => small.remove());

declare global {
  /** The device the worker got last. */
  var testDevice: GPUDevice | undefined;
}

/** Keeps each worker's device within reach; it is asked for long after the worker has started, when the weights are there. */
function keepDevices(page: Page): void {
  page.on("worker", (worker) => {
    void worker.evaluate(() => {
      const { prototype } = GPUAdapter;
      const requestDevice = Object.getOwnPropertyDescriptor(prototype, "requestDevice")
        ?.value as GPUAdapter["requestDevice"];
      prototype.requestDevice = async function (descriptor) {
        globalThis.testDevice = await requestDevice.call(this, descriptor);
        return globalThis.testDevice;
      };
    });
  });
}

/** Whether this worker had a device to destroy. */
const destroyDevice = (worker: Worker): Promise<boolean> =>
  worker.evaluate(() => {
    globalThis.testDevice?.destroy();
    return globalThis.testDevice !== undefined;
  });

test("a lost device is told with one click that starts the model again, and the question gets its answer", async ({
  page,
}) => {
  keepDevices(page);
  await small.route(page);
  // Long enough that the device is lost in the middle of the answer.
  await openPage(page, "./?device=webgpu", 16);
  await modelReady(page);
  const box = page.getByRole("textbox", { name: "Ask about the picture" });
  await box.fill("What can you do?");
  await box.press("Enter");
  const turn = page.getByTestId("answer-turn").last();
  await expect(turn).toHaveAttribute("data-status", "running");
  const destroyed = await Promise.all(page.workers().map(destroyDevice));
  expect(destroyed.filter((had) => had)).toHaveLength(1);
  const failure = page.getByTestId("answer-failure");
  await expect(failure).toHaveAttribute("data-code", "device-lost");
  await failure.getByRole("button", { name: "Start again" }).click();
  await modelReady(page);
  await expect(page.getByText("What can you do?")).toBeVisible();
  await expect(page.getByTestId("answer-turn").last()).toHaveAttribute("data-status", "done");
  await expect(page.getByTestId("answer-failure")).toHaveCount(0);
});
