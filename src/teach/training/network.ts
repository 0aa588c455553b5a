// The trained part of a decoder in one thread: rows in, loss and gradients of the LoRA matrices out. Knows no pictures, no words, no optimizer.
import { BlockMath, type BlockTrace, type PlacedBlock, type RowTables } from "./block.ts";
import type { DecoderShape, LoraSpec, PackedRow, TrainedWeights } from "./shape.ts";
import { TrainMemory } from "./train-memory.ts";

export interface NetworkOptions {
  readonly shape: DecoderShape;
  readonly spec: LoraSpec;
  readonly weights: TrainedWeights;
  /** The most rows of a PackedRow, and the most of them that predict. */
  readonly mostRows: number;
}

export interface Network {
  /** Takes over all trained numbers, block after block. */
  setLora(values: Float32Array): void;
  /** The loss of these rows: the sum of weight · cross-entropy. With `learn`, adds their gradients to what `takeGradients` will give. */
  run(row: PackedRow, learn: boolean): number;
  /** Those since the last time. */
  takeGradients(): Float32Array<ArrayBuffer>;
  /** Of the kernel's memory. */
  readonly bytes: number;
}

/** Longer than most functions: a closure over the weights and the memory that forward and backward passes share. */
export async function createNetwork({ shape, spec, weights, mostRows }: NetworkOptions): Promise<Network> {
  const memory = await TrainMemory.create();
  const { kernel } = memory;
  const { hidden, vocab, epsilon } = shape;
  const math = new BlockMath(memory, shape, spec, mostRows);
  const blocks = weights.blocks.map((block) => math.place(block));
  const finalNorm = memory.put(weights.finalNorm);
  const head = memory.put(weights.head);
  const perBlock = math.layout.length;
  const clearGradients = (): void => blocks.forEach(({ gradients }) => kernel.setRows(gradients, 0, 1, perBlock));
  clearGradients();
  const start = memory.mark();

  const forward = (
    row: PackedRow,
  ): { readonly tables: RowTables; readonly traces: BlockTrace[]; readonly output: number } => {
    const rows = row.positions.length;
    const tables = {
      rows,
      rotary: memory.put(rotaryTable(row.positions, shape)),
      shared: memory.putIntegers(row.shared),
      first: memory.putIntegers(row.first),
    };
    const traces: BlockTrace[] = [];
    let x = memory.put(row.input);
    for (const block of blocks) {
      const trace = math.forward(block, x, tables);
      traces.push(trace);
      x = trace.output;
    }
    return { tables, traces, output: x };
  };

  /** The loss after the last block's output, and with `learn` its gradient at `gradient` [rows, hidden], which is zeros before. */
  const finish = (row: PackedRow, output: number, gradient: number): number => {
    const count = row.predicting.length;
    const gathered = memory.place(count * hidden);
    row.predicting.forEach((at, i) => kernel.setRows(gathered + 4 * i * hidden, output + 4 * at * hidden, 1, hidden));
    const normed = memory.place(count * hidden);
    const inverses = memory.place(count);
    kernel.normForward(gathered, finalNorm, normed, inverses, count, hidden, epsilon);
    const logits = memory.place(count * vocab);
    kernel.setRows(logits, 0, count, vocab);
    math.product(count, vocab, hidden, 1, [normed, hidden, 1], [head, 1, hidden], [logits, vocab]);
    const targets = memory.putIntegers(row.targets);
    const loss = kernel.crossEntropy(logits, targets, memory.put(row.weights), count, vocab);
    if (gradient === 0) return loss;
    const dNormed = memory.place(count * hidden);
    const dGathered = memory.place(count * hidden);
    kernel.setRows(dNormed, 0, count, hidden);
    kernel.setRows(dGathered, 0, count, hidden);
    math.product(count, hidden, vocab, 1, [logits, vocab, 1], [head, hidden, 1], [dNormed, hidden]);
    kernel.normBackward(gathered, finalNorm, inverses, dNormed, dGathered, count, hidden);
    row.predicting.forEach((at, i) => {
      kernel.add(gradient + 4 * at * hidden, gradient + 4 * at * hidden, dGathered + 4 * i * hidden, hidden);
    });
    return loss;
  };

  return {
    setLora(values) {
      for (const [i, { lora }] of blocks.entries()) {
        memory.floats(lora, perBlock).set(values.subarray(i * perBlock, (i + 1) * perBlock));
      }
    },
    run(row, learn) {
      try {
        const { tables, traces, output } = forward(row);
        if (!learn) return finish(row, output, 0);
        const gradient = memory.place(tables.rows * hidden);
        kernel.setRows(gradient, 0, tables.rows, hidden);
        const loss = finish(row, output, gradient);
        for (let i = blocks.length - 1; i >= 0; i--) {
          const [block, trace] = [blocks[i] as PlacedBlock, traces[i] as BlockTrace];
          math.backward(block, trace, gradient, tables, i === 0);
        }
        return loss;
      } finally {
        memory.release(start);
      }
    },
    takeGradients() {
      const all = new Float32Array(blocks.length * perBlock);
      for (const [i, { gradients }] of blocks.entries()) all.set(memory.floats(gradients, perBlock), i * perBlock);
      clearGradients();
      return all;
    },
    get bytes() {
      return memory.bytes;
    },
  };
}

/** Cosines and sines of the rotary angles, [rows, 2, headSize / 2]. */
export function rotaryTable(positions: Int32Array, { frequencies, headSize }: DecoderShape): Float32Array {
  const half = headSize / 2;
  const table = new Float32Array(positions.length * headSize);
  for (const [row, position] of positions.entries()) {
    for (let i = 0; i < half; i++) {
      const angle = Math.fround(position * (frequencies[i] ?? 0));
      table[row * headSize + i] = Math.cos(angle);
      table[row * headSize + half + i] = Math.sin(angle);
    }
  }
  return table;
}
