// Unit and model tests, in Node. Most files share the processes of two workers, which saves as much processor time as a third of the tests take;
// a file that sets globals, clocks or modules for its tests has a process of its own.
import { readdirSync, readFileSync } from "node:fs";
import { defineConfig } from "vitest/config";

// Tests load ONNX Runtime too; their processes inherit this (src/engine/runtime/no-telemetry.node.ts says what it is for).
process.env["ORT_DISABLE_TELEMETRY"] = "1";

const files = ["src", "bench", "scripts"]
  .flatMap((folder) => readdirSync(folder, { recursive: true, encoding: "utf8" }).map((path) => `${folder}/${path}`))
  .map((path) => path.replaceAll("\\", "/"))
  .filter((path) => /\.test\.tsx?$/.test(path));
const setsMore = (path: string): boolean =>
  /\bvi\.(mock|stubGlobal|stubEnv|spyOn|useFakeTimers|setSystemTime)\(/.test(readFileSync(path, "utf8"));
const [apart, together] = [files.filter(setsMore), files.filter((path) => !setsMore(path))];

export default defineConfig({
  test: {
    testTimeout: 60_000,
    hookTimeout: 60_000,
    maxWorkers: 2,
    reporters: ["default", ["json", { outputFile: ".cache/unit.json" }]],
    projects: [
      { extends: true, test: { name: "together", include: together, isolate: false } },
      { extends: true, test: { name: "apart", include: apart } },
    ],
  },
});
