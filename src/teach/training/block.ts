// One block of Llama's kind with LoRA on every matrix, forward and backward, on the training kernel. Keeps what the way back needs.
import { sitesOf, type BlockSites, type BlockWeights, type DecoderShape, type LoraSpec, type Site, type SiteName } from "./shape.ts"; // prettier-ignore
import type { TrainMemory } from "./train-memory.ts";

/** Addresses of a block's frozen weights, its LoRA matrices and their gradients. */
export interface PlacedBlock {
  readonly weights: Readonly<Record<SiteName | "attentionNorm" | "mlpNorm", number>>;
  readonly qkvBias: number;
  readonly lora: number;
  readonly gradients: number;
}

/** What all blocks of a row share: addresses of tables. */
export interface RowTables {
  readonly rows: number;
  readonly rotary: number; // [rows, 2, headSize / 2]
  readonly shared: number; // i32 [rows]
  readonly first: number; // i32 [rows]
}

/** Addresses of what was computed on the way forward. */
export interface BlockTrace {
  readonly input: number;
  readonly output: number;
  readonly values: Readonly<Record<"n1" | "inv1" | "qkv" | "probabilities" | "attended" | "middle" | "n2" | "inv2" | "gate" | "up" | "gated", number>>; // prettier-ignore
  /** x · downᵀ of each site. */
  readonly low: Readonly<Record<SiteName, number>>;
}

export class BlockMath {
  readonly #memory: TrainMemory;
  readonly #shape: DecoderShape;
  readonly #spec: LoraSpec;
  readonly layout: BlockSites;
  readonly #scratch: number;

  constructor(memory: TrainMemory, shape: DecoderShape, spec: LoraSpec, mostRows: number) {
    this.#memory = memory;
    this.#shape = shape;
    this.#spec = spec;
    this.layout = sitesOf(shape, spec.rank);
    const { sites } = this.layout;
    const longest = Math.max(mostRows, ...Object.values(sites).map(({ outputs }) => outputs));
    this.#scratch = memory.place((longest + 11) * 256 + 32);
  }

  place(weights: BlockWeights): PlacedBlock {
    const memory = this.#memory;
    return {
      weights: {
        attentionNorm: memory.put(weights.attentionNorm),
        mlpNorm: memory.put(weights.mlpNorm),
        qkv: memory.put(weights.qkv),
        out: memory.put(weights.out),
        gate: memory.put(weights.gate),
        up: memory.put(weights.up),
        down: memory.put(weights.down),
      },
      qkvBias: weights.qkvBias ? memory.put(weights.qkvBias) : 0,
      lora: memory.place(this.layout.length),
      gradients: memory.place(this.layout.length),
    };
  }

  /** Runs the block on the rows at `input` [rows, hidden], which stay as they are. */
  forward(block: PlacedBlock, input: number, tables: RowTables): BlockTrace {
    const { kernel } = this.#memory;
    const { hidden, ffn, heads, kvHeads, headSize, epsilon, attentionScale } = this.#shape;
    const { sites } = this.layout;
    const { rows } = tables;
    const room = (columns: number): number => this.#memory.place(rows * columns);
    const values = {
      n1: room(hidden),
      inv1: room(1),
      qkv: room(sites.qkv.outputs),
      probabilities: this.#memory.place(heads * rows * rows),
      attended: room(heads * headSize),
      middle: room(hidden),
      n2: room(hidden),
      inv2: room(1),
      gate: room(ffn),
      up: room(ffn),
      gated: room(ffn),
    };
    const low = Object.fromEntries(
      Object.values(sites).map((site) => [site.name, room(site.parts.length * this.#spec.rank)]),
    ) as BlockTrace["low"];
    const run = (site: Site, x: number, to: number): void => this.#runSite(site, block, x, to, low[site.name], rows);
    const output = room(hidden);

    kernel.normForward(input, block.weights.attentionNorm, values.n1, values.inv1, rows, hidden, epsilon);
    run(sites.qkv, values.n1, values.qkv);
    kernel.rotate(values.qkv, rows, sites.qkv.outputs, heads + kvHeads, headSize, tables.rotary, 1);
    kernel.attentionForward(
      ...([values.qkv, rows, heads, kvHeads, headSize, attentionScale] as const),
      ...([tables.shared, tables.first, values.probabilities, values.attended] as const),
    );
    run(sites.out, values.attended, values.middle);
    kernel.add(values.middle, values.middle, input, rows * hidden);
    kernel.normForward(values.middle, block.weights.mlpNorm, values.n2, values.inv2, rows, hidden, epsilon);
    run(sites.gate, values.n2, values.gate);
    run(sites.up, values.n2, values.up);
    kernel.gateForward(values.gate, values.up, values.gated, rows * ffn);
    run(sites.down, values.gated, output);
    kernel.add(output, output, values.middle, rows * hidden);
    return { input, output, values, low };
  }

  /**
   * Turns the gradient of the output at `gradient` [rows, hidden] into that of the input, in place, and adds the LoRA matrices' own to the
   * block's. Gates and what they let through are overwritten. The lowest block needs no gradient of its input, and leaves another there.
   */
  backward(block: PlacedBlock, trace: BlockTrace, gradient: number, tables: RowTables, lowest: boolean): void {
    const { kernel } = this.#memory;
    const { hidden, ffn, heads, kvHeads, headSize, attentionScale } = this.#shape;
    const { sites } = this.layout;
    const { rows } = tables;
    const { values, low } = trace;
    const mark = this.#memory.mark();
    const zeros = (columns: number): number => {
      const at = this.#memory.place(rows * columns);
      kernel.setRows(at, 0, rows, columns);
      return at;
    };
    const back = (site: Site, x: number, dy: number, dx: number): void =>
      this.#backSite(site, block, x, low[site.name], dy, dx, rows);

    const dGated = zeros(ffn);
    back(sites.down, values.gated, gradient, dGated);
    kernel.gateBackward(values.gate, values.up, dGated, values.gate, values.up, rows * ffn);
    const dNorm2 = zeros(hidden);
    back(sites.gate, values.n2, values.gate, dNorm2);
    back(sites.up, values.n2, values.up, dNorm2);
    kernel.normBackward(values.middle, block.weights.mlpNorm, values.inv2, dNorm2, gradient, rows, hidden);

    const dAttended = zeros(heads * headSize);
    back(sites.out, values.attended, gradient, dAttended);
    const dQkv = zeros(sites.qkv.outputs);
    kernel.attentionBackward(
      ...([values.qkv, rows, heads, kvHeads, headSize, attentionScale, tables.shared, tables.first] as const),
      ...([values.probabilities, dAttended, dQkv, this.#memory.place(rows)] as const),
    );
    kernel.rotate(dQkv, rows, sites.qkv.outputs, heads + kvHeads, headSize, tables.rotary, -1);
    const dNorm1 = lowest ? 0 : zeros(hidden);
    back(sites.qkv, values.n1, dQkv, dNorm1);
    if (!lowest) {
      kernel.normBackward(trace.input, block.weights.attentionNorm, values.inv1, dNorm1, gradient, rows, hidden);
    }
    this.#memory.release(mark);
  }

  /** to = x · weightᵀ (+ bias) + scale · (x · downᵀ) · upᵀ; x · downᵀ stays at `low`. */
  #runSite(site: Site, block: PlacedBlock, x: number, to: number, low: number, rows: number): void {
    const { kernel } = this.#memory;
    const { rank, scale } = this.#spec;
    const { inputs, outputs, parts } = site;
    const ranks = parts.length * rank;
    kernel.setRows(to, site.name === "qkv" ? block.qkvBias : 0, rows, outputs);
    const weight = block.weights[site.name];
    this.product(rows, outputs, inputs, 1, [x, inputs, 1], [weight, 1, inputs], [to, outputs]);
    kernel.setRows(low, 0, rows, ranks);
    this.product(rows, ranks, inputs, 1, [x, inputs, 1], [block.lora + 4 * site.down, 1, inputs], [low, ranks]);
    for (const [i, part] of parts.entries()) {
      const up = block.lora + 4 * part.up;
      const own = low + 4 * i * rank;
      this.product(rows, part.outputs, rank, scale, [own, ranks, 1], [up, 1, rank], [to + 4 * part.first, outputs]);
    }
  }

  /** Adds to the site's gradients, and to dx, which 0 leaves out. */
  #backSite(site: Site, block: PlacedBlock, x: number, low: number, dy: number, dx: number, rows: number): void {
    const { kernel } = this.#memory;
    const { rank, scale } = this.#spec;
    const { inputs, outputs, parts } = site;
    const ranks = parts.length * rank;
    const mark = this.#memory.mark();
    const dLow = this.#memory.place(rows * ranks);
    kernel.setRows(dLow, 0, rows, ranks);
    for (const [i, part] of parts.entries()) {
      const [up, dUp] = [block.lora + 4 * part.up, block.gradients + 4 * part.up];
      const own = dy + 4 * part.first;
      const [lowPart, dLowPart] = [low + 4 * i * rank, dLow + 4 * i * rank];
      this.product(rows, rank, part.outputs, scale, [own, outputs, 1], [up, rank, 1], [dLowPart, ranks]);
      this.product(part.outputs, rank, rows, scale, [own, 1, outputs], [lowPart, ranks, 1], [dUp, rank]);
    }
    const [down, dDown] = [block.lora + 4 * site.down, block.gradients + 4 * site.down];
    this.product(ranks, inputs, rows, 1, [dLow, 1, ranks], [x, inputs, 1], [dDown, inputs]);
    if (dx !== 0) {
      this.product(rows, inputs, ranks, 1, [dLow, ranks, 1], [down, inputs, 1], [dx, inputs]);
      this.product(rows, inputs, outputs, 1, [dy, outputs, 1], [block.weights[site.name], inputs, 1], [dx, inputs]);
    }
    this.#memory.release(mark);
  }

  /** C [m, n] += scale · A [m, k] · B [k, n]; A and B are [address, floats between rows, floats between columns], C [address, floats between rows]. */
  product(
    m: number,
    n: number,
    k: number,
    scale: number,
    a: readonly [number, number, number],
    b: readonly [number, number, number],
    c: readonly [number, number],
  ): void {
    this.#memory.kernel.product(m, n, k, scale, ...a, ...b, ...c, this.#scratch);
  }
}
