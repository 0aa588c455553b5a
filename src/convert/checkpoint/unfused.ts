// Phi-3 keeps queries, keys and values in one matrix, and gate and up in another: as the matrices that they are rows of. Knows names and
// sizes; reads no weights.
import { badCheckpoint } from "./bad-checkpoint.ts";
import { Checkpoint, shapeText, type Tensor } from "./checkpoint.ts";

/** Rows of the matrices in a layer's fused ones. */
export interface FusedSizes {
  readonly heads: number;
  readonly kvHeads: number;
  readonly headSize: number;
  readonly ffn: number;
}

/** The checkpoint with every fused matrix as its parts; any other tensor as it is. */
export function unfused(checkpoint: Checkpoint, { heads, kvHeads, headSize, ffn }: FusedSizes): Checkpoint {
  const parts: Readonly<Record<string, readonly (readonly [string, number])[]>> = {
    qkv_proj: [
      ["q_proj", heads * headSize],
      ["k_proj", kvHeads * headSize],
      ["v_proj", kvHeads * headSize],
    ],
    gate_up_proj: [
      ["gate_proj", ffn],
      ["up_proj", ffn],
    ],
  };
  const tensors = new Map<string, Tensor>();
  for (const [name, tensor] of checkpoint.tensors) {
    const [, before, fused = "", after] =
      /^(.*layers\.\d+\.(?:self_attn|mlp)\.)(qkv_proj|gate_up_proj)(\.\w+)$/.exec(name) ?? [];
    const found = parts[fused];
    if (!found) {
      tensors.set(name, tensor);
      continue;
    }
    const rows = found.reduce((sum, [, count]) => sum + count, 0);
    if (tensor.shape[0] !== rows) {
      throw badCheckpoint(
        `tensor ${name} has shape ${shapeText(tensor.shape)}; config.json asks for ${rows} rows, of ${found.map(([part]) => part).join(", ")}`,
      );
    }
    let top = 0;
    for (const [part, count] of found) {
      const partName = `${before ?? ""}${part}${after ?? ""}`;
      tensors.set(partName, someRows(tensor, partName, top, count));
      top += count;
    }
  }
  return new Checkpoint(tensors);
}

/** Rows `top` to `top + count` of a tensor, as a tensor; `top` is their first. */
function someRows(tensor: Tensor, name: string, top: number, count: number): Tensor {
  const [, ...rest] = tensor.shape;
  const first = top * rest.reduce((product, n) => product * n, 1);
  const { readStored, spans, blocks } = tensor;
  return {
    ...tensor,
    name,
    shape: [count, ...rest],
    read: (start, values) => tensor.read(first + start, values),
    readStored: readStored && ((start, values) => readStored(first + start, values)),
    blocks: blocks && { ...blocks, read: (start, values, form) => blocks.read(first + start, values, form) },
    spans: spans && ((start, values) => spans(first + start, values)),
  };
}
