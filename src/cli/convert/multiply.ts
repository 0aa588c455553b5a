// Multiplication of matrices on the runtime, which uses all cores: merging an adapter into 7 billion weights is 1.7 · 10¹² additions and
// multiplications.
import { GraphBuilder } from "#convert/onnx/graph.ts";
import { EngineError } from "#engine/errors.ts";
import { createNodeRuntime } from "#engine/runtime/runtime.node.ts";
import type { Runtime, Session } from "#engine/runtime/runtime.ts";

let loading: Promise<{ readonly runtime: Runtime; readonly session: Session }> | undefined;

/** up [rows, rank] · down [rank, cols] → [rows, cols]; loads its graph with the first call and keeps it while the process lives. */
export async function multiplyOnRuntime(
  up: Float32Array<ArrayBuffer>,
  down: Float32Array<ArrayBuffer>,
  rows: number,
  rank: number,
  cols: number,
): Promise<Float32Array> {
  loading ??= load();
  const { runtime, session } = await loading;
  const inputs = {
    up: runtime.tensor("float32", up, [rows, rank]),
    down: runtime.tensor("float32", down, [rank, cols]),
  };
  const product = (await session.run(inputs)).get("product");
  if (!product) throw new EngineError("internal", "the graph that multiplies has no product");
  const values = Float32Array.from(await runtime.read(product));
  for (const tensor of [inputs.up, inputs.down, product]) tensor.dispose();
  return values;
}

async function load() {
  const graph = new GraphBuilder("multiply");
  const factors = [graph.input("up", "float32", ["rows", "rank"]), graph.input("down", "float32", ["rank", "cols"])];
  graph.nodeTo(["product"], "multiply", "MatMul", factors);
  graph.output("product", "float32", ["rows", "cols"]);
  const runtime = createNodeRuntime();
  const session = await runtime.createSession({ graph: new Blob([graph.encode(new Map())]), data: [] }, []);
  return { runtime, session };
}
