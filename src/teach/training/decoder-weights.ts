// A package's decoder in f32, block by block, for training. Knows the plan of the graph and no ONNX.
import { EngineError } from "#engine/errors.ts";
import type { PlannedMatrix } from "#engine/kernel/graph-walk.ts";
import { planLlama, type LlamaPlan } from "#engine/kernel/llama-plan.ts";
import { readTensor, type WeightFiles } from "#engine/kernel/memory.ts";
import { dequantize } from "#engine/model/dequantize.ts";
import type { GraphFiles } from "#engine/package.ts";
import type { PackageFiles } from "#engine/types.ts";
import { readOnnx, type OnnxTensor } from "#formats/onnx-reader.ts";
import type { BlockWeights, DecoderShape, TrainedWeights } from "./shape.ts";

export interface DecoderWeights {
  readonly shape: DecoderShape;
  block(layer: number): Promise<BlockWeights>;
  /** The blocks from that one on, and what follows them. */
  from(layer: number): Promise<TrainedWeights>;
}

/** Opens the decoder; a text where it is none that can be trained here: what of it is another way. */
export async function openDecoderWeights(graph: GraphFiles, files: PackageFiles): Promise<DecoderWeights | string> {
  const onnx = readOnnx(new Uint8Array(await (await files.blob(graph.path)).arrayBuffer()));
  const plan = planLlama(onnx);
  if (!plan) return "its decoder is not of Llama's kind with 4- or 8-bit weights";
  const other = otherWays(plan);
  if (other !== undefined) return other;
  const folder = graph.path.slice(0, graph.path.lastIndexOf("/") + 1);
  const from: WeightFiles = { files, pathOf: (file) => folder + file };
  const block = (layer: number): Promise<BlockWeights> => readBlock(plan, layer, from);
  return {
    shape: shapeOf(plan),
    block,
    async from(layer) {
      const blocks: BlockWeights[] = [];
      for (let i = layer; i < plan.layers.length; i++) blocks.push(await block(i));
      return { blocks, finalNorm: await readFloats(plan.finalNorm, from), head: await readMatrix(plan.head, from) };
    },
  };
}

/** What the training kernel does not compute. */
function otherWays(plan: LlamaPlan): string | undefined {
  if (plan.activation !== "silu") return `its gates use ${plan.activation}, not SiLU`;
  if (plan.attentionCap !== undefined || plan.logitCap !== undefined) return "it caps its scores";
  for (const { queryNorm, window, attentionPostNorm, mlpPostNorm, out, gate, up, down } of plan.layers) {
    if (queryNorm) return "it norms queries and keys";
    if (window !== undefined) return "its attention sees a window";
    if (attentionPostNorm || mlpPostNorm) return "it norms what a block adds";
    if ([out, gate, up, down].some(({ bias }) => bias)) return "its products have biases";
  }
  return plan.head.bias ? "its output layer has a bias" : undefined;
}

function shapeOf(plan: LlamaPlan): DecoderShape {
  const { hidden, ffn, heads, kvHeads, headSize, vocab, epsilon, frequencies, attentionScale, layers } = plan;
  return {
    ...{ hidden, ffn, heads, kvHeads, headSize, vocab, epsilon, frequencies, attentionScale },
    layers: layers.length,
  };
}

async function readBlock({ layers }: LlamaPlan, layer: number, from: WeightFiles): Promise<BlockWeights> {
  const planned = layers[layer];
  if (!planned) throw new EngineError("internal", `there is no block ${layer}`);
  return {
    attentionNorm: await readFloats(planned.attentionNorm, from),
    qkv: await readMatrix(planned.qkv, from),
    qkvBias: planned.qkv.bias && (await readFloats(planned.qkv.bias, from)),
    out: await readMatrix(planned.out, from),
    mlpNorm: await readFloats(planned.mlpNorm, from),
    gate: await readMatrix(planned.gate, from),
    up: await readMatrix(planned.up, from),
    down: await readMatrix(planned.down, from),
  };
}

async function readFloats(tensor: OnnxTensor, from: WeightFiles): Promise<Float32Array> {
  const bytes = await readTensor(tensor, from);
  return new Float32Array(bytes.slice().buffer);
}

async function readMatrix(matrix: PlannedMatrix, from: WeightFiles): Promise<Float32Array> {
  const { bits, run: block, rows, cols } = matrix;
  const out = new Float32Array(rows * cols);
  dequantize(
    {
      ...{ bits, block, rows, cols, transpose: false },
      data: await readTensor(matrix.data, from),
      scales: await readFloats(matrix.scales, from),
      zeroPoints: matrix.zeroPoints && (await readTensor(matrix.zeroPoints, from)),
      offsets: matrix.offsets && (await readFloats(matrix.offsets, from)),
    },
    out,
  );
  return out;
}
