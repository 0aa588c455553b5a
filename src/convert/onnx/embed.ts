// The embedding graph: token ids → rows of the embedding table.
import type { TextConfig } from "#convert/config/text-config.ts";
import { scaledMatrix, type LlavaTensors } from "#convert/checkpoint/llava-tensors.ts";
import { GraphBuilder } from "./graph.ts";
import { WeightOps, type GraphOptions } from "./weight-ops.ts";

/** input_ids int64 [batch, tokens] → inputs_embeds f32 [batch, tokens, hidden]. */
export function buildEmbedTokens(config: TextConfig, tensors: LlavaTensors, options: GraphOptions): GraphBuilder {
  const graph = new GraphBuilder("embed_tokens");
  const ids = graph.input("input_ids", "int64", ["batch_size", "sequence_length"]);
  // Gemma's factor is in the table, so that no reader of the graph needs to know it.
  const table = scaledMatrix(
    tensors.matrix("text", "embed_tokens.weight", config.vocab, config.hidden),
    config.embedScale,
  );
  const { bits, quantizer, keep } = options;
  new WeightOps(graph, { bits, quantizer, keep }).gather("embed_tokens", table, ids, ["inputs_embeds"]);
  graph.output("inputs_embeds", "float32", ["batch_size", "sequence_length", config.hidden]);
  return graph;
}
