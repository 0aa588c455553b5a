// The blocks below the first trained one: each row passes them once, a block at a time, so that no more than one is in memory.
import { BlockMath } from "./block.ts";
import type { DecoderWeights } from "./decoder-weights.ts";
import { rotaryTable } from "./network.ts";
import type { PackedRow } from "./shape.ts";
import { TrainMemory } from "./train-memory.ts";

/** Puts in place of each row's input what comes out of block `blocks` − 1. */
export async function runFrozen(
  decoder: DecoderWeights,
  blocks: number,
  rows: readonly PackedRow[],
  mostRows: number,
): Promise<void> {
  const { shape } = decoder;
  const memory = await TrainMemory.create();
  const math = new BlockMath(memory, shape, { firstBlock: 0, rank: 1, scale: 0 }, mostRows);
  const start = memory.mark();
  for (let layer = 0; layer < blocks; layer++) {
    const block = math.place(await decoder.block(layer));
    memory.kernel.setRows(block.lora, 0, 1, math.layout.length);
    const placed = memory.mark();
    for (const { input, positions, shared, first } of rows) {
      const tables = {
        rows: positions.length,
        rotary: memory.put(rotaryTable(positions, shape)),
        shared: memory.putIntegers(shared),
        first: memory.putIntegers(first),
      };
      const { output } = math.forward(block, memory.put(input), tables);
      input.set(memory.floats(output, input.length));
      memory.release(placed);
    }
    memory.release(start);
  }
}
