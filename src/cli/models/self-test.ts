// The golden numbers of a package that was just made, on this machine's CPU. Knows no checkpoint.
import { recordSelfTest as record } from "#engine/model/record-self-test.ts";
import type { PackageInfo, SelfTest } from "#engine/package.ts";
import { createNodeRuntime } from "#engine/runtime/runtime.node.ts";
import type { PackageFiles } from "#engine/types.ts";

/** Runs the finished graphs on this machine's CPU, whose numbers are trusted. */
export async function recordSelfTest(info: PackageInfo, files: PackageFiles): Promise<SelfTest> {
  const runtime = createNodeRuntime();
  try {
    return await record(runtime, info, files);
  } finally {
    await runtime.dispose();
  }
}
