// The worker in which the bench page runs transformers.js, on the same package, from this origin alone.
import { expose } from "comlink";
import { GraphBuilder } from "#convert/onnx/graph.ts";
import { chooseDevice, place } from "#hub/place.web.ts";
import type { Message } from "#engine/types.ts";
import type { Manifest } from "#weights/manifest.ts";
import { librarySystem, openLibrary } from "../systems/library.ts";
import type { System } from "../measure.ts";
import type { EmbeddingTable, LibraryApi } from "./api.ts";
import { startGpuMeter } from "../gpu-meter.ts";
import { watchMemory } from "./memory.ts";
import { fetchPackage } from "./package.ts";

let system: System<readonly Message[]> | undefined;
const meter = startGpuMeter();
const memory = watchMemory(meter);

const api: LibraryApi = {
  async load({ packageUrl, runtimeUrl, device, longestAnswer }, table) {
    const served = await fetchPackage(packageUrl);
    const began = performance.now();
    const chosen = await chooseDevice(device, false);
    const files = new Map(served.all);
    let info: Manifest = served.info;
    if (table) {
      const path = "onnx/embed_tokens.onnx";
      const data = `${path}_data`;
      files.set(path, new Blob([embedGraph(table, data.slice(data.lastIndexOf("/") + 1))]));
      files.set(data, new Blob([table.values]));
      info = { ...info, graphs: { ...info.graphs, embed: { path, data: [data], bits: 32 } } };
    }
    const id = await place(files, runtimeUrl, chosen);
    const { device: kind, gpuDevice, adapter, threads } = chosen;
    const library = await openLibrary({ id, info, device: kind === "webgpu" ? "webgpu" : "wasm", gpuDevice });
    system = librarySystem(library, longestAnswer, meter);
    return {
      loadMs: performance.now() - began,
      fetchMs: served.fetchMs,
      device: kind,
      adapter,
      threads,
      model: info.model.name,
      contextLength: info.model.contextLength,
    };
  },
  ask(messages) {
    if (!system) throw new Error("nothing is loaded");
    return system(messages);
  },
  memory: () => Promise.resolve(memory()),
};

/** input_ids → rows of the table, as the package's own embedding graph, without its quantization. */
function embedGraph({ tokens, hidden, values }: EmbeddingTable, location: string): Uint8Array<ArrayBuffer> {
  const graph = new GraphBuilder("embed_tokens");
  const ids = graph.input("input_ids", "int64", ["batch_size", "sequence_length"]);
  const table = graph.weight({
    name: "embed_tokens.f32",
    dtype: "float32",
    dims: [tokens, hidden],
    bytes: values.byteLength,
    // The table is the file.
    steps: () => [],
  });
  graph.nodeTo(["inputs_embeds"], "embed_tokens", "Gather", [table, ids]);
  graph.output("inputs_embeds", "float32", ["batch_size", "sequence_length", hidden]);
  return graph.encode(new Map([[table, { location, offset: 0 }]]));
}

expose(api);
