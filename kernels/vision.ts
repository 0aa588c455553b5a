// AssemblyScript. Runs a vision transformer (CLIP's or SigLIP's blocks) and LLaVA's projector on one picture. All threads run `forward` over one
// shared memory, phase by phase. Knows no files; src/engine/kernel/vision.ts lays out the memory.
import * as matrixLayout from "../src/engine/kernel/layout/matrix";
import { header } from "../src/engine/kernel/layout/team";
import * as blockLayout from "../src/engine/kernel/layout/vision-block";
import * as layout from "../src/engine/kernel/layout/vision-header";
import { classify, joined, joinedScales, joinRow } from "./classifier";
import { chooseDigits } from "./digits";
import { activate, powerOfTwo } from "./functions";
import { itemRows, sumLanes, unpackedBytes } from "./matrix";
import { addTile, nearest, panelMatmul, panelRows, quantizeForPanels } from "./panels";
import { address, finishPhase, field, nextJob, nextItem, startJob } from "./team";

/**
 * c[4, 8] = a[4, count] · panel[count, 8]. Rows of `a` are `aBytes` apart, rows of `c` are `cBytes` apart.
 */
function tile(a: usize, aBytes: usize, panel: usize, count: i32, c: usize, cBytes: usize): void {
  let s0 = f32x4.splat(0),
    s1 = f32x4.splat(0),
    s2 = f32x4.splat(0),
    s3 = f32x4.splat(0);
  let t0 = f32x4.splat(0),
    t1 = f32x4.splat(0),
    t2 = f32x4.splat(0),
    t3 = f32x4.splat(0);
  const a1 = aBytes,
    a2 = 2 * aBytes,
    a3 = 3 * aBytes;
  const end = a + ((<usize>count) << 2);
  while (a < end) {
    const left = v128.load(panel),
      right = v128.load(panel, 16);
    let x = v128.load32_splat(a);
    s0 = f32x4.add(s0, f32x4.mul(x, left));
    t0 = f32x4.add(t0, f32x4.mul(x, right));
    x = v128.load32_splat(a + a1);
    s1 = f32x4.add(s1, f32x4.mul(x, left));
    t1 = f32x4.add(t1, f32x4.mul(x, right));
    x = v128.load32_splat(a + a2);
    s2 = f32x4.add(s2, f32x4.mul(x, left));
    t2 = f32x4.add(t2, f32x4.mul(x, right));
    x = v128.load32_splat(a + a3);
    s3 = f32x4.add(s3, f32x4.mul(x, left));
    t3 = f32x4.add(t3, f32x4.mul(x, right));
    a += 4;
    panel += 32;
  }
  v128.store(c, s0);
  v128.store(c, t0, 16);
  v128.store(c + cBytes, s1);
  v128.store(c + cBytes, t1, 16);
  v128.store(c + 2 * cBytes, s2);
  v128.store(c + 2 * cBytes, t2, 16);
  v128.store(c + 3 * cBytes, s3);
  v128.store(c + 3 * cBytes, t3, 16);
}

/** Copies a patch's pixels to a row, in the order of the convolution's weights. */
function gatherPatch(index: i32): void {
  const channels = field(layout.channels),
    patch = field(layout.patch),
    image = field(layout.image);
  const side = image / patch;
  const lineBytes = (<usize>patch) << 2;
  let to = address(layout.patches) + <usize>index * <usize>(channels * patch) * lineBytes;
  let from = address(layout.pixels) + <usize>((index / side) * patch * image + (index % side) * patch) * 4;
  const skipped = <usize>(image * image - patch * image) * 4;
  for (let channel = 0; channel < channels; channel++) {
    for (let y = 0; y < patch; y++) {
      memory.copy(to, from, lineBytes);
      to += lineBytes;
      from += (<usize>image) << 2;
    }
    from += skipped;
  }
}

/** The patches' convolution as a matrix product. A work item is four patches. */
function embedPatches(patches: i32, firstRow: i32): void {
  const hidden = field(layout.hidden);
  const inputs = field(layout.channels) * field(layout.patch) * field(layout.patch);
  const hiddenBytes = (<usize>hidden) << 2;
  const inputBytes = (<usize>inputs) << 2;
  const fours = (patches + 3) >> 2;
  for (let item = nextItem(fours); item >= 0; item = nextItem(fours)) {
    const from = item << 2;
    const a = address(layout.patches) + <usize>from * inputBytes;
    const c = address(layout.stream) + <usize>(firstRow + from) * hiddenBytes;
    for (let n: usize = 0; n < <usize>hidden; n += 8) {
      tile(a, inputBytes, address(layout.patchWeights) + n * inputBytes, inputs, c + (n << 2), hiddenBytes);
    }
  }
}

/** Adds `update` (none if 0) to a row, and writes its layer norm to `to`, which may be the row itself. */
function layerNorm(row: usize, update: usize, norm: usize, hidden: i32, to: usize): void {
  const bytes = (<usize>hidden) << 2;
  const weight = load<usize>(norm),
    bias = load<usize>(norm, 4);
  let sum = f32x4.splat(0);
  for (let i: usize = 0; i < bytes; i += 16) {
    let x = v128.load(row + i);
    if (update) {
      x = f32x4.add(x, v128.load(update + i));
      v128.store(row + i, x);
    }
    sum = f32x4.add(sum, x);
  }
  const mean = f32x4.splat(sumLanes(sum) / <f32>hidden);
  let squares = f32x4.splat(0);
  for (let i: usize = 0; i < bytes; i += 16) {
    const x = f32x4.sub(v128.load(row + i), mean);
    squares = f32x4.add(squares, f32x4.mul(x, x));
  }
  const factor = f32x4.splat(<f32>1 / sqrt<f32>(sumLanes(squares) / <f32>hidden + load<f32>(header + layout.epsilon)));
  for (let i: usize = 0; i < bytes; i += 16) {
    const x = f32x4.mul(f32x4.sub(v128.load(row + i), mean), factor);
    v128.store(to + i, f32x4.add(f32x4.mul(x, v128.load(weight + i)), v128.load(bias + i)));
  }
}

/** Quantizes a row of `hidden` floats as the input of matrix products. */
function quantizeRow(x: usize, row: i32): void {
  const hidden = field(layout.hidden);
  const to = address(layout.quantized) + <usize>row * ((<usize>hidden) << 1);
  const scales = address(layout.quantizedScales) + <usize>row * ((<usize>(hidden >> 5)) << 2);
  for (let b: usize = 0; b < <usize>(hidden >> 5); b++) {
    store<f32>(scales + (b << 2), quantizeForPanels(x + (b << 7), to + (b << 6)));
  }
}

/**
 * Where a row goes so that the rows of each square of `shuffle` × `shuffle` patches follow each other: they are one row for the projector then,
 * which is Idefics3's pixel shuffle.
 */
function shuffledRow(row: i32): i32 {
  const by = field(layout.shuffle);
  if (by == 1) return row;
  const side = field(layout.image) / field(layout.patch);
  const y = row / side,
    x = row % side;
  const square = (y / by) * (side / by) + x / by;
  return square * by * by + (y % by) * by + (x % by);
}

/**
 * Queries, keys and values of all rows, as attention reads them. A work item is a run of at most 32 of a head's columns of one of the three, which
 * passes through scratch. Queries go to `update`, which nobody needs by then.
 */
function projectHeads(qkv: usize, scratch: usize): void {
  const hidden = field(layout.hidden),
    heads = field(layout.heads),
    size = field(layout.headSize),
    rows = field(layout.rows);
  const runs = (size + 31) >> 5;
  const cells = scratch + unpackedBytes(hidden);
  const count = 3 * heads * runs;
  for (let item = nextItem(count); item >= 0; item = nextItem(count)) {
    const first = (item % runs) << 5;
    const width = min(32, size - first);
    const from = (item / runs) * size + first;
    const quantized = address(layout.quantized),
      scales = address(layout.quantizedScales);
    panelRows(qkv, from, from + width, rows, quantized, scales, cells - ((<usize>from) << 2), itemRows, scratch);
    if (from < hidden) keepQueries(from, width, cells);
    else if (from < 2 * hidden) keepKeys((item / runs) % heads, first, width, cells);
    else keepValues(from - 2 * hidden, width, cells);
  }
}

/** Keeps columns of the queries, times 1 / √size and log₂ e: scores are exponents of two then. */
function keepQueries(column: i32, width: i32, cells: usize): void {
  const rows = <usize>field(layout.rows);
  const factor = f32x4.splat(<f32>1.4426950408889634 / sqrt<f32>(<f32>field(layout.headSize)));
  let to = address(layout.update) + ((<usize>column) << 2);
  for (let m: usize = 0; m < rows; m++) {
    for (let i: usize = 0; i < (<usize>width) << 2; i += 16) {
      v128.store(to + i, f32x4.mul(v128.load(cells + (m << 7) + i), factor));
    }
    to += (<usize>field(layout.hidden)) << 2;
  }
}

/** Copies a head's columns of the keys to their panels. */
function keepKeys(head: i32, column: i32, width: i32, cells: usize): void {
  const size = field(layout.headSize),
    rows = field(layout.rows);
  const panels = (rows + 7) >> 3;
  for (let m: usize = 0; m < <usize>rows; m++) {
    const panel = <usize>(head * panels) + (m >> 3);
    const to = address(layout.keys) + ((panel * <usize>size + <usize>column) << 5) + ((m & 7) << 2);
    const cell = cells + (m << 7);
    for (let i: usize = 0; i < (<usize>width) << 2; i += 4) store<f32>(to + (i << 3), load<f32>(cell + i));
  }
}

/** Quantizes columns of the values, each in blocks of 32 rows, into panels of eight columns. */
function keepValues(first: i32, width: i32, cells: usize): void {
  const rows = field(layout.rows);
  const blocks = (rows + 31) >> 5,
    pairs = (rows + 1) >> 1;
  for (let block = 0; block < blocks; block++) {
    const count = <usize>min(32, rows - (block << 5));
    for (let i = 0; i < width; i += 4) {
      const column = first + i;
      const half = (<usize>(column & 4)) << 2;
      const x = cells + ((<usize>block) << 12) + ((<usize>i) << 2);
      let most = f32x4.splat(0);
      for (let m: usize = 0; m < count; m++) most = f32x4.max(most, f32x4.abs(v128.load(x + (m << 7))));
      const scales = address(layout.valueScales) + ((<usize>((column >> 3) * blocks + block)) << 5) + half;
      v128.store(scales, f32x4.mul(most, f32x4.splat(<f32>1 / mostValue)));
      const inverse = v128.and(f32x4.div(f32x4.splat(mostValue), most), f32x4.gt(most, f32x4.splat(0)));
      let to = address(layout.values) + ((<usize>((column >> 3) * pairs + (block << 4))) << 5) + half;
      for (let m: usize = 0; m < count; m += 2) {
        const even = nearest(v128.load(x + (m << 7)), inverse);
        const odd = m + 1 < count ? nearest(v128.load(x + ((m + 1) << 7)), inverse) : i32x4.splat(0);
        v128.store(to, v128.or(v128.and(even, i32x4.splat(0xffff)), i32x4.shl(odd, 16)));
        to += 32;
      }
    }
  }
}

/** The largest integer of quantized values, and what a block's weights add up to at most: sums of their products fit 32 bits. */
const mostValue: f32 = 32767,
  mostSum: f32 = 65500;

/** Rows of a work item of attention: several fours, so that most find their head's keys and values in the core's L2 cache. */
const attendedAtOnce = 32;

/** Attention of one head for the rows [from, to), by fours, over all rows. Results take the queries' place. */
function attend(head: i32, from: i32, to: i32, scratch: usize): void {
  const size = field(layout.headSize),
    rows = field(layout.rows);
  const panels = (rows + 7) >> 3,
    blocks = (rows + 31) >> 5,
    pairs = (rows + 1) >> 1;
  const hiddenBytes = (<usize>field(layout.hidden)) << 2,
    scoreBytes = (<usize>blocks) << 7,
    weightBytes = (<usize>blocks) << 6,
    scaleBytes = (<usize>blocks) << 2;
  const scores = scratch; // f32 [4, blocks · 32]
  const weights = scores + 4 * scoreBytes; // i16 [4, blocks · 32]
  const weightScales = weights + 4 * weightBytes; // f32 [4, blocks]
  const column = head * size;
  const keys = address(layout.keys) + ((<usize>(head * panels * size)) << 5);
  const values = address(layout.values) + ((<usize>((column >> 3) * pairs)) << 5);
  const valueScales = address(layout.valueScales) + ((<usize>((column >> 3) * blocks)) << 5);
  for (let row = from; row < to; row += 4) {
    const x = address(layout.update) + <usize>row * hiddenBytes + ((<usize>column) << 2);
    for (let p: usize = 0; p < <usize>panels; p++) {
      tile(x, hiddenBytes, keys + ((p * <usize>size) << 5), size, scores + (p << 5), scoreBytes);
    }
    for (let r: usize = 0; r < 4; r++) {
      softmax(scores + r * scoreBytes, rows, weights + r * weightBytes, weightScales + r * scaleBytes);
      memory.fill(x + r * hiddenBytes, 0, (<usize>size) << 2);
    }
    for (let p: usize = 0; p < <usize>(size >> 3); p++) {
      const panel = values + ((p * <usize>pairs) << 5),
        scales = valueScales + ((p * <usize>blocks) << 5);
      addTile(weights, weightBytes, weightScales, scaleBytes, panel, scales, pairs, x + (p << 5), hiddenBytes);
    }
  }
}

/**
 * Softmax of `count` exponents of two. Weights are i16, in blocks of 32 with a scale each, and a block's add up to at most `mostSum`. Scales are such
 * that all weights add up to 1.
 */
function softmax(scores: usize, count: i32, weights: usize, scales: usize): void {
  const blocks = (count + 31) >> 5;
  // Positions beyond the last hold products with padding, which must get no weight.
  for (let i = <usize>count; (i & 31) != 0; i++) store<f32>(scores + (i << 2), -Infinity);
  let largest: f32 = -Infinity;
  for (let b: usize = 0; b < <usize>blocks; b++) {
    const block = scores + (b << 7);
    let most = v128.load(block);
    for (let i: usize = 16; i < 128; i += 16) most = f32x4.pmax(most, v128.load(block + i));
    most = f32x4.pmax(most, v128.shuffle<i32>(most, most, 2, 3, 0, 1));
    const own = max(f32x4.extract_lane(most, 0), f32x4.extract_lane(most, 1));
    store<f32>(scales + (b << 2), own);
    largest = max(largest, own);
  }
  let total: f32 = 0;
  for (let b: usize = 0; b < <usize>blocks; b++) {
    const block = scores + (b << 7);
    const own = load<f32>(scales + (b << 2));
    const most = f32x4.splat(own);
    let sum = f32x4.splat(0);
    for (let i: usize = 0; i < 128; i += 16) {
      const weight = powerOfTwo(f32x4.sub(v128.load(block + i), most));
      v128.store(block + i, weight);
      sum = f32x4.add(sum, weight);
    }
    const all = sumLanes(sum);
    // The block's largest weight is 1 here.
    const factor = min(<f32>32767, mostSum / all);
    const inverse = f32x4.splat(factor);
    for (let i: usize = 0; i < 128; i += 32) {
      const low = nearest(v128.load(block + i), inverse),
        high = nearest(v128.load(block + i, 16), inverse);
      v128.store(weights + (b << 6) + (i >> 1), i16x8.narrow_i32x4_s(low, high));
    }
    const scale = f32x4.extract_lane(powerOfTwo(f32x4.splat(own - largest)), 0);
    store<f32>(scales + (b << 2), scale / factor);
    total += all * scale;
  }
  const inverse = <f32>1 / total;
  for (let b: usize = 0; b < <usize>blocks; b++) store<f32>(scales + (b << 2), load<f32>(scales + (b << 2)) * inverse);
}

/** A matrix product with an activation, quantized. A work item is 32 outputs, which make one block of the next matrix's input. */
function activatedMatmul(matrix: usize, rows: i32, x: usize, xScales: usize, activation: i32, scratch: usize): void {
  const outputs = load<i32>(matrix, matrixLayout.rows);
  const blocks = <usize>((outputs + itemRows - 1) >> 5);
  const cells = scratch + unpackedBytes(load<i32>(matrix, matrixLayout.columns));
  for (let item = nextItem(<i32>blocks); item >= 0; item = nextItem(<i32>blocks)) {
    const from = item << 5;
    const to = min(from + itemRows, outputs);
    // panelRows counts its results from the matrix's first row on.
    panelRows(matrix, from, to, rows, x, xScales, cells - ((<usize>from) << 2), itemRows, scratch);
    for (let m = 0; m < rows; m++) {
      const cell = cells + ((<usize>m) << 7);
      for (let i = (<usize>(to - from)) << 2; i < 128; i += 4) store<f32>(cell + i, 0);
      for (let i: usize = 0; i < 128; i += 16) v128.store(cell + i, activate(v128.load(cell + i), activation));
      const block = <usize>m * blocks + <usize>item;
      store<f32>(
        address(layout.wideScales) + (block << 2),
        quantizeForPanels(cell, address(layout.wide) + (block << 6)),
      );
    }
  }
}

/**
 * One thread's share of a picture; returns when all threads are done. Longer than most functions: it is the list of the tower's phases, which
 * every thread has to go through in the same order.
 */
function forward(thread: i32): void {
  const rows = field(layout.rows),
    hidden = field(layout.hidden);
  const scratch = address(layout.scratch) + <usize>thread * address(layout.scratchBytes);
  const stream = address(layout.stream),
    update = address(layout.update),
    quantized = address(layout.quantized),
    quantizedScales = address(layout.quantizedScales);
  const hiddenBytes = (<usize>hidden) << 2;
  const firstRow = address(layout.classRow) ? 1 : 0;
  const patches = rows - firstRow;
  const pieces = (rows + attendedAtOnce - 1) / attendedAtOnce;
  const attentions = field(layout.heads) * pieces;
  const classifier = address(layout.classifier);
  chooseDigits(field(layout.digits) != 0);
  const map = classifier ? classify(classifier, scratch) : 0;

  for (let i = nextItem(patches); i >= 0; i = nextItem(patches)) gatherPatch(i);
  finishPhase();
  embedPatches(patches, firstRow);
  finishPhase();
  for (let m = nextItem(rows); m >= 0; m = nextItem(rows)) {
    const row = stream + <usize>m * hiddenBytes;
    if (m < firstRow) memory.copy(row, address(layout.classRow), hiddenBytes);
    const positions = address(layout.positions) + <usize>m * hiddenBytes;
    for (let i: usize = 0; i < hiddenBytes; i += 16) {
      v128.store(row + i, f32x4.add(v128.load(row + i), v128.load(positions + i)));
    }
    if (address(layout.preNorm)) layerNorm(row, 0, address(layout.preNorm), hidden, row);
  }
  finishPhase();
  for (let block = 0; block < field(layout.blocks); block++) {
    const table = address(layout.blockTable) + <usize>block * blockLayout.bytes;
    const mlpNorm = table + blockLayout.mlpNorm,
      qkv = mlpNorm + (blockLayout.qkv - blockLayout.mlpNorm),
      out = qkv + (blockLayout.out - blockLayout.qkv),
      wide = out + (blockLayout.wide - blockLayout.out),
      narrow = wide + (blockLayout.narrow - blockLayout.wide);
    for (let m = nextItem(rows); m >= 0; m = nextItem(rows)) {
      const at = <usize>m * hiddenBytes;
      layerNorm(stream + at, block == 0 ? 0 : update + at, table, hidden, scratch);
      quantizeRow(scratch, m);
    }
    finishPhase();
    projectHeads(qkv, scratch);
    finishPhase();
    for (let item = nextItem(attentions); item >= 0; item = nextItem(attentions)) {
      const from = (item % pieces) * attendedAtOnce;
      attend(item / pieces, from, min(from + attendedAtOnce, rows), scratch);
    }
    finishPhase();
    for (let m = nextItem(rows); m >= 0; m = nextItem(rows)) quantizeRow(update + <usize>m * hiddenBytes, m);
    finishPhase();
    panelMatmul(out, rows, quantized, quantizedScales, update, scratch);
    finishPhase();
    for (let m = nextItem(rows); m >= 0; m = nextItem(rows)) {
      const at = <usize>m * hiddenBytes;
      layerNorm(stream + at, update + at, mlpNorm, hidden, scratch);
      quantizeRow(scratch, m);
    }
    finishPhase();
    activatedMatmul(wide, rows, quantized, quantizedScales, field(layout.activation), scratch);
    finishPhase();
    panelMatmul(narrow, rows, address(layout.wide), address(layout.wideScales), update, scratch);
    finishPhase();
  }
  for (let m = nextItem(rows); m >= 0; m = nextItem(rows)) {
    const row = stream + <usize>m * hiddenBytes;
    const change = update + <usize>m * hiddenBytes;
    if (address(layout.postNorm)) {
      layerNorm(row, change, address(layout.postNorm), hidden, row);
    } else {
      for (let i: usize = 0; i < hiddenBytes; i += 16) {
        v128.store(row + i, f32x4.add(v128.load(row + i), v128.load(change + i)));
      }
    }
    if (classifier == 0) quantizeRow(row, shuffledRow(m));
    else if (m >= field(layout.dropped)) joinRow(classifier, map, m - field(layout.dropped), row, hidden, scratch);
  }
  finishPhase();
  project(scratch);
}

/** The projector, one matrix or two with a Gelu between, on the rows that are not dropped, several of them as one where they are shuffled. */
function project(scratch: usize): void {
  const dropped = field(layout.dropped),
    hidden = field(layout.hidden);
  const rows = (field(layout.rows) - dropped) / (field(layout.shuffle) * field(layout.shuffle));
  const classifier = address(layout.classifier);
  const own = address(layout.quantized) + <usize>dropped * ((<usize>hidden) << 1);
  const ownScales = address(layout.quantizedScales) + <usize>dropped * ((<usize>(hidden >> 5)) << 2);
  const x = classifier ? joined(classifier) : own;
  const xScales = classifier ? joinedScales(classifier) : ownScales;
  const first = address(layout.projector);
  if (field(layout.projections) == 1) {
    panelMatmul(first, rows, x, xScales, address(layout.out), scratch);
  } else {
    activatedMatmul(first, rows, x, xScales, field(layout.projectorActivation), scratch);
    finishPhase();
    panelMatmul(
      first + matrixLayout.bytes,
      rows,
      address(layout.wide),
      address(layout.wideScales),
      address(layout.out),
      scratch,
    );
  }
  finishPhase();
}

/** Starts a job for all threads and does the first thread's share. */
export function run(): void {
  startJob();
  forward(0);
}

/** Works on jobs until the header says quit; for helpers. */
export function help(thread: i32): void {
  for (let job = nextJob(0); job >= 0; job = nextJob(job)) forward(thread);
}
