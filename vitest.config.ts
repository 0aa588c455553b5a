// Unit and model tests, in Node.
import { defineConfig } from "vitest/config";

// Tests load ONNX Runtime too; their processes inherit this (src/engine/runtime/no-telemetry.node.ts says what it is for).
process.env["ORT_DISABLE_TELEMETRY"] = "1";

export default defineConfig({
  test: {
    include: ["{src,bench,scripts}/**/*.test.{ts,tsx}"],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    maxWorkers: 2,
    reporters: ["default", ["json", { outputFile: ".cache/unit.json" }]],
  },
});
