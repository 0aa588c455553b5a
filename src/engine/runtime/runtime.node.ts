// The runtime contract on onnxruntime-node, CPU. Reads graphs from files where the package is a folder, so weights are mapped, not copied.
import "./no-telemetry.node.ts";
import { availableParallelism } from "node:os";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { nodeKernelHelpers } from "#engine/kernel/helpers.node.ts";
import { createOrtRuntime } from "./runtime.ort.ts";
import type { Runtime } from "./runtime.ts";

/** A runtime on this machine's CPU. */
export function createNodeRuntime(options: { readonly threads?: number } = {}): Runtime {
  const threads = options.threads ?? availableParallelism();
  return createOrtRuntime(
    { InferenceSession, Tensor },
    {
      traits: {
        device: "cpu",
        adapter: "",
        software: false,
        threads,
        cacheStyle: "growing",
        prefersExpanded: false,
        kernel: { helpers: nodeKernelHelpers(threads - 1), mostRows: 20 },
      },
      opensFiles: true,
      sessionOptions: () => ({
        executionProviders: ["cpu"],
        intraOpNumThreads: threads,
        // Threads spin while a graph runs, which reads a prompt in two thirds of the time, and stop with it: the kernel's steps want the cores.
        extra: { session: { intra_op: { allow_spinning: "1" }, force_spinning_stop: "1" } },
        graphOptimizationLevel: "all",
        logSeverityLevel: 3,
      }),
      externalData: (files) =>
        Promise.all(
          files.map(async ({ path, data }) => ({
            path,
            data: data instanceof Blob ? new Uint8Array(await data.arrayBuffer()) : data,
          })),
        ),
      failure: () => undefined,
      watch: () => () => undefined,
      close: () => Promise.resolve(),
    },
  );
}
