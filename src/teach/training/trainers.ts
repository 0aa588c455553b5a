// Threads that compute gradients, as one: rows in, their loss and gradients out, summed in the order of the threads.
import type { Thread } from "#convert/threads/thread.ts";
import { EngineError } from "#engine/errors.ts";
import { createNetwork, type Network, type NetworkOptions } from "./network.ts";
import type { PackedRow } from "./shape.ts";

export interface Trainers {
  /** Takes over all trained numbers. */
  setLora(values: Float32Array<ArrayBuffer>): Promise<void>;
  /** The loss of all rows; with `learn`, their gradients. */
  run(rows: readonly PackedRow[], learn: boolean): Promise<Computed>;
  end(): Promise<void> | void;
}

export interface Computed {
  readonly loss: number;
  readonly gradients: Float32Array<ArrayBuffer> | undefined;
}

/** What a thread is asked, the first time for its network. */
export type TrainCall =
  | { readonly type: "start"; readonly options: NetworkOptions }
  | { readonly type: "lora"; readonly values: Float32Array<ArrayBuffer> }
  | { readonly type: "run"; readonly rows: readonly PackedRow[]; readonly learn: boolean };

/** Answers the calls of one thread. */
export function createTrainer(): (call: TrainCall) => Promise<Computed | undefined> {
  let network: Network | undefined;
  return async (call) => {
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

/** What a thread of a host posts. */
export type TrainReply = { readonly answer: Computed | undefined } | { readonly failure: string };

/** One thread's calls, in their order. */
export interface TrainThread {
  ask(call: TrainCall): Promise<Computed | undefined>;
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

/** All threads with a network each. Rows are dealt by their length, the longest first, so that all end at about the same time. */
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
      const [first, ...rest] = answers.flatMap((answer) => answer?.gradients ?? []);
      for (const other of rest) {
        for (let i = 0; first && i < first.length; i++) first[i] = (first[i] ?? 0) + (other[i] ?? 0);
      }
      return { loss: answers.reduce((sum, answer) => sum + (answer?.loss ?? 0), 0), gradients: first };
    },
    async end() {
      for (const thread of threads) await thread.end();
    },
  };
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
