// The library in Node: its files in a folder, ONNX Runtime's own build behind it. For checks and tests; knows no model.
import { mkdir, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { env } from "@huggingface/transformers";
import { EngineError } from "#engine/errors.ts";
import type { HubAdapters } from "./host.ts";

/** Writes the package's files into the folder and hands that to the library, which then asks no network. */
export function placeInFolder(folder: string): HubAdapters["place"] {
  return async (files) => {
    for (const [path, blob] of files) {
      const file = join(folder, path);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, new Uint8Array(await blob.arrayBuffer()));
    }
    env.allowRemoteModels = false;
    env.allowLocalModels = true;
    env.localModelPath = dirname(dirname(folder));
    return `${basename(dirname(folder))}/${basename(folder)}`;
  };
}

/** The processor, whatever is wanted: files in 16 bits are not for it. */
export const chooseProcessor: HubAdapters["chooseDevice"] = (_wanted, needsF16) => {
  if (needsF16) return Promise.reject(new EngineError("no-device", "these files are 16 bits wide"));
  return Promise.resolve({ device: "cpu", adapter: "", threads: 0, notices: [] });
};
