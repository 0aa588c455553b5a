// AssemblyScript. An EfficientNet-Lite classifier (Tan & Le 2019): 3 × 3 stem, inverted residual blocks with ReLU6, head, classes. Part of the
// vision kernel: all threads call `classify`, phase by phase. A feature map is f32 [cells, channels]; src/engine/kernel/classifier.ts lays it out.
import * as layout from "../src/engine/kernel/layout/classifier";
import * as blockLayout from "../src/engine/kernel/layout/classifier-block";
import * as matrixLayout from "../src/engine/kernel/layout/matrix";
import { hasDigits, splitBlocks } from "./digits";
import { matmulRows, quantizeBlock, itemRows, matmul, unpackedBytes } from "./matrix";
import { finishPhase, nextItem } from "./team";

/** Cells of a work item that is a matrix product alone, of small maps and of others. */
const fewCells: i32 = 16;
const manyCells: i32 = 64;

function word(at: usize): i32 {
  return load<i32>(at);
}

function place(at: usize): usize {
  return load<usize>(at);
}

function blocksOf(channels: i32): usize {
  return <usize>((channels + 31) >> 5);
}

function relu6(x: v128): v128 {
  return f32x4.min(f32x4.max(x, f32x4.splat(0)), f32x4.splat(6));
}

function clamp(row: usize, channels: i32): void {
  const end = row + ((<usize>channels) << 2);
  for (; row < end; row += 16) v128.store(row, relu6(v128.load(row)));
}

/** Quantizes a cell's channels in blocks of 32; `spare` is scratch for a last block that the channels do not fill. */
function quantizeChannels(row: usize, channels: i32, to: usize, scales: usize, spare: usize): void {
  const whole = (<usize>channels) >> 5;
  for (let b: usize = 0; b < whole; b++) store<f32>(scales + (b << 2), quantizeBlock(row + (b << 7), to + (b << 6)));
  const rest = (<usize>(channels & 31)) << 2;
  if (rest == 0) return;
  memory.fill(spare, 0, 128);
  memory.copy(spare, row + (whole << 7), rest);
  store<f32>(scales + (whole << 2), quantizeBlock(spare, to + (whole << 6)));
}

/** A line of the stem's map: a 3 × 3 convolution of three colors with stride 2. */
function stemLine(table: usize, line: i32, map: usize): void {
  const image = word(table + layout.image),
    channels = word(table + layout.stem),
    padding = word(table + layout.stemPadding);
  const side = (image + 1) >> 1;
  const bytes = (<usize>channels) << 2;
  const plane = (<usize>(image * image)) << 2;
  for (let column = 0; column < side; column++) {
    const to = map + <usize>(line * side + column) * bytes;
    memory.copy(to, place(table + layout.stemBias), bytes);
    for (let ky = 0; ky < 3; ky++) {
      const y = line * 2 + ky - padding;
      if (y < 0 || y >= image) continue;
      for (let kx = 0; kx < 3; kx++) {
        const x = column * 2 + kx - padding;
        if (x < 0 || x >= image) continue;
        const pixel = place(table + layout.pixels) + ((<usize>(y * image + x)) << 2);
        const red = v128.load32_splat(pixel),
          green = v128.load32_splat(pixel + plane),
          blue = v128.load32_splat(pixel + 2 * plane);
        const weights = place(table + layout.stemKernel) + <usize>((ky * 3 + kx) * 3) * bytes;
        for (let i: usize = 0; i < bytes; i += 16) {
          let sum = v128.load(to + i);
          sum = f32x4.add(sum, f32x4.mul(red, v128.load(weights + i)));
          sum = f32x4.add(sum, f32x4.mul(green, v128.load(weights + bytes + i)));
          v128.store(to + i, f32x4.add(sum, f32x4.mul(blue, v128.load(weights + 2 * bytes + i))));
        }
      }
    }
    clamp(to, channels);
  }
}

/** One cell of a depthwise convolution, all channels, with ReLU6. */
function depthwiseCell(block: usize, wide: usize, line: i32, column: i32, to: usize): void {
  const middle = word(block + blockLayout.middle),
    kernel = word(block + blockLayout.kernel),
    side = word(block + blockLayout.side);
  const bytes = (<usize>middle) << 2;
  const top = line * word(block + blockLayout.stride) - word(block + blockLayout.padding),
    left = column * word(block + blockLayout.stride) - word(block + blockLayout.padding);
  const firstY = max(0, -top),
    lastY = min(kernel, side - top),
    firstX = max(0, -left),
    lastX = min(kernel, side - left);
  const weights = place(block + blockLayout.depthwise),
    bias = place(block + blockLayout.depthwiseBias);
  for (let i: usize = 0; i < bytes; i += 32) {
    let low = v128.load(bias + i),
      high = v128.load(bias + i, 16);
    for (let ky = firstY; ky < lastY; ky++) {
      let from = wide + <usize>((top + ky) * side + left + firstX) * bytes + i;
      let weight = weights + <usize>(ky * kernel + firstX) * bytes + i;
      for (let kx = firstX; kx < lastX; kx++) {
        low = f32x4.add(low, f32x4.mul(v128.load(from), v128.load(weight)));
        high = f32x4.add(high, f32x4.mul(v128.load(from, 16), v128.load(weight, 16)));
        from += bytes;
        weight += bytes;
      }
    }
    v128.store(to + i, relu6(low));
    v128.store(to + i, relu6(high), 16);
  }
}

/** Cells [first, first + count) of a map, expanded by the block's first matrix. */
function expandCells(block: usize, map: usize, first: i32, count: i32, wide: usize, scratch: usize): void {
  const inputs = word(block + blockLayout.inputs),
    middle = word(block + blockLayout.middle);
  const blocks = blocksOf(inputs);
  const spare = scratch + unpackedBytes(<i32>(blocks << 5));
  const quantized = spare + 128,
    scales = quantized + <usize>count * (blocks << 6);
  const inputBytes = (<usize>inputs) << 2;
  for (let m: usize = 0; m < <usize>count; m++) {
    const row = map + (<usize>first + m) * inputBytes;
    quantizeChannels(row, inputs, quantized + m * (blocks << 6), scales + m * (blocks << 2), spare);
  }
  const to = wide + <usize>first * ((<usize>middle) << 2);
  matmulRows(block + blockLayout.expand, 0, middle, count, quantized, scales, to, middle, scratch);
  clamp(to, count * middle);
}

/** Lines [first, last) of a block's output: depthwise convolution, second matrix, residual. */
function projectLines(block: usize, wide: usize, map: usize, first: i32, last: i32, out: usize, scratch: usize): void {
  const middle = word(block + blockLayout.middle),
    outputs = word(block + blockLayout.outputs),
    side = word(block + blockLayout.outSide);
  const count = (last - first) * side;
  const blocks = blocksOf(middle);
  const row = scratch + unpackedBytes(<i32>(blocks << 5)); // f32, whole blocks
  const spare = row + (blocks << 7);
  const quantized = spare + 128,
    scales = quantized + <usize>count * (blocks << 6);
  for (let m = 0; m < count; m++) {
    depthwiseCell(block, wide, first + m / side, m % side, row);
    const at = <usize>m;
    quantizeChannels(row, middle, quantized + at * (blocks << 6), scales + at * (blocks << 2), spare);
  }
  const start = <usize>(first * side) * ((<usize>outputs) << 2);
  matmulRows(block + blockLayout.project, 0, outputs, count, quantized, scales, out + start, outputs, scratch);
  if (word(block + blockLayout.residual) == 0) return;
  const bytes = ((<usize>outputs) << 2) * <usize>count;
  for (let i: usize = 0; i < bytes; i += 16) {
    const at = out + start + i;
    v128.store(at, f32x4.add(v128.load(at), v128.load(map + start + i)));
  }
}

/** Lines of a work item of `projectLines`: about as many cells as `manyCells`, and enough items for several threads. */
function linesPerPiece(side: i32): i32 {
  return side <= 16 ? max(1, fewCells / side) : max(1, manyCells / side);
}

/** Scratch that a thread needs; src/engine/kernel/classifier.ts has the same. */
function runBlock(block: usize, map: usize, wide: usize, out: usize, scratch: usize): void {
  let from = map;
  if (word(block + blockLayout.expands)) {
    const cells = word(block + blockLayout.side) * word(block + blockLayout.side);
    const size = cells <= 256 ? fewCells : manyCells;
    const items = (cells + size - 1) / size;
    for (let item = nextItem(items); item >= 0; item = nextItem(items)) {
      expandCells(block, map, item * size, min(size, cells - item * size), wide, scratch);
    }
    finishPhase();
    from = wide;
  }
  const side = word(block + blockLayout.outSide);
  const lines = linesPerPiece(side);
  const items = (side + lines - 1) / lines;
  for (let item = nextItem(items); item >= 0; item = nextItem(items)) {
    projectLines(block, from, map, item * lines, min(side, (item + 1) * lines), out, scratch);
  }
  finishPhase();
}

/** The head's outputs, averaged over all cells. A work item is 32 outputs. */
function pool(table: usize, scratch: usize): void {
  const head = place(table + layout.head);
  const cells = word(table + layout.cells),
    outputs = word(head + 4);
  const cell = scratch + unpackedBytes(load<i32>(head, matrixLayout.columns));
  const share = f32x4.splat(<f32>1 / <f32>cells);
  const items = (outputs + itemRows - 1) / itemRows;
  for (let item = nextItem(items); item >= 0; item = nextItem(items)) {
    const from = item * itemRows,
      to = min(from + itemRows, outputs);
    const quantized = place(table + layout.quantized),
      scales = place(table + layout.quantizedScales);
    matmulRows(head, from, to, cells, quantized, scales, cell - ((<usize>from) << 2), itemRows, scratch);
    const pooled = place(table + layout.pooled) + ((<usize>from) << 2);
    for (let i: usize = 0; i < (<usize>(to - from)) << 2; i += 16) {
      let sum = f32x4.splat(0);
      for (let m: usize = 0; m < <usize>cells; m++) sum = f32x4.add(sum, relu6(v128.load(cell + (m << 7) + i)));
      v128.store(pooled + i, f32x4.mul(sum, share));
    }
  }
  finishPhase();
}

/** One thread's share of the classifier; returns the last map's address when all threads are done. */
export function classify(table: usize, scratch: usize): usize {
  let map = place(table + layout.firstMap),
    out = place(table + layout.secondMap);
  const lines = (word(table + layout.image) + 1) >> 1;
  for (let line = nextItem(lines); line >= 0; line = nextItem(lines)) stemLine(table, line, map);
  finishPhase();
  for (let i = 0; i < word(table + layout.blocks); i++) {
    runBlock(
      place(table + layout.blockTable) + <usize>i * blockLayout.bytes,
      map,
      place(table + layout.wide),
      out,
      scratch,
    );
    const last = map;
    map = out;
    out = last;
  }
  const cells = word(table + layout.cells),
    channels = word(table + layout.channels);
  const blocks = blocksOf(channels);
  for (let m = nextItem(cells); m >= 0; m = nextItem(cells)) {
    const at = <usize>m;
    const row = map + at * ((<usize>channels) << 2);
    quantizeChannels(row, channels, place(table + layout.quantized) + at * (blocks << 6), place(table + layout.quantizedScales) + at * (blocks << 2), scratch); // prettier-ignore
  }
  finishPhase();
  pool(table, scratch);
  const head = word(place(table + layout.head) + 4);
  for (let item = nextItem(1); item >= 0; item = nextItem(1)) {
    quantizeChannels(
      place(table + layout.pooled),
      head,
      place(table + layout.pooledQuantized),
      place(table + layout.pooledScales),
      scratch,
    );
  }
  finishPhase();
  const quantized = place(table + layout.pooledQuantized),
    scales = place(table + layout.pooledScales);
  matmul(place(table + layout.classes), 1, quantized, scales, place(table + layout.logits), scratch);
  finishPhase();
  return map;
}

/** A row of `hidden` floats of the transformer and the map's features at that patch, quantized, as a row of `joined`. */
export function joinRow(table: usize, map: usize, patch: i32, row: usize, hidden: i32, scratch: usize): void {
  const channels = word(table + layout.channels);
  const bytes = (<usize>channels) << 2;
  const cells = place(table + layout.spread) + ((<usize>patch) << 5);
  const weights = cells + 16;
  const blocks = blocksOf(hidden + channels);
  const to = joined(table) + <usize>patch * (blocks << 6),
    scales = joinedScales(table) + <usize>patch * (blocks << 2);
  const spare = scratch,
    mixed = spare + 128;
  for (let i: usize = 0; i < bytes; i += 16) {
    let sum = f32x4.splat(0);
    for (let corner: usize = 0; corner < 16; corner += 4) {
      const from = map + <usize>load<i32>(cells + corner) * bytes + i;
      sum = f32x4.add(sum, f32x4.mul(v128.load32_splat(weights + corner), v128.load(from)));
    }
    v128.store(mixed + i, sum);
  }
  const first = blocksOf(hidden);
  quantizeChannels(row, hidden, to, scales, spare);
  quantizeChannels(mixed, channels, to + (first << 6), scales + (first << 2), spare);
  if (hasDigits()) splitBlocks(to, <i32>blocks);
}

/** The projector's input: quantized rows, and their scales. */
export function joined(table: usize): usize {
  return place(table + layout.joined);
}

export function joinedScales(table: usize): usize {
  return place(table + layout.joinedScales);
}
