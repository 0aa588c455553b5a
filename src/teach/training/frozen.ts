// A block below the first trained one, in one thread: its weights come, the rows pass it, and it is gone.
import { BlockMath } from "./block.ts";
import { rotaryTable } from "./network.ts";
import type { BlockWeights, DecoderShape, PackedRow } from "./shape.ts";
import { TrainMemory } from "./train-memory.ts";

export interface Frozen {
  /** What comes out of the block for each row, [rows, hidden]. */
  pass(weights: BlockWeights, rows: readonly PackedRow[]): Float32Array<ArrayBuffer>[];
}

/** Has the memory of one block. */
export async function createFrozen(shape: DecoderShape, mostRows: number): Promise<Frozen> {
  const memory = await TrainMemory.create();
  const math = new BlockMath(memory, shape, { firstBlock: 0, rank: 1, scale: 0 }, mostRows);
  const start = memory.mark();
  return {
    pass(weights, rows) {
      const block = math.place(weights);
      memory.kernel.setRows(block.lora, 0, 1, math.layout.length);
      const placed = memory.mark();
      const outputs = rows.map(({ input, positions, shared, first }) => {
        const tables = {
          rows: positions.length,
          rotary: memory.put(rotaryTable(positions, shape)),
          shared: memory.putIntegers(shared),
          first: memory.putIntegers(first),
        };
        const { output } = math.forward(block, memory.put(input), tables);
        const values = memory.floats(output, input.length).slice();
        memory.release(placed);
        return values;
      });
      memory.release(start);
      return outputs;
    },
  };
}
