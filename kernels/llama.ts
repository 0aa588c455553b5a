// AssemblyScript. Runs a decoder of Llama's kind on rows of embeddings: block-quantized weights as they lie in a package, activations in
// 16-bit integers with a scale per block of 32, sums in 32-bit integers within a block and in floats across blocks.
// Several threads run `forward` over one shared memory, in step. Knows no files and no tokens: llama-memory.ts lays the memory out.

/** The header's fields, in bytes from `header` on; llama-memory.ts has the same. */
const header: usize = 1024;
const JOB: usize = 0; // changes when there is a job
const QUIT: usize = 4;
const THREADS: usize = 8;
const ARRIVED: usize = 12; // threads at the barrier
const PHASE: usize = 16; // changes when all have arrived
const SLEEPING: usize = 20;
const NEXT: usize = 24; // the phase's next piece of work
const ROWS: usize = 28;
const START: usize = 32; // position of the first row
const KEEP: usize = 36; // last rows whose logits are wanted
const HIDDEN: usize = 40;
const FFN: usize = 44;
const HEADS: usize = 48;
const KV_HEADS: usize = 52;
const HEAD_SIZE: usize = 56;
const LAYERS: usize = 60;
const VOCAB: usize = 64;
const EPSILON: usize = 68; // f32
const STREAM: usize = 72; // f32 [rows, hidden]
const UPDATE: usize = 76; // f32 [rows, hidden]
const NARROW: usize = 80; // i16 [rows, the most columns]
const NARROW_SCALES: usize = 84; // f32 [rows, columns / 32]
const GATED: usize = 88; // i16 [rows, ffn]
const GATED_SCALES: usize = 92;
const QKV: usize = 96; // f32 [rows, (heads + 2 kvHeads) headSize]
const LOGITS: usize = 100; // f32 [keep, vocab]
const ROTARY: usize = 104; // f32 [rows, 2, headSize / 2]: cosines and sines
const KV_BLOCKS: usize = 108; // addresses of blocks of 64 positions, f32 [layers, 2, kvHeads, 64, headSize]
const LAYER_TABLE: usize = 112;
const FINAL_NORM: usize = 116;
const HEAD: usize = 120; // a matrix
const SCRATCH: usize = 124; // per thread
const SCRATCH_BYTES: usize = 128;

/** A matrix: bits, rows, columns, data, scales, zero points or 0, bias or 0. */
const MATRIX_BYTES: usize = 28;
/** A layer: two norms and five matrices. */
const LAYER_BYTES: usize = 8 + 5 * MATRIX_BYTES;
const blockRows: i32 = 64;
/** Rows of weights per piece of work. */
const pieceRows: i32 = 32;

function field(at: usize): i32 {
  return load<i32>(header + at);
}

function address(at: usize): usize {
  return load<usize>(header + at);
}

/** Waits until all threads are here; the next phase's work then begins at its first piece. */
function barrier(): void {
  const threads = field(THREADS);
  if (threads == 1) {
    store<i32>(header + NEXT, 0);
    return;
  }
  const phase = atomic.load<i32>(header + PHASE);
  if (atomic.add<i32>(header + ARRIVED, 1) == threads - 1) {
    atomic.store<i32>(header + ARRIVED, 0);
    atomic.store<i32>(header + NEXT, 0);
    atomic.add<i32>(header + PHASE, 1);
    if (atomic.load<i32>(header + SLEEPING) > 0) atomic.notify(header + PHASE, -1);
    return;
  }
  for (let i = 0; i < 20000; i++) if (atomic.load<i32>(header + PHASE) != phase) return;
  atomic.add<i32>(header + SLEEPING, 1);
  while (atomic.load<i32>(header + PHASE) == phase) atomic.wait<i32>(header + PHASE, phase, -1);
  atomic.sub<i32>(header + SLEEPING, 1);
}

function nextPiece(): i32 {
  return atomic.add<i32>(header + NEXT, 1);
}

function sumLanes(v: v128): f32 {
  return f32x4.extract_lane(v, 0) + f32x4.extract_lane(v, 1) + (f32x4.extract_lane(v, 2) + f32x4.extract_lane(v, 3));
}

/** 32 floats → 32 integers of 16 bits: the even ones first, then the odd ones, as low and high nibbles come; returns the scale. */
function narrowBlock(x: usize, to: usize): f32 {
  const a0 = v128.load(x),
    a1 = v128.load(x, 16),
    a2 = v128.load(x, 32),
    a3 = v128.load(x, 48);
  const a4 = v128.load(x, 64),
    a5 = v128.load(x, 80),
    a6 = v128.load(x, 96),
    a7 = v128.load(x, 112);
  let most = f32x4.max(
    f32x4.max(f32x4.max(f32x4.abs(a0), f32x4.abs(a1)), f32x4.max(f32x4.abs(a2), f32x4.abs(a3))),
    f32x4.max(f32x4.max(f32x4.abs(a4), f32x4.abs(a5)), f32x4.max(f32x4.abs(a6), f32x4.abs(a7))),
  );
  most = f32x4.max(most, v128.shuffle<i32>(most, most, 2, 3, 0, 1));
  const largest = max(f32x4.extract_lane(most, 0), f32x4.extract_lane(most, 1));
  const inverse = f32x4.splat(largest > 0 ? 32767 / largest : 0);
  const q0 = toInt(a0, inverse),
    q1 = toInt(a1, inverse),
    q2 = toInt(a2, inverse),
    q3 = toInt(a3, inverse);
  const q4 = toInt(a4, inverse),
    q5 = toInt(a5, inverse),
    q6 = toInt(a6, inverse),
    q7 = toInt(a7, inverse);
  v128.store(to, i16x8.narrow_i32x4_s(evens(q0, q1), evens(q2, q3)));
  v128.store(to, i16x8.narrow_i32x4_s(evens(q4, q5), evens(q6, q7)), 16);
  v128.store(to, i16x8.narrow_i32x4_s(odds(q0, q1), odds(q2, q3)), 32);
  v128.store(to, i16x8.narrow_i32x4_s(odds(q4, q5), odds(q6, q7)), 48);
  return largest / 32767;
}

function toInt(x: v128, inverse: v128): v128 {
  return i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.mul(x, inverse)));
}

function evens(a: v128, b: v128): v128 {
  return v128.shuffle<i32>(a, b, 0, 2, 4, 6);
}

function odds(a: v128, b: v128): v128 {
  return v128.shuffle<i32>(a, b, 1, 3, 5, 7);
}

/** Adds the update to the stream's row, normalises by its root mean square and narrows it. */
function addAndNorm(
  stream: usize,
  update: usize,
  norm: usize,
  hidden: i32,
  scratch: usize,
  to: usize,
  scales: usize,
): void {
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
  const factor = f32x4.splat(<f32>1 / sqrt<f32>(sumLanes(squares) / <f32>hidden + load<f32>(header + EPSILON)));
  for (let i: usize = 0; i < bytes; i += 16) {
    v128.store(scratch + i, f32x4.mul(f32x4.mul(v128.load(stream + i), factor), v128.load(norm + i)));
  }
  for (let b = 0; b < hidden >> 5; b++) {
    store<f32>(scales + ((<usize>b) << 2), narrowBlock(scratch + ((<usize>b) << 7), to + ((<usize>b) << 6)));
  }
}

/** The sum of 32 products of narrow weights and activations, four lanes. */
function dot32(w0: v128, w1: v128, w2: v128, w3: v128, x: usize): v128 {
  return i32x4.add(
    i32x4.add(i32x4.dot_i16x8_s(w0, v128.load(x)), i32x4.dot_i16x8_s(w1, v128.load(x, 16))),
    i32x4.add(i32x4.dot_i16x8_s(w2, v128.load(x, 32)), i32x4.dot_i16x8_s(w3, v128.load(x, 48))),
  );
}

function add4(sum: v128, packed: v128, zero: v128, scale: usize, x: usize, xScale: usize): v128 {
  const low = i8x16.sub(v128.and(packed, i8x16.splat(15)), zero);
  const high = i8x16.sub(v128.and(i16x8.shr_u(packed, 4), i8x16.splat(15)), zero);
  const products = dot32(
    i16x8.extend_low_i8x16_s(low),
    i16x8.extend_high_i8x16_s(low),
    i16x8.extend_low_i8x16_s(high),
    i16x8.extend_high_i8x16_s(high),
    x,
  );
  const scales = f32x4.mul(v128.load32_splat(scale), v128.load32_splat(xScale));
  return f32x4.add(sum, f32x4.mul(f32x4.convert_i32x4_s(products), scales));
}

/** One row of 4-bit weights times one row of activations; the same sum, bit for bit, as over unpacked weights. */
function row4(data: usize, scales: usize, zeros: usize, blocks: i32, x: usize, xScales: usize): f32 {
  let sum = f32x4.splat(0);
  const pairs = blocks >> 1;
  for (let p = 0; p < pairs; p++) {
    const zero: u32 = zeros ? load<u8>(zeros + p) : 0x88;
    sum = add4(sum, v128.load(data), i8x16.splat(<i8>(zero & 15)), scales, x, xScales);
    sum = add4(sum, v128.load(data, 16), i8x16.splat(<i8>(zero >> 4)), scales + 4, x + 64, xScales + 4);
    data += 32;
    scales += 8;
    x += 128;
    xScales += 8;
  }
  if (blocks & 1) {
    const zero: u32 = zeros ? load<u8>(zeros + pairs) : 8;
    sum = add4(sum, v128.load(data), i8x16.splat(<i8>(zero & 15)), scales, x, xScales);
  }
  return sumLanes(sum);
}

/** One row of weights as narrow integers, in the activations' order. */
function unpackRow(bits: i32, data: usize, zeros: usize, blocks: i32, to: usize): void {
  for (let b = 0; b < blocks; b++) {
    if (bits == 4) {
      const both: u32 = zeros ? load<u8>(zeros + (b >> 1)) : 0x88;
      const zero = i8x16.splat(<i8>(b & 1 ? both >> 4 : both & 15));
      const packed = v128.load(data);
      const low = i8x16.sub(v128.and(packed, i8x16.splat(15)), zero);
      const high = i8x16.sub(v128.and(i16x8.shr_u(packed, 4), i8x16.splat(15)), zero);
      v128.store(to, i16x8.extend_low_i8x16_s(low));
      v128.store(to, i16x8.extend_high_i8x16_s(low), 16);
      v128.store(to, i16x8.extend_low_i8x16_s(high), 32);
      v128.store(to, i16x8.extend_high_i8x16_s(high), 48);
      data += 16;
    } else {
      const zero = i16x8.splat(zeros ? <i16>load<u8>(zeros + b) : 128);
      const first = v128.load(data),
        second = v128.load(data, 16);
      v128.store(to, i16x8.sub(v128.and(first, i16x8.splat(255)), zero));
      v128.store(to, i16x8.sub(v128.and(second, i16x8.splat(255)), zero), 16);
      v128.store(to, i16x8.sub(i16x8.shr_u(first, 8), zero), 32);
      v128.store(to, i16x8.sub(i16x8.shr_u(second, 8), zero), 48);
      data += 32;
    }
    to += 64;
  }
}

/** Unpacked weights times one row of activations. */
function rowNarrow(w: usize, scales: usize, blocks: i32, x: usize, xScales: usize): f32 {
  let sum = f32x4.splat(0);
  for (let b = 0; b < blocks; b++) {
    const products = dot32(v128.load(w), v128.load(w, 16), v128.load(w, 32), v128.load(w, 48), x);
    const both = f32x4.mul(v128.load32_splat(scales), v128.load32_splat(xScales));
    sum = f32x4.add(sum, f32x4.mul(f32x4.convert_i32x4_s(products), both));
    w += 64;
    x += 64;
    scales += 4;
    xScales += 4;
  }
  return sumLanes(sum);
}

/** Unpacked weights times four rows of activations that lie `xBytes` and `xScaleBytes` apart; sums go `outBytes` apart. */
function fourRows(
  w: usize,
  scales: usize,
  blocks: i32,
  x: usize,
  xBytes: usize,
  xScales: usize,
  xScaleBytes: usize,
  out: usize,
  outBytes: usize,
  bias: f32,
): void {
  let s0 = f32x4.splat(0),
    s1 = f32x4.splat(0),
    s2 = f32x4.splat(0),
    s3 = f32x4.splat(0);
  const x1 = xBytes,
    x2 = 2 * xBytes,
    x3 = 3 * xBytes;
  const y1 = xScaleBytes,
    y2 = 2 * xScaleBytes,
    y3 = 3 * xScaleBytes;
  for (let b = 0; b < blocks; b++) {
    const w0 = v128.load(w),
      w1 = v128.load(w, 16),
      w2 = v128.load(w, 32),
      w3 = v128.load(w, 48);
    const scale = v128.load32_splat(scales);
    s0 = f32x4.add(
      s0,
      f32x4.mul(f32x4.convert_i32x4_s(dot32(w0, w1, w2, w3, x)), f32x4.mul(scale, v128.load32_splat(xScales))),
    );
    s1 = f32x4.add(
      s1,
      f32x4.mul(
        f32x4.convert_i32x4_s(dot32(w0, w1, w2, w3, x + x1)),
        f32x4.mul(scale, v128.load32_splat(xScales + y1)),
      ),
    );
    s2 = f32x4.add(
      s2,
      f32x4.mul(
        f32x4.convert_i32x4_s(dot32(w0, w1, w2, w3, x + x2)),
        f32x4.mul(scale, v128.load32_splat(xScales + y2)),
      ),
    );
    s3 = f32x4.add(
      s3,
      f32x4.mul(
        f32x4.convert_i32x4_s(dot32(w0, w1, w2, w3, x + x3)),
        f32x4.mul(scale, v128.load32_splat(xScales + y3)),
      ),
    );
    w += 64;
    x += 64;
    scales += 4;
    xScales += 4;
  }
  store<f32>(out, sumLanes(s0) + bias);
  store<f32>(out + outBytes, sumLanes(s1) + bias);
  store<f32>(out + 2 * outBytes, sumLanes(s2) + bias);
  store<f32>(out + 3 * outBytes, sumLanes(s3) + bias);
}

/** Rows [from, to) of a matrix times all rows of activations: out[row of activations · stride + row of weights]. */
function multiply(
  matrix: usize,
  from: i32,
  to: i32,
  rows: i32,
  x: usize,
  xScales: usize,
  out: usize,
  stride: i32,
  scratch: usize,
): void {
  const bits = load<i32>(matrix);
  const blocks = load<i32>(matrix, 8) >> 5;
  const xBytes = (<usize>blocks) << 6;
  const xScaleBytes = (<usize>blocks) << 2;
  const rowBytes = (<usize>(blocks * bits)) << 2;
  const zeroBytes = <usize>(bits == 4 ? (blocks + 1) >> 1 : blocks);
  const allZeros = load<usize>(matrix, 20);
  const bias = load<usize>(matrix, 24);
  const outBytes = (<usize>stride) << 2;
  for (let n = from; n < to; n++) {
    const data = load<usize>(matrix, 12) + <usize>n * rowBytes;
    const scales = load<usize>(matrix, 16) + <usize>n * xScaleBytes;
    const zeros = allZeros ? allZeros + <usize>n * zeroBytes : 0;
    const added = bias ? load<f32>(bias + ((<usize>n) << 2)) : <f32>0;
    const cell = out + ((<usize>n) << 2);
    if (rows == 1 && bits == 4) {
      store<f32>(cell, row4(data, scales, zeros, blocks, x, xScales) + added);
      continue;
    }
    unpackRow(bits, data, zeros, blocks, scratch);
    let m = 0;
    for (; m + 4 <= rows; m += 4) {
      fourRows(
        scratch,
        scales,
        blocks,
        x + <usize>m * xBytes,
        xBytes,
        xScales + <usize>m * xScaleBytes,
        xScaleBytes,
        cell + <usize>m * outBytes,
        outBytes,
        added,
      );
    }
    for (; m < rows; m++) {
      store<f32>(
        cell + <usize>m * outBytes,
        rowNarrow(scratch, scales, blocks, x + <usize>m * xBytes, xScales + <usize>m * xScaleBytes) + added,
      );
    }
  }
}

/** A whole matrix, in pieces shared out among the threads. */
function product(matrix: usize, rows: i32, x: usize, xScales: usize, out: usize, scratch: usize): void {
  const outputs = load<i32>(matrix, 4);
  for (;;) {
    const from = nextPiece() * pieceRows;
    if (from >= outputs) return;
    multiply(matrix, from, min(from + pieceRows, outputs), rows, x, xScales, out, outputs, scratch);
  }
}

/** e^x within two units in the last place, for x ≤ 0 (Cephes' polynomial). */
function exponential(value: v128): v128 {
  const x = f32x4.max(value, f32x4.splat(-87));
  const n = f32x4.nearest(f32x4.mul(x, f32x4.splat(1.44269504088896341)));
  let r = f32x4.sub(x, f32x4.mul(n, f32x4.splat(0.693359375)));
  r = f32x4.sub(r, f32x4.mul(n, f32x4.splat(-2.1219444e-4)));
  let p = f32x4.splat(1.98756915e-4);
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(1.3981999507e-3));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(8.3334519073e-3));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(4.1665795894e-2));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(1.6666665459e-1));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(5.0000001201e-1));
  p = f32x4.add(f32x4.add(f32x4.mul(f32x4.mul(r, r), p), r), f32x4.splat(1));
  const power = i32x4.shl(i32x4.add(i32x4.trunc_sat_f32x4_s(n), i32x4.splat(127)), 23);
  return f32x4.mul(p, power);
}

/** x · sigmoid(x). */
function silu(x: v128): v128 {
  // e^−|x| never overflows: sigmoid(x) is 1 / (1 + e^−|x|) for x ≥ 0, and e^−|x| / (1 + e^−|x|) below.
  const small = exponential(f32x4.neg(f32x4.abs(x)));
  const top = v128.bitselect(f32x4.splat(1), small, f32x4.ge(x, f32x4.splat(0)));
  return f32x4.mul(x, f32x4.div(top, f32x4.add(f32x4.splat(1), small)));
}

/** The gated half of the MLP: silu(gate) · up, narrowed. A piece is 32 rows of both matrices, which make one block of the next one's input. */
function gatedProduct(gate: usize, up: usize, first: i32, rows: i32, ffn: i32, scratch: usize): void {
  const hidden = field(HIDDEN);
  const x = address(NARROW) + <usize>first * ((<usize>hidden) << 1);
  const xScales = address(NARROW_SCALES) + <usize>first * ((<usize>(hidden >> 5)) << 2);
  const gates = scratch + <usize>max(hidden, ffn) * 4;
  const count = rows - first;
  const ups = gates + ((<usize>count) << 7);
  for (;;) {
    const piece = nextPiece();
    if (piece >= ffn >> 5) return;
    const from = piece << 5;
    // Cells are told from the matrix's first row on.
    multiply(gate, from, from + 32, count, x, xScales, gates - ((<usize>from) << 2), 32, scratch);
    multiply(up, from, from + 32, count, x, xScales, ups - ((<usize>from) << 2), 32, scratch);
    for (let m = 0; m < count; m++) {
      const a = gates + ((<usize>m) << 7),
        b = ups + ((<usize>m) << 7);
      for (let i: usize = 0; i < 128; i += 16) v128.store(a + i, f32x4.mul(silu(v128.load(a + i)), v128.load(b + i)));
      const row = <usize>(first + m);
      const scale = narrowBlock(a, address(GATED) + row * ((<usize>ffn) << 1) + ((<usize>from) << 1));
      store<f32>(address(GATED_SCALES) + (row * <usize>(ffn >> 5) + <usize>piece) * 4, scale);
    }
  }
}

/** Turns the row's queries and keys to their position, and keeps its keys and values. */
function rotateAndKeep(row: i32, layer: i32): void {
  const heads = field(HEADS),
    kvHeads = field(KV_HEADS),
    size = field(HEAD_SIZE);
  const half = (<usize>(size >> 1)) << 2;
  const cosines = address(ROTARY) + <usize>row * 2 * half;
  const sines = cosines + half;
  const qkv = address(QKV) + <usize>(row * (heads + 2 * kvHeads) * size) * 4;
  for (let head = 0; head < heads + kvHeads; head++) {
    const x = qkv + <usize>(head * size) * 4;
    for (let i: usize = 0; i < half; i += 16) {
      const a = v128.load(x + i),
        b = v128.load(x + half + i);
      const c = v128.load(cosines + i),
        s = v128.load(sines + i);
      v128.store(x + i, f32x4.sub(f32x4.mul(a, c), f32x4.mul(b, s)));
      v128.store(x + half + i, f32x4.add(f32x4.mul(b, c), f32x4.mul(a, s)));
    }
  }
  const position = field(START) + row;
  const bytes = (<usize>size) << 2;
  for (let head = 0; head < kvHeads; head++) {
    const keys = kvRows(position / blockRows, layer, 0, head, kvHeads, size);
    const values = kvRows(position / blockRows, layer, 1, head, kvHeads, size);
    const at = <usize>(position % blockRows) * bytes;
    memory.copy(keys + at, qkv + <usize>(heads + head) * bytes, bytes);
    memory.copy(values + at, qkv + <usize>(heads + kvHeads + head) * bytes, bytes);
  }
}

/** Where a head's keys (0) or values (1) of 64 positions lie. */
function kvRows(block: i32, layer: i32, kind: i32, head: i32, kvHeads: i32, size: i32): usize {
  const blocks = address(KV_BLOCKS);
  return (
    load<usize>(blocks + ((<usize>block) << 2)) + <usize>(((layer * 2 + kind) * kvHeads + head) * blockRows * size) * 4
  );
}

/** One row's queries of one group of heads over all positions up to its own, by blocks with a running softmax (FlashAttention's); narrowed. */
function attend(row: i32, layer: i32, kvHead: i32, scratch: usize): void {
  const heads = field(HEADS),
    kvHeads = field(KV_HEADS),
    size = field(HEAD_SIZE);
  const group = heads / kvHeads;
  const bytes = (<usize>size) << 2;
  const total = field(START) + row + 1;
  const queries = address(QKV) + <usize>(row * (heads + 2 * kvHeads) * size) * 4 + <usize>(kvHead * group) * bytes;
  const factor = <f32>1 / sqrt<f32>(<f32>size);
  const scores = scratch; // f32 [64]
  const state = scratch + 256; // per head: the largest score, the sum, f32 [headSize]
  const stateBytes = bytes + 16;
  for (let h = 0; h < group; h++) {
    const own = state + <usize>h * stateBytes;
    store<f32>(own, -Infinity);
    store<f32>(own, 0, 4);
    memory.fill(own + 16, 0, bytes);
  }
  for (let block = 0; block * blockRows < total; block++) {
    const keys = kvRows(block, layer, 0, kvHead, kvHeads, size);
    const values = kvRows(block, layer, 1, kvHead, kvHeads, size);
    const count = min(blockRows, total - block * blockRows);
    for (let h = 0; h < group; h++) {
      const own = state + <usize>h * stateBytes;
      const q = queries + <usize>h * bytes;
      let most: f32 = -Infinity;
      for (let j = 0; j < count; j++) {
        const key = keys + <usize>j * bytes;
        let sum = f32x4.splat(0);
        for (let i: usize = 0; i < bytes; i += 16)
          sum = f32x4.add(sum, f32x4.mul(v128.load(q + i), v128.load(key + i)));
        const score = sumLanes(sum) * factor;
        store<f32>(scores + ((<usize>j) << 2), score);
        most = max(most, score);
      }
      for (let j = count; (j & 3) != 0; j++) store<f32>(scores + ((<usize>j) << 2), -Infinity);
      const before = load<f32>(own);
      const largest = max(before, most);
      const shrink = before == largest ? <f32>1 : f32x4.extract_lane(exponential(f32x4.splat(before - largest)), 0);
      let sum = f32x4.splat(0);
      for (let j = 0; j < count; j += 4) {
        const at = scores + ((<usize>j) << 2);
        const score = v128.load(at);
        const weight = v128.and(
          exponential(f32x4.sub(score, f32x4.splat(largest))),
          f32x4.gt(score, f32x4.splat(-Infinity)),
        );
        v128.store(at, weight);
        sum = f32x4.add(sum, weight);
      }
      store<f32>(own, largest);
      store<f32>(own, load<f32>(own, 4) * shrink + sumLanes(sum), 4);
      const out = own + 16;
      for (let i: usize = 0; i < bytes; i += 32) {
        let a = f32x4.mul(v128.load(out + i), f32x4.splat(shrink));
        let b = f32x4.mul(v128.load(out + i, 16), f32x4.splat(shrink));
        let value = values + i;
        for (let j = 0; j < count; j++) {
          const weight = v128.load32_splat(scores + ((<usize>j) << 2));
          a = f32x4.add(a, f32x4.mul(weight, v128.load(value)));
          b = f32x4.add(b, f32x4.mul(weight, v128.load(value, 16)));
          value += bytes;
        }
        v128.store(out + i, a);
        v128.store(out + i, b, 16);
      }
    }
  }
  for (let h = 0; h < group; h++) {
    const own = state + <usize>h * stateBytes;
    const out = own + 16;
    const inverse = f32x4.splat(<f32>1 / load<f32>(own, 4));
    for (let i: usize = 0; i < bytes; i += 16) v128.store(out + i, f32x4.mul(v128.load(out + i), inverse));
    const column = <usize>((kvHead * group + h) * size);
    const width = <usize>(heads * size);
    for (let b: usize = 0; b < <usize>size; b += 32) {
      const scale = narrowBlock(out + b * 4, address(NARROW) + (<usize>row * width + column + b) * 2);
      store<f32>(address(NARROW_SCALES) + ((<usize>row * width + column + b) >> 5) * 4, scale);
    }
  }
}

/** One thread's share of a run over all layers; returns when all are done. */
export function forward(thread: i32): void {
  const rows = field(ROWS),
    hidden = field(HIDDEN),
    ffn = field(FFN),
    layers = field(LAYERS);
  const threads = field(THREADS),
    heads = field(HEADS),
    kvHeads = field(KV_HEADS),
    size = field(HEAD_SIZE);
  const scratch = address(SCRATCH) + <usize>thread * address(SCRATCH_BYTES);
  const stream = address(STREAM),
    update = address(UPDATE),
    narrow = address(NARROW),
    narrowScales = address(NARROW_SCALES);
  const hiddenBytes = (<usize>hidden) << 2;
  const attended = heads * size;
  let first = 0; // the last layer's rows whose logits nobody wants end after its attention
  for (let layer = 0; layer < layers; layer++) {
    const table = address(LAYER_TABLE) + <usize>layer * LAYER_BYTES;
    const qkv = table + 8,
      out = qkv + MATRIX_BYTES,
      gate = out + MATRIX_BYTES,
      up = gate + MATRIX_BYTES,
      down = up + MATRIX_BYTES;
    for (let m = thread; m < rows; m += threads) {
      const at = <usize>m * hiddenBytes;
      addAndNorm(
        stream + at,
        layer == 0 ? 0 : update + at,
        load<usize>(table),
        hidden,
        scratch,
        narrow + (at >> 1),
        narrowScales + (at >> 5),
      );
    }
    barrier();
    product(qkv, rows, narrow, narrowScales, address(QKV), scratch);
    barrier();
    for (let m = thread; m < rows; m += threads) rotateAndKeep(m, layer);
    if (layer == layers - 1) first = rows - field(KEEP);
    barrier();
    for (;;) {
      const piece = nextPiece();
      if (piece >= (rows - first) * kvHeads) break;
      attend(first + piece / kvHeads, layer, piece % kvHeads, scratch);
    }
    barrier();
    product(
      out,
      rows - first,
      narrow + <usize>(first * attended) * 2,
      narrowScales + <usize>(first * (attended >> 5)) * 4,
      update + <usize>first * hiddenBytes,
      scratch,
    );
    barrier();
    for (let m = first + thread; m < rows; m += threads) {
      const at = <usize>m * hiddenBytes;
      addAndNorm(
        stream + at,
        update + at,
        load<usize>(table, 4),
        hidden,
        scratch,
        narrow + (at >> 1),
        narrowScales + (at >> 5),
      );
    }
    barrier();
    gatedProduct(gate, up, first, rows, ffn, scratch);
    barrier();
    product(
      down,
      rows - first,
      address(GATED) + <usize>(first * ffn) * 2,
      address(GATED_SCALES) + <usize>(first * (ffn >> 5)) * 4,
      update + <usize>first * hiddenBytes,
      scratch,
    );
    barrier();
  }
  for (let m = first + thread; m < rows; m += threads) {
    const at = <usize>m * hiddenBytes;
    addAndNorm(
      stream + at,
      update + at,
      address(FINAL_NORM),
      hidden,
      scratch,
      narrow + (at >> 1),
      narrowScales + (at >> 5),
    );
  }
  barrier();
  const skipped = <usize>first * hiddenBytes;
  product(
    address(HEAD),
    rows - first,
    narrow + (skipped >> 1),
    narrowScales + (skipped >> 5),
    address(LOGITS),
    scratch,
  );
  barrier();
}

/** Starts a job for all threads and does the first one's share. */
export function run(): void {
  if (field(THREADS) > 1) {
    atomic.add<i32>(header + JOB, 1);
    atomic.notify(header + JOB, -1);
  }
  forward(0);
}

/** A helping thread's life: jobs, until it is told to quit. */
export function help(thread: i32): void {
  let done = 0;
  for (;;) {
    let job = atomic.load<i32>(header + JOB);
    for (let i = 0; job == done && i < 2000; i++) job = atomic.load<i32>(header + JOB);
    while (job == done) {
      atomic.wait<i32>(header + JOB, done, -1);
      job = atomic.load<i32>(header + JOB);
    }
    done = job;
    if (atomic.load<i32>(header + QUIT)) return;
    forward(thread);
  }
}
