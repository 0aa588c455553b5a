// Threads that compute gradients, as one: rows in, their loss and gradients out, summed in the order of the threads.
import type { DecoderWeights } from "./decoder-weights.ts";
import type { Thread } from "#convert/threads/thread.ts";
import { EngineError } from "#engine/errors.ts";
import { createFrozen, type Frozen } from "./frozen.ts";
import { createNetwork, type Network, type NetworkOptions } from "./network.ts";
import type { BlockWeights, DecoderShape, PackedRow } from "./shape.ts";

export interface Trainers {
  /** Takes over all trained numbers. */
  setLora(values: Float32Array<ArrayBuffer>): Promise<void>;
  /** The loss of all rows; with `learn`, their gradients. */
  run(rows: readonly PackedRow[], learn: boolean): Promise<Computed>;
}

interface Computed {
  readonly loss: number;
  readonly gradients: Float32Array<ArrayBuffer> | undefined;
}

/** What comes out of a frozen block, for each row that went in. */
interface Passed {
  readonly outputs: readonly Float32Array<ArrayBuffer>[];
}

/** What a thread is asked: rows through frozen blocks, then for its network, then to train it. */
export type TrainCall =
  | {
      readonly type: "pass";
      readonly shape: DecoderShape;
      readonly mostRows: number;
      readonly block: BlockWeights;
      readonly rows: readonly PackedRow[];
    }
  | { readonly type: "start"; readonly options: NetworkOptions }
  | { readonly type: "lora"; readonly values: Float32Array<ArrayBuffer> }
  | { readonly type: "run"; readonly rows: readonly PackedRow[]; readonly learn: boolean };

/** Answers the calls of one thread. */
export function createTrainer(): (call: TrainCall) => Promise<TrainAnswer> {
  let network: Network | undefined;
  let frozen: Frozen | undefined;
  return async (call) => {
    if (call.type === "pass") {
      const { shape, mostRows, block, rows } = call;
      frozen ??= await createFrozen(shape, mostRows);
      return { outputs: frozen.pass(block, rows) };
    }
    // Its memory is another one's from here on.
    frozen = undefined;
    if (call.type === "start") network = await createNetwork(call.options);
    else if (!network) throw new Error("a thread was asked to train before it was started");
    else if (call.type === "lora") network.setLora(call.values);
    else {
      let loss = 0;
      for (const row of call.rows) loss += network.run(row, call.learn);
      return { loss, gradients: call.learn ? network.takeGradients() : undefined };
    }
    return undefined;
  };
}

type TrainAnswer = Computed | Passed | undefined;

/** What a thread of a host posts. */
export type TrainReply = { readonly answer: TrainAnswer } | { readonly failure: string };

/** One thread's calls, in their order. */
export interface TrainThread {
  ask(call: TrainCall): Promise<TrainAnswer>;
  end(): Promise<void> | void;
}

/** A host's thread, whose failures reject. */
export function trainThread(thread: Thread<TrainCall, TrainReply>): TrainThread {
  return {
    async ask(call) {
      const reply = await thread.ask(call);
      if ("failure" in reply) throw new EngineError("internal", reply.failure);
      return reply.answer;
    },
    end: () => thread.end(),
  };
}

/** All threads with a network each; they stay the caller's. Rows are dealt by their length, the longest first, so that all end at about the same time. */
export async function startTrainers(threads: readonly TrainThread[], options: NetworkOptions): Promise<Trainers> {
  const all = (call: TrainCall) => Promise.all(threads.map((thread) => thread.ask(call)));
  await all({ type: "start", options });
  return {
    async setLora(values) {
      await all({ type: "lora", values });
    },
    async run(rows, learn) {
      const parts = deal(rows, threads.length);
      const answers = await Promise.all(
        threads.map((thread, i) => thread.ask({ type: "run", rows: parts[i] ?? [], learn })),
      );
      const computed = answers.flatMap((answer) => (answer && "loss" in answer ? [answer] : []));
      const [first, ...rest] = computed.flatMap(({ gradients }) => gradients ?? []);
      for (const other of rest) {
        for (let i = 0; first && i < first.length; i++) first[i] = (first[i] ?? 0) + (other[i] ?? 0);
      }
      return { loss: computed.reduce((sum, { loss }) => sum + loss, 0), gradients: first };
    },
  };
}

/**
 * Puts in place of each row's input what comes out of block `blocks` − 1: the blocks below the first trained one, which each row passes once. A
 * block at a time, so that no more than one is in memory.
 */
export async function passFrozen(
  threads: readonly TrainThread[],
  decoder: Pick<DecoderWeights, "shape" | "block">,
  blocks: number,
  rows: readonly PackedRow[],
  mostRows: number,
): Promise<void> {
  const parts = deal(rows, threads.length);
  for (let layer = 0; layer < blocks; layer++) {
    const block = await decoder.block(layer);
    const pass = { type: "pass", shape: decoder.shape, mostRows, block } as const;
    const answers = await Promise.all(threads.map((thread, i) => thread.ask({ ...pass, rows: parts[i] ?? [] })));
    for (const [i, answer] of answers.entries()) {
      const outputs = answer && "outputs" in answer ? answer.outputs : [];
      for (const [j, output] of outputs.entries()) parts[i]?.[j]?.input.set(output);
    }
  }
}

function deal(rows: readonly PackedRow[], threads: number): PackedRow[][] {
  const parts = Array.from({ length: threads }, () => ({ rows: [] as PackedRow[], length: 0 }));
  const longestFirst = [...rows].sort((a, b) => b.positions.length - a.positions.length);
  for (const row of longestFirst) {
    const part = parts.reduce((least, other) => (other.length < least.length ? other : least));
    part.rows.push(row);
    part.length += row.positions.length;
  }
  return parts.map(({ rows: own }) => own);
}
