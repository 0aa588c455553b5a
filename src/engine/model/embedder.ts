// Looks up the embeddings of tokens, in a table that this project reads itself or in a session of the runtime.
import { EngineError } from "#engine/errors.ts";
import type { EmbedTable } from "#engine/kernel/embed-table.ts";
import type { Runtime, RuntimeTensor, Session } from "#engine/runtime/runtime.ts";

export interface Embedder {
  /** Token ids → embeddings [1, ids, hidden]; the caller disposes them. */
  embed(ids: readonly number[]): Promise<RuntimeTensor>;
  release(): Promise<void>;
}

export function tableEmbedder(runtime: Runtime, table: EmbedTable, hiddenSize: number): Embedder {
  return {
    embed: (ids) => Promise.resolve(runtime.tensor("float32", table.rows(ids), [1, ids.length, hiddenSize])),
    release: () => Promise.resolve(),
  };
}

/** The session is the embedder's from then on. */
export function sessionEmbedder(runtime: Runtime, session: Session): Embedder {
  return {
    async embed(ids) {
      const input = runtime.tensor("int64", BigInt64Array.from(ids, BigInt), [1, ids.length]);
      const outputs = await session.run({ input_ids: input }).finally(() => input.dispose());
      const embeds = outputs.get("inputs_embeds");
      for (const tensor of outputs.values()) if (tensor !== embeds) tensor.dispose();
      if (!embeds) throw new EngineError("bad-package", "a graph yields no inputs_embeds");
      return embeds;
    },
    release: () => session.release(),
  };
}
