// The golden numbers of a package that was just made, from a runtime whose numbers are trusted. Knows no host and no checkpoint.
import type { PackageInfo, SelfTest } from "#engine/package.ts";
import type { Runtime } from "#engine/runtime/runtime.ts";
import type { PackageFiles } from "#engine/types.ts";
import { loadModel } from "./load.ts";
import { makeSelfTest } from "./self-test.ts";

/** Loads the finished graphs and runs them once. Rejects with "numerics" where they compute no numbers. The caller disposes the runtime. */
export async function recordSelfTest(runtime: Runtime, info: PackageInfo, files: PackageFiles): Promise<SelfTest> {
  const model = await loadModel({ runtime, files, info, memoryBudget: 0 });
  try {
    return await makeSelfTest(model);
  } finally {
    await model.dispose();
  }
}
