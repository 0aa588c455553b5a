// AssemblyScript. Runs the layers of a decoder of Llama's kind on rows of embeddings. All threads run `forward` over one shared memory, phase by
// phase. Knows no files and no tokens; src/engine/kernel/llama.ts lays out the memory.
import * as layout from "../src/engine/kernel/layout/llama-header";
import * as layerLayout from "../src/engine/kernel/layout/llama-layer";
import { attendedRows, kvBlockRows, stateHeadBytes } from "../src/engine/kernel/layout/sizes";
import { header, threads as threadsField } from "../src/engine/kernel/layout/team";
import { attendBlock, emptyState } from "./attention";
import { activate } from "./functions";
import { adaptedMatmul, addUp, lowProducts } from "./lora";
import { matmulRows, quantizeBlock, matmul, sumLanes, unpackedBytes } from "./matrix";
import { address, finishPhase, field, nextJob, nextItem, startJob } from "./team";

/** What a row is multiplied with to have an RMS of 1. */
function rmsFactor(squares: v128, columns: i32): f32 {
  return <f32>1 / sqrt<f32>(sumLanes(squares) / <f32>columns + load<f32>(header + layout.epsilon));
}

/** Brings a row to an RMS of 1 and multiplies it with a norm's weights. */
function normalise(row: usize, norm: usize, columns: i32): void {
  const bytes = (<usize>columns) << 2;
  let squares = f32x4.splat(0);
  for (let i: usize = 0; i < bytes; i += 16) {
    const x = v128.load(row + i);
    squares = f32x4.add(squares, f32x4.mul(x, x));
  }
  const factor = f32x4.splat(rmsFactor(squares, columns));
  for (let i: usize = 0; i < bytes; i += 16)
    v128.store(row + i, f32x4.mul(f32x4.mul(v128.load(row + i), factor), v128.load(norm + i)));
}

/**
 * Adds `update` (none if 0), normalized by `updateNorm` unless that is 0, to a row of the residual stream, and writes the sum's RMS norm, quantized, to
 * `to` and `scales`.
 */
function addAndNorm(
  stream: usize,
  update: usize,
  updateNorm: usize,
  norm: usize,
  hidden: i32,
  scratch: usize,
  to: usize,
  scales: usize,
): void {
  if (update != 0 && updateNorm != 0) normalise(update, updateNorm, hidden);
  let squares = f32x4.splat(0);
  const bytes = (<usize>hidden) << 2;
  for (let i: usize = 0; i < bytes; i += 16) {
    let x = v128.load(stream + i);
    if (update) {
      x = f32x4.add(x, v128.load(update + i));
      v128.store(stream + i, x);
    }
    squares = f32x4.add(squares, f32x4.mul(x, x));
  }
  const factor = f32x4.splat(rmsFactor(squares, hidden));
  for (let i: usize = 0; i < bytes; i += 16) {
    v128.store(scratch + i, f32x4.mul(f32x4.mul(v128.load(stream + i), factor), v128.load(norm + i)));
  }
  for (let b = 0; b < hidden >> 5; b++) {
    store<f32>(scales + ((<usize>b) << 2), quantizeBlock(scratch + ((<usize>b) << 7), to + ((<usize>b) << 6)));
  }
}

/**
 * The gated half of the MLP: activation(gate) · up, quantized. A work item is 32 rows of both matrices, which make one block of the next matrix's
 * input.
 */
function gatedMatmul(table: usize, first: i32, rows: i32, ffn: i32, scratch: usize): void {
  const gate = table + layerLayout.gate,
    up = table + layerLayout.up;
  const hidden = field(layout.hidden);
  const activation = field(layout.activation);
  const x = address(layout.quantized) + <usize>first * ((<usize>hidden) << 1);
  const xScales = address(layout.quantizedScales) + <usize>first * ((<usize>(hidden >> 5)) << 2);
  const gates = scratch + unpackedBytes(max(hidden, ffn));
  const count = rows - first;
  const ups = gates + ((<usize>count) << 7);
  for (let item = nextItem(ffn >> 5); item >= 0; item = nextItem(ffn >> 5)) {
    const from = item << 5;
    // matmulRows counts its results from the matrix's first row on.
    matmulRows(gate, from, from + 32, count, x, xScales, gates - ((<usize>from) << 2), 32, scratch);
    matmulRows(up, from, from + 32, count, x, xScales, ups - ((<usize>from) << 2), 32, scratch);
    addUp(load<usize>(table, layerLayout.gateLora), from, from + 32, count, gates - ((<usize>from) << 2), 32);
    addUp(load<usize>(table, layerLayout.upLora), from, from + 32, count, ups - ((<usize>from) << 2), 32);
    for (let m = 0; m < count; m++) {
      const a = gates + ((<usize>m) << 7),
        b = ups + ((<usize>m) << 7);
      for (let i: usize = 0; i < 128; i += 16)
        v128.store(a + i, f32x4.mul(activate(v128.load(a + i), activation), v128.load(b + i)));
      const row = <usize>(first + m);
      const scale = quantizeBlock(a, address(layout.gated) + row * ((<usize>ffn) << 1) + ((<usize>from) << 1));
      store<f32>(address(layout.gatedScales) + (row * <usize>(ffn >> 5) + <usize>item) * 4, scale);
    }
  }
}

/** Normalizes each head's queries and keys where the layer does, rotates them, and appends the row's keys and values to the cache. */
function rotateAndKeep(row: i32, layer: i32, table: usize): void {
  const heads = field(layout.heads),
    kvHeads = field(layout.kvHeads),
    size = field(layout.headSize);
  const half = (<usize>(size >> 1)) << 2;
  const cosines = address(layout.rotary) + <usize>row * 2 * half;
  const sines = cosines + half;
  const qkv = address(layout.qkv) + <usize>(row * (heads + 2 * kvHeads) * size) * 4;
  for (let head = 0; head < heads + kvHeads; head++) {
    const x = qkv + <usize>(head * size) * 4;
    const norm = head < heads ? load<usize>(table, layerLayout.queryNorm) : load<usize>(table, layerLayout.keyNorm);
    if (norm) normalise(x, norm, size);
    for (let i: usize = 0; i < half; i += 16) {
      const a = v128.load(x + i),
        b = v128.load(x + half + i);
      const c = v128.load(cosines + i),
        s = v128.load(sines + i);
      v128.store(x + i, f32x4.sub(f32x4.mul(a, c), f32x4.mul(b, s)));
      v128.store(x + half + i, f32x4.add(f32x4.mul(b, c), f32x4.mul(a, s)));
    }
  }
  const position = field(layout.start) + row;
  const bytes = (<usize>size) << 2;
  for (let head = 0; head < kvHeads; head++) {
    const keys = kvRows(position / kvBlockRows, layer, 0, head, kvHeads, size);
    const values = kvRows(position / kvBlockRows, layer, 1, head, kvHeads, size);
    const at = <usize>(position % kvBlockRows) * bytes;
    memory.copy(keys + at, qkv + <usize>(heads + head) * bytes, bytes);
    memory.copy(values + at, qkv + <usize>(heads + kvHeads + head) * bytes, bytes);
  }
}

/** Address of a head's keys (`kind` 0) or values (1) in a block of 64 positions. */
function kvRows(block: i32, layer: i32, kind: i32, head: i32, kvHeads: i32, size: i32): usize {
  const blocks = address(layout.kvBlocks);
  return (
    load<usize>(blocks + ((<usize>block) << 2)) +
    <usize>(((layer * 2 + kind) * kvHeads + head) * kvBlockRows * size) * 4
  );
}

/**
 * Attention of the rows [row, end): one key head and its group of query heads, over all positions up to each row's own, or the last of them that a
 * `window` lets it see (0: all), block by block. Writes the results quantized.
 */
function attend(row: i32, end: i32, layer: i32, window: i32, kvHead: i32, scratch: usize): void {
  const heads = field(layout.heads),
    kvHeads = field(layout.kvHeads),
    size = field(layout.headSize);
  const group = heads / kvHeads;
  const bytes = (<usize>size) << 2;
  const stateBytes = stateHeadBytes + bytes;
  const first = field(layout.start) + row + 1; // positions that the first row sees
  const rowBytes = <usize>((heads + 2 * kvHeads) * size) * 4;
  const queries = address(layout.qkv) + <usize>row * rowBytes + <usize>(kvHead * group) * bytes;
  const factor = load<f32>(header + layout.attentionScale);
  const cap = load<f32>(header + layout.attentionCap);
  const scores = scratch;
  const states = scratch + ((<usize>kvBlockRows) << 2);
  for (let i: usize = 0; i < <usize>((end - row) * group); i++) emptyState(states + i * stateBytes, bytes);
  const nearest = window > 0 ? max(0, first - window) / kvBlockRows : 0;
  for (let start = nearest * kvBlockRows; start < first + (end - row) - 1; start += kvBlockRows) {
    const keys = kvRows(start / kvBlockRows, layer, 0, kvHead, kvHeads, size);
    const values = kvRows(start / kvBlockRows, layer, 1, kvHead, kvHeads, size);
    for (let m = max(0, start + 1 - first); m < end - row; m++) {
      const query = queries + <usize>m * rowBytes;
      const count = min(kvBlockRows, first + m - start);
      const unseen = window > 0 ? max(0, first + m - window - start) : 0;
      if (unseen >= count) continue;
      // Rows are read by fours, and none beyond the block.
      const from = unseen & ~3;
      const at = <usize>from * bytes;
      for (let h = 0; h < group; h++) {
        const state = states + <usize>(m * group + h) * stateBytes;
        const asked = query + <usize>h * bytes;
        attendBlock(asked, keys + at, values + at, count - from, unseen - from, bytes, factor, cap, scores, state);
      }
    }
  }
  const width = <usize>(heads * size);
  for (let m = 0; m < end - row; m++) {
    for (let h = 0; h < group; h++) {
      const state = states + <usize>(m * group + h) * stateBytes;
      const out = state + stateHeadBytes;
      const inverse = f32x4.splat(<f32>1 / load<f32>(state, 4));
      for (let i: usize = 0; i < bytes; i += 16) v128.store(out + i, f32x4.mul(v128.load(out + i), inverse));
      const at = <usize>(row + m) * width + <usize>((kvHead * group + h) * size);
      for (let b: usize = 0; b < <usize>size; b += 32) {
        const scale = quantizeBlock(out + (b << 2), address(layout.quantized) + ((at + b) << 1));
        store<f32>(address(layout.quantizedScales) + (((at + b) >> 5) << 2), scale);
      }
    }
  }
}

/**
 * One thread's share of a run over all layers; returns when all threads are done. Longer than functions are elsewhere: it is the list of a layer's phases,
 * which every thread has to go through in the same order.
 */
function forward(thread: i32): void {
  const rows = field(layout.rows),
    hidden = field(layout.hidden),
    ffn = field(layout.ffn),
    layers = field(layout.layers);
  const threads = field(threadsField),
    heads = field(layout.heads),
    kvHeads = field(layout.kvHeads),
    size = field(layout.headSize);
  const scratch = address(layout.scratch) + <usize>thread * address(layout.scratchBytes);
  const stream = address(layout.stream),
    update = address(layout.update),
    quantized = address(layout.quantized),
    quantizedScales = address(layout.quantizedScales);
  const hiddenBytes = (<usize>hidden) << 2;
  const attended = heads * size;
  const hasRoom = field(layout.loraRoom) != 0;
  let first = 0; // in the last layer, rows without logits are dropped once their keys and values are stored
  for (let layer = 0; layer < layers; layer++) {
    const table = address(layout.layerTable) + <usize>layer * layerLayout.bytes;
    const qkvLora = load<usize>(table, layerLayout.qkvLora),
      outLora = load<usize>(table, layerLayout.outLora),
      downLora = load<usize>(table, layerLayout.downLora);
    for (let m = nextItem(rows); m >= 0; m = nextItem(rows)) {
      const at = <usize>m * hiddenBytes;
      addAndNorm(
        stream + at,
        layer == 0 ? 0 : update + at,
        layer == 0 ? 0 : load<usize>(table - layerLayout.bytes, layerLayout.mlpPostNorm),
        load<usize>(table, layerLayout.attentionNorm),
        hidden,
        scratch,
        quantized + (at >> 1),
        quantizedScales + (at >> 5),
      );
    }
    finishPhase();
    if (hasRoom) {
      lowProducts(qkvLora, 0, rows, quantized, quantizedScales, scratch);
      finishPhase();
    }
    adaptedMatmul(table + layerLayout.qkv, qkvLora, rows, quantized, quantizedScales, address(layout.qkv), scratch);
    finishPhase();
    for (let m = nextItem(rows); m >= 0; m = nextItem(rows)) rotateAndKeep(m, layer, table);
    if (layer == layers - 1) first = rows - field(layout.keep);
    finishPhase();
    const window = load<i32>(table, layerLayout.window);
    // Several rows share the loads of keys and values, but not so many that a thread gets no work.
    const together = max(1, min(attendedRows, ((rows - first) * kvHeads) / (2 * threads)));
    const count = ((rows - first + together - 1) / together) * kvHeads;
    for (let item = nextItem(count); item >= 0; item = nextItem(count)) {
      const row = first + (item / kvHeads) * together;
      attend(row, min(row + together, rows), layer, window, item % kvHeads, scratch);
    }
    finishPhase();
    const attendedAt = quantized + <usize>(first * attended) * 2,
      attendedScales = quantizedScales + <usize>(first * (attended >> 5)) * 4,
      added = update + <usize>first * hiddenBytes;
    if (hasRoom) {
      lowProducts(outLora, 0, rows - first, attendedAt, attendedScales, scratch);
      finishPhase();
    }
    adaptedMatmul(table + layerLayout.out, outLora, rows - first, attendedAt, attendedScales, added, scratch);
    finishPhase();
    for (let item = nextItem(rows - first); item >= 0; item = nextItem(rows - first)) {
      const at = <usize>(first + item) * hiddenBytes;
      addAndNorm(
        stream + at,
        update + at,
        load<usize>(table, layerLayout.attentionPostNorm),
        load<usize>(table, layerLayout.mlpNorm),
        hidden,
        scratch,
        quantized + (at >> 1),
        quantizedScales + (at >> 5),
      );
    }
    finishPhase();
    if (hasRoom) {
      lowProducts(
        load<usize>(table, layerLayout.gateLora),
        load<usize>(table, layerLayout.upLora),
        rows - first,
        quantized + <usize>first * (hiddenBytes >> 1),
        quantizedScales + <usize>first * (hiddenBytes >> 5),
        scratch,
      );
      finishPhase();
    }
    gatedMatmul(table, first, rows, ffn, scratch);
    finishPhase();
    const gatedAt = address(layout.gated) + <usize>(first * ffn) * 2,
      gatedScales = address(layout.gatedScales) + <usize>(first * (ffn >> 5)) * 4;
    if (hasRoom) {
      lowProducts(downLora, 0, rows - first, gatedAt, gatedScales, scratch);
      finishPhase();
    }
    adaptedMatmul(table + layerLayout.down, downLora, rows - first, gatedAt, gatedScales, added, scratch);
    finishPhase();
  }
  for (let item = nextItem(rows - first); item >= 0; item = nextItem(rows - first)) {
    const at = <usize>(first + item) * hiddenBytes;
    addAndNorm(
      stream + at,
      update + at,
      load<usize>(address(layout.layerTable) + <usize>(layers - 1) * layerLayout.bytes, layerLayout.mlpPostNorm),
      address(layout.finalNorm),
      hidden,
      scratch,
      quantized + (at >> 1),
      quantizedScales + (at >> 5),
    );
  }
  finishPhase();
  const skipped = <usize>first * hiddenBytes;
  matmul(
    address(layout.head),
    rows - first,
    quantized + (skipped >> 1),
    quantizedScales + (skipped >> 5),
    address(layout.logits),
    scratch,
  );
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
