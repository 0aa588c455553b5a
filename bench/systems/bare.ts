// A bare loop on onnxruntime-node over a package's graphs: the whole prompt in one run, then token by token, greedy, with nothing around it. What
// the runtime could do at best, without a tokenizer's, a sampler's or a stream's time. Prompts without pictures only.
import "#engine/runtime/no-telemetry.node.ts";
import { basename, join } from "node:path";
import { InferenceSession, Tensor } from "onnxruntime-node";
import type { Message } from "#engine/types.ts";
import { Clock } from "../clock.ts";
import { promptOf, type Library } from "./library.ts";
import type { System } from "../measure.ts";

/** Loads the embedding and decoder graphs of the package in this folder; the library has its tokenizer and its end token. */
export async function openBareLoop(
  folder: string,
  { tokenizer, info, model }: Library,
  longestAnswer: number,
): Promise<System<readonly Message[]>> {
  const open = (path: string): Promise<InferenceSession> => InferenceSession.create(join(folder, path));
  const [embed, decoder] = [await open(info.graphs.embed.path), await open(info.graphs.decoder.path)];
  const pasts = decoder.inputNames.filter((name) => name.startsWith("past_key_values."));
  const shapes = new Map(decoder.inputMetadata.map((one) => [one.name, one.isTensor ? one.shape : []]));
  const configured: unknown = Reflect.get(Object(model.generation_config), "eos_token_id");
  const ends = new Set([configured].flat().map(Number));
  const run = async (ids: readonly number[], cache: Map<string, Tensor>, total: number): Promise<number> => {
    const input = new Tensor("int64", BigInt64Array.from(ids, BigInt), [1, ids.length]);
    const { inputs_embeds: embeds } = await embed.run({ input_ids: input });
    if (!embeds) throw new Error(`${basename(folder)}: no embeddings`);
    const outputs = await decoder.run({
      inputs_embeds: embeds,
      attention_mask: new Tensor("int64", new BigInt64Array(total).fill(1n), [1, total]),
      num_logits_to_keep: new Tensor("int64", BigInt64Array.of(1n), []),
      ...Object.fromEntries(cache),
    });
    for (const name of pasts) {
      const present = outputs[name.replace("past_key_values", "present")];
      if (!present) throw new Error(`${basename(folder)}: no present for ${name}`);
      cache.get(name)?.dispose();
      cache.set(name, present);
    }
    const logits = outputs["logits"]?.data;
    if (!(logits instanceof Float32Array)) throw new Error(`${basename(folder)}: no logits`);
    return logits.reduce((best, value, i) => (value > (logits[best] ?? -Infinity) ? i : best), 0);
  };
  return async (messages) => {
    const clock = new Clock();
    const { text, images } = promptOf(messages, { info, tokenizer });
    if (images.length > 0) return undefined;
    const prompt: readonly number[] = tokenizer.encode(text);
    const cache = new Map(
      pasts.map((name) => {
        const [heads, size] = [shapes.get(name)?.[1], shapes.get(name)?.[3]].map(Number);
        return [name, new Tensor("float32", new Float32Array(0), [1, heads ?? 0, 0, size ?? 0])];
      }),
    );
    const ids: number[] = [];
    let next = await run(prompt, cache, prompt.length);
    for (;;) {
      ids.push(next);
      clock.tick();
      if (ends.has(next) || ids.length === longestAnswer) break;
      next = await run([next], cache, prompt.length + ids.length);
    }
    for (const tensor of cache.values()) tensor.dispose();
    return clock.told(tokenizer.decode(ids, { skip_special_tokens: true, clean_up_tokenization_spaces: false }));
  };
}
