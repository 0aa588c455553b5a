// From a package's files to what a session is made of: a graph with its external data, either as stored or expanded to f32.
import { EngineError } from "#engine/errors.ts";
import type { GraphFiles } from "#engine/package.ts";
import type { SessionSource } from "#engine/runtime/runtime.ts";
import type { PackageFiles } from "#engine/types.ts";
import { readJson } from "./config.ts";
import { expand, parseExpansion } from "./dequantize.ts";

/** The graph as the package stores it. */
export async function storedGraph(graph: GraphFiles, files: PackageFiles): Promise<SessionSource> {
  return {
    graph: await files.blob(graph.path),
    data: await Promise.all(graph.data.map(async (path) => ({ path: baseName(path), data: await files.blob(path) }))),
    file: files.localPath?.(graph.path),
  };
}

/** The package's f32 graph, with weights expanded in main memory. */
export async function expandedGraph(graph: GraphFiles, files: PackageFiles): Promise<SessionSource> {
  if (!graph.expanded) throw new EngineError("internal", "the package has no expanded graph");
  const { path, recipe } = graph.expanded;
  const expansion = parseExpansion(await readJson(files, recipe), recipe);
  return { graph: await files.blob(path), data: await expand(expansion, files) };
}

/** The decoder's graphs with inputs for an adapter, in the place of the plain ones. */
export function adaptableGraph(graph: GraphFiles): GraphFiles {
  const { adaptable, expanded } = graph;
  if (!adaptable) throw new EngineError("internal", "the package has no graph with room for an adapter");
  const f32 = expanded && adaptable.expanded !== undefined ? { ...expanded, path: adaptable.expanded } : undefined;
  return { ...graph, path: adaptable.path, expanded: f32 };
}

/** ONNX names external data relative to the graph's own folder, and a package keeps both in one. */
function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
