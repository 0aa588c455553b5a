// The golden numbers of a package that was just made. Knows no checkpoint.
import { loadModel } from "#engine/model/load.ts";
import { makeSelfTest } from "#engine/model/self-test.ts";
import type { PackageInfo, SelfTest } from "#engine/package.ts";
import { createNodeRuntime } from "#engine/runtime/runtime.node.ts";
import type { PackageFiles } from "#engine/types.ts";

/** Runs the finished graphs on this machine's CPU, whose numbers are trusted. */
export async function recordSelfTest(info: PackageInfo, files: PackageFiles): Promise<SelfTest> {
  const runtime = createNodeRuntime();
  try {
    const model = await loadModel({ runtime, files, info, memoryBudget: 0 });
    try {
      return await makeSelfTest(model);
    } finally {
      await model.dispose();
    }
  } finally {
    await runtime.dispose();
  }
}
