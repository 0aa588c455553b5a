// What is committed beside the kernels' sources.
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { test } from "vitest";

test("the committed WebAssembly is what kernels/*.ts compile to", async () => {
  const root = new URL("../../../", import.meta.url);
  await promisify(execFile)(process.execPath, ["scripts/build-kernels.mjs", "--check"], { cwd: root });
}, 60_000);
