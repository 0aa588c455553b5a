// What the quantization bench measures of one package: the logits of given answers, how fast a token is, how large it is.
import { decodeImage } from "#engine/picture/decode.node.ts";
import { createGenerator } from "#engine/generate.ts";
import { decodeLast } from "#engine/decoder/decoder.ts";
import { loadModel } from "#engine/model/load.ts";
import type { Model } from "#engine/model/model.ts";
import { packageFolder } from "#engine/package-folder.node.ts";
import { createNodeRuntime } from "#engine/runtime/runtime.node.ts";
import type { Runtime } from "#engine/runtime/runtime.ts";
import type { Message } from "#engine/types.ts";
import type { Manifest } from "#weights/manifest.ts";

/** A question with the answer that every package is asked to weigh. */
export interface Sample {
  readonly question: Message;
  readonly answer: string;
}

/** Logits before each token of an answer and after its last one: rows of `vocab` numbers. */
export type Rows = Float32Array;

export interface Opened {
  readonly model: Model;
  /** The model's own answer, greedily. */
  answer(question: Message, longest: number): Promise<string>;
  rows(sample: Sample): Promise<Rows>;
  close(): Promise<void>;
}

const greedy = { temperature: 0, topK: 0, topP: 1, minP: 0, repetitionPenalty: 1 };

/** Loads a package so that all logits of a prefill can be seen. */
export async function openPackage(folder: string, info: Manifest): Promise<Opened> {
  const runtime = createNodeRuntime();
  let seen: Float32Array = new Float32Array(0);
  const model = await loadModel({
    runtime: withAllLogits(runtime, (logits) => (seen = logits)),
    files: packageFolder(folder),
    info,
    memoryBudget: 0,
  });
  const run = async (messages: readonly Message[], maxNewTokens: number) => {
    const generator = createGenerator({
      model,
      ...info.model,
      decodeImage,
      prefillChunk: info.model.contextLength,
      featureBytes: 2 ** 26,
    });
    let text = "";
    let promptTokens = 0;
    for await (const event of generator.generate({ messages, sampling: greedy, maxNewTokens, stop: [] })) {
      if (event.type === "text") text += event.text;
      if (event.type === "done") promptTokens = event.usage.promptTokens;
    }
    generator.dispose();
    return { text, promptTokens };
  };
  return {
    model,
    answer: async (question, longest) => (await run([question], longest)).text,
    async rows({ question, answer }) {
      const asked = await run([question], 1);
      await run([question, { role: "assistant", parts: [{ type: "text", text: answer }] }], 1);
      return seen.slice((asked.promptTokens - 1) * model.config.vocabSize);
    },
    async close() {
      await model.dispose();
      await runtime.dispose();
    },
  };
}

/** The same runtime, but a decoder yields the logits of all positions, and tells them. */
function withAllLogits(runtime: Runtime, onLogits: (logits: Float32Array) => void): Runtime {
  return {
    ...runtime,
    async createSession(source, onDevice) {
      const session = await runtime.createSession(source, onDevice);
      return {
        ...session,
        async run(inputs, into) {
          if (!("num_logits_to_keep" in inputs)) return session.run(inputs, into);
          const prefill = (inputs["inputs_embeds"]?.dims[1] ?? 1) > 1;
          const keep = runtime.tensor("int64", BigInt64Array.of(prefill ? 0n : 1n), []);
          const outputs = await session.run({ ...inputs, num_logits_to_keep: keep }, into);
          keep.dispose();
          const logits = outputs.get("logits");
          if (prefill && logits) onLogits(await runtime.read(logits));
          return outputs;
        },
      };
    },
  };
}

export interface Distance {
  /** Mean over positions, in nats. */
  readonly kl: number;
  /** Share of positions with the same likeliest token. */
  readonly same: number;
}

/** How far next-token distributions lie from the reference's: KL(reference ‖ other), averaged over all positions of all samples. */
export function distance(reference: readonly Rows[], other: readonly Rows[], vocab: number): Distance {
  let [kl, same, count] = [0, 0, 0];
  reference.forEach((rows, sample) => {
    const others = other[sample] ?? new Float32Array(0);
    if (others.length !== rows.length) throw new Error("two packages see different tokens");
    for (let at = 0; at < rows.length; at += vocab) {
      const [p, q] = [rows.subarray(at, at + vocab), others.subarray(at, at + vocab)];
      const [sumP, sumQ] = [logSum(p), logSum(q)];
      for (let i = 0; i < vocab; i++) {
        const logP = (p[i] ?? 0) - sumP;
        kl += Math.exp(logP) * (logP - ((q[i] ?? 0) - sumQ));
      }
      if (largest(p) === largest(q)) same++;
      count++;
    }
  });
  return { kl: kl / count, same: same / count };
}

function logSum(logits: Float32Array): number {
  const peak = logits[largest(logits)] ?? 0;
  let sum = 0;
  for (let i = 0; i < logits.length; i++) sum += Math.exp((logits[i] ?? 0) - peak);
  return peak + Math.log(sum);
}

function largest(values: Float32Array): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if ((values[i] ?? 0) > (values[best] ?? 0)) best = i;
  return best;
}

/**
 * Milliseconds per decoding step of each model, the middle of so many: they take turns step by step behind prompts of 64 tokens, so that
 * whatever else the machine does falls on all of them.
 */
export async function stepTimes(models: readonly Model[], steps: number): Promise<number[]> {
  const running = models.map((model) => {
    const { vocabSize } = model.config;
    const cache = model.decoder.createCache(2 ** 12);
    const decode = async (count: number, from: number) => {
      const ids = Array.from({ length: count }, (_, i) => 300 + (((from + i) * 37) % Math.min(1000, vocabSize - 300)));
      const embeds = await model.embed(ids);
      await decodeLast(model.decoder, embeds, ids, cache);
      embeds.dispose();
    };
    return { cache, decode, times: new Array<number>() };
  });
  for (const { decode } of running) await decode(64, 0);
  for (let step = 0; step < steps; step++) {
    const order = step % 2 === 0 ? running : running.toReversed();
    for (const { decode, times } of order) {
      const started = performance.now();
      await decode(1, 64 + step);
      times.push(performance.now() - started);
    }
  }
  for (const { cache } of running) cache.dispose();
  return running.map(({ times }) => times.sort((a, b) => a - b)[steps >> 1] ?? NaN);
}
