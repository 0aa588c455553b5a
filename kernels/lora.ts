// AssemblyScript. LoRA beside a block-quantized matrix: y = W x + up (down x). Activations are as in matrix.ts; `down` is 14-bit integers with a
// scale per block of 32, `up` is floats. A matrix without LoRA has 0 in the place of its record (layout/lora.ts).
import * as layout from "../src/engine/kernel/layout/lora";
import * as matrixLayout from "../src/engine/kernel/layout/matrix";
import { dotFourRows, dotRow, itemRows, matmulRows } from "./matrix";
import { nextItem } from "./team";

/** Groups of so many that hold this count. */
function groupsOf(count: i32, size: i32): i32 {
  return (count + size - 1) / size;
}

function lowItems(lora: usize, rows: i32): i32 {
  if (lora == 0) return 0;
  return groupsOf(rows, layout.itemRows) * groupsOf(load<i32>(lora, layout.ranks), layout.itemRanks);
}

/** A work item of down x: some rows of activations times some of `down`. `spill` as in dotFourRows. */
function lowItem(lora: usize, item: i32, rows: i32, x: usize, xScales: usize, spill: usize): void {
  const ranks = load<i32>(lora, layout.ranks);
  const blocks = load<i32>(lora, layout.columns) >> 5;
  const xBytes = (<usize>blocks) << 6,
    xScaleBytes = (<usize>blocks) << 2;
  const groups = groupsOf(ranks, layout.itemRanks);
  const firstRow = (item / groups) * layout.itemRows;
  const firstRank = (item % groups) * layout.itemRanks;
  const lastRow = min(rows, firstRow + layout.itemRows);
  const lastRank = min(ranks, firstRank + layout.itemRanks);
  const outBytes = (<usize>ranks) << 2;
  for (let n = <usize>firstRank; n < <usize>lastRank; n++) {
    const w = load<usize>(lora, layout.down) + n * xBytes;
    const scales = load<usize>(lora, layout.scales) + n * xScaleBytes;
    let m = firstRow;
    for (; m + 4 <= lastRow; m += 4) {
      const at = <usize>m;
      const out = load<usize>(lora, layout.low) + at * outBytes + (n << 2);
      const a = x + at * xBytes,
        aScales = xScales + at * xScaleBytes;
      dotFourRows(w, scales, blocks, a, xBytes, aScales, xScaleBytes, out, outBytes, 0, spill);
    }
    for (; m < lastRow; m++) {
      const at = <usize>m;
      const out = load<usize>(lora, layout.low) + at * outBytes + (n << 2);
      store<f32>(out, dotRow(w, scales, blocks, x + at * xBytes, xScales + at * xScaleBytes));
    }
  }
}

/** down x of one matrix's LoRA and of another's (either may be 0) for all rows, as one phase of the team. */
export function lowProducts(lora: usize, other: usize, rows: i32, x: usize, xScales: usize, spill: usize): void {
  const own = lowItems(lora, rows);
  const count = own + lowItems(other, rows);
  for (let item = nextItem(count); item >= 0; item = nextItem(count)) {
    if (item < own) lowItem(lora, item, rows, x, xScales, spill);
    else lowItem(other, item - own, rows, x, xScales, spill);
  }
}

/**
 * Adds up (down x) to rows [from, to) of the matrix, which all lie in one part and are a multiple of 16: f32 out[row of activations · stride + row
 * of the matrix]. `lowProducts` must be done.
 */
export function addUp(lora: usize, from: i32, to: i32, rows: i32, out: usize, stride: i32): void {
  if (lora == 0) return;
  let part = lora + layout.parts;
  let start = 0;
  while (load<i32>(part, layout.end) <= from) {
    start = load<i32>(part, layout.end);
    part += layout.partBytes;
  }
  const rank = load<i32>(part, layout.rank);
  const width = (<usize>(load<i32>(part, layout.end) - start)) << 2;
  const up = load<usize>(part, layout.up) + ((<usize>(from - start)) << 2);
  const low = load<usize>(lora, layout.low) + ((<usize>load<i32>(part, layout.first)) << 2);
  const lowBytes = (<usize>load<i32>(lora, layout.ranks)) << 2;
  const bytes = (<usize>(to - from)) << 2;
  for (let m: usize = 0; m < <usize>rows; m++) {
    const cells = out + ((m * <usize>stride + <usize>from) << 2);
    for (let i: usize = 0; i < bytes; i += 64) {
      const cell = cells + i;
      let a = v128.load(cell),
        b = v128.load(cell, 16),
        c = v128.load(cell, 32),
        d = v128.load(cell, 48);
      for (let r: usize = 0; r < <usize>rank; r++) {
        const factor = v128.load32_splat(low + m * lowBytes + (r << 2));
        const w = up + r * width + i;
        a = f32x4.add(a, f32x4.mul(factor, v128.load(w)));
        b = f32x4.add(b, f32x4.mul(factor, v128.load(w, 16)));
        c = f32x4.add(c, f32x4.mul(factor, v128.load(w, 32)));
        d = f32x4.add(d, f32x4.mul(factor, v128.load(w, 48)));
      }
      v128.store(cell, a);
      v128.store(cell, b, 16);
      v128.store(cell, c, 32);
      v128.store(cell, d, 48);
    }
  }
}

/** A whole matrix and its LoRA times all rows of activations, as one phase of the team; `lowProducts` must be done. */
export function adaptedMatmul(
  matrix: usize,
  lora: usize,
  rows: i32,
  x: usize,
  xScales: usize,
  out: usize,
  scratch: usize,
): void {
  const outputs = load<i32>(matrix, matrixLayout.rows);
  const count = groupsOf(outputs, itemRows);
  for (let item = nextItem(count); item >= 0; item = nextItem(count)) {
    const from = item * itemRows;
    const to = min(from + itemRows, outputs);
    matmulRows(matrix, from, to, rows, x, xScales, out, outputs, scratch);
    addUp(lora, from, to, rows, out, outputs);
  }
}
