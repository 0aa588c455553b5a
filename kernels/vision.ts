// AssemblyScript. Runs a vision transformer (CLIP's or SigLIP's blocks) and LLaVA's projector on one picture. Several threads run `forward` over one
// shared memory, phase by phase. Knows no files: src/engine/kernel/vision.ts lays the memory out.
import { classify, joined, joinedScales, joinRow } from "./classifier";
import { activate, exponential, gelu } from "./functions";
import { MATRIX_BYTES, multiply, narrowBlock, pieceRows, product, sumLanes, unpackedBytes } from "./matrix";
import { address, endPhase, field, header, nextJob, nextPiece, startJob } from "./team";

// The header's fields after the team's.
const ROWS: usize = 28; // the class row's, if there is one, and the patches'
const HIDDEN: usize = 32;
const FFN: usize = 36;
const HEADS: usize = 40;
const HEAD_SIZE: usize = 44; // a multiple of 8
const BLOCKS: usize = 48;
const EPSILON: usize = 52; // f32
const ACTIVATION: usize = 56;
const CHANNELS: usize = 60;
const PATCH: usize = 64;
const IMAGE: usize = 68; // pixels on a side
const DROPPED: usize = 72; // first rows that the projector does not get
const PROJECTIONS: usize = 76;
const PIXELS: usize = 80; // f32 [channels, image, image]
const PATCHES: usize = 84; // f32 [rows, channels · patch²], whole fours of rows
const KERNEL: usize = 88; // f32 panels [hidden / 8, channels · patch², 8]
const CLASS_ROW: usize = 92; // f32 [hidden], or 0
const POSITIONS: usize = 96; // f32 [rows, hidden]
const PRE_NORM: usize = 100; // a norm, or 0
const STREAM: usize = 104; // f32 [rows, hidden], whole fours of rows
const UPDATE: usize = 108; // f32 [rows, hidden]
const NARROW: usize = 112; // i16 [rows, hidden]
const NARROW_SCALES: usize = 116; // f32 [rows, hidden / 32]
const WIDE: usize = 120; // i16 [rows, the most of ffn and projected]
const WIDE_SCALES: usize = 124;
const QKV: usize = 128; // f32 [rows, 3, hidden], whole fours of rows
const KEYS: usize = 132; // f32 panels [heads, rows / 8, headSize, 8]
const VALUES: usize = 136; // f32 panels [heads, headSize / 8, rows, 8]
const BLOCK_TABLE: usize = 140;
const PROJECTOR: usize = 144; // matrices
const OUT: usize = 148; // f32 [rows, projected]
const SCRATCH: usize = 152; // per thread
const SCRATCH_BYTES: usize = 156;
const CLASSIFIER: usize = 160; // a mixture's second tower, or 0

/** A norm: weights and biases. */
const NORM_BYTES: usize = 8;
/** A block: two norms and four matrices. */
const BLOCK_BYTES: usize = 2 * NORM_BYTES + 4 * MATRIX_BYTES;

/**
 * c[4 rows, 8] = a[4 rows, count] · panel[count, 8]; rows of a and c lie that far apart.
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

/** A patch's pixels in a row, as the convolution's weights lie. */
function gatherPatch(index: i32): void {
  const channels = field(CHANNELS),
    patch = field(PATCH),
    image = field(IMAGE);
  const side = image / patch;
  const lineBytes = (<usize>patch) << 2;
  let to = address(PATCHES) + <usize>index * <usize>(channels * patch) * lineBytes;
  let from = address(PIXELS) + <usize>((index / side) * patch * image + (index % side) * patch) * 4;
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

/** The patches' convolution: pieces of four patches. */
function embedPatches(patches: i32, firstRow: i32): void {
  const hidden = field(HIDDEN);
  const inputs = field(CHANNELS) * field(PATCH) * field(PATCH);
  const hiddenBytes = (<usize>hidden) << 2;
  const inputBytes = (<usize>inputs) << 2;
  const fours = (patches + 3) >> 2;
  for (let piece = nextPiece(fours); piece >= 0; piece = nextPiece(fours)) {
    const from = piece << 2;
    const a = address(PATCHES) + <usize>from * inputBytes;
    const c = address(STREAM) + <usize>(firstRow + from) * hiddenBytes;
    for (let n: usize = 0; n < <usize>hidden; n += 8) {
      tile(a, inputBytes, address(KERNEL) + n * inputBytes, inputs, c + (n << 2), hiddenBytes);
    }
  }
}

/** Adds the update (or 0: none) to a row and writes it, normalised by its mean and variance, to another place, or its own. */
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
  const factor = f32x4.splat(<f32>1 / sqrt<f32>(sumLanes(squares) / <f32>hidden + load<f32>(header + EPSILON)));
  for (let i: usize = 0; i < bytes; i += 16) {
    const x = f32x4.mul(f32x4.sub(v128.load(row + i), mean), factor);
    v128.store(to + i, f32x4.add(f32x4.mul(x, v128.load(weight + i)), v128.load(bias + i)));
  }
}

/** A row of hidden floats, narrowed as the products want it. */
function narrowRow(x: usize, row: i32): void {
  const hidden = field(HIDDEN);
  const to = address(NARROW) + <usize>row * ((<usize>hidden) << 1);
  const scales = address(NARROW_SCALES) + <usize>row * ((<usize>(hidden >> 5)) << 2);
  for (let b: usize = 0; b < <usize>(hidden >> 5); b++) {
    store<f32>(scales + (b << 2), narrowBlock(x + (b << 7), to + (b << 6)));
  }
}

/** A row's keys and values, put into panels. */
function packRow(row: i32): void {
  const hidden = field(HIDDEN),
    heads = field(HEADS),
    size = field(HEAD_SIZE),
    rows = field(ROWS);
  const panels = (rows + 7) >> 3;
  const keys = address(QKV) + <usize>(row * 3 + 1) * ((<usize>hidden) << 2);
  const values = keys + ((<usize>hidden) << 2);
  for (let head = 0; head < heads; head++) {
    const key = keys + <usize>(head * size) * 4;
    const value = values + <usize>(head * size) * 4;
    let to = address(KEYS) + <usize>((head * panels + (row >> 3)) * size * 8 + (row & 7)) * 4;
    for (let i = 0; i < size; i++) {
      store<f32>(to, load<f32>(key + ((<usize>i) << 2)));
      to += 32;
    }
    for (let i = 0; i < size; i += 8) {
      const at = address(VALUES) + <usize>(((head * size + i) >> 3) * rows + row) * 32;
      v128.store(at, v128.load(value + ((<usize>i) << 2)));
      v128.store(at, v128.load(value + ((<usize>i) << 2), 16), 16);
    }
  }
}

/** Four rows' attention over all rows, head by head; narrowed. */
function attend(first: i32, scratch: usize): void {
  const hidden = field(HIDDEN),
    heads = field(HEADS),
    size = field(HEAD_SIZE),
    rows = field(ROWS);
  const panels = (rows + 7) >> 3;
  const hiddenBytes = (<usize>hidden) << 2,
    sizeBytes = (<usize>size) << 2,
    scoreBytes = (<usize>panels) << 5;
  const queries = scratch; // f32 [4, headSize]
  const scores = queries + 4 * sizeBytes; // f32 [4, panels · 8]
  const mixed = scores + 4 * scoreBytes; // f32 [4, hidden]
  const factor = f32x4.splat(<f32>1 / sqrt<f32>(<f32>size));
  for (let head = 0; head < heads; head++) {
    for (let r: usize = 0; r < 4; r++) {
      const q = address(QKV) + (<usize>first + r) * 3 * hiddenBytes + <usize>head * sizeBytes;
      for (let i: usize = 0; i < sizeBytes; i += 16) {
        v128.store(queries + r * sizeBytes + i, f32x4.mul(v128.load(q + i), factor));
      }
    }
    const keys = address(KEYS) + <usize>(head * panels) * (sizeBytes << 3);
    for (let p: usize = 0; p < <usize>panels; p++) {
      tile(queries, sizeBytes, keys + p * (sizeBytes << 3), size, scores + (p << 5), scoreBytes);
    }
    for (let r: usize = 0; r < 4; r++) softmax(scores + r * scoreBytes, rows);
    const values = address(VALUES) + <usize>((head * size) >> 3) * <usize>rows * 32;
    for (let p: usize = 0; p < <usize>(size >> 3); p++) {
      const to = mixed + <usize>head * sizeBytes + (p << 5);
      tile(scores, scoreBytes, values + p * <usize>rows * 32, rows, to, hiddenBytes);
    }
  }
  for (let r = 0; r < min(4, rows - first); r++) narrowRow(mixed + <usize>r * hiddenBytes, first + r);
}

function softmax(scores: usize, count: i32): void {
  let most = f32x4.splat(-Infinity);
  const whole = (<usize>(count & ~3)) << 2;
  const end = (<usize>count) << 2;
  for (let i: usize = 0; i < whole; i += 16) most = f32x4.max(most, v128.load(scores + i));
  most = f32x4.max(most, v128.shuffle<i32>(most, most, 2, 3, 0, 1));
  let largest = max(f32x4.extract_lane(most, 0), f32x4.extract_lane(most, 1));
  for (let i = whole; i < end; i += 4) largest = max(largest, load<f32>(scores + i));
  // Beyond the last the lanes hold products with nothing: as far below the largest as the exponential goes.
  for (let i = end; (i & 15) != 0; i += 4) store<f32>(scores + i, -Infinity);
  let sum = f32x4.splat(0);
  for (let i: usize = 0; i < end; i += 16) {
    const score = v128.load(scores + i);
    const weight = v128.and(
      exponential(f32x4.sub(score, f32x4.splat(largest))),
      f32x4.gt(score, f32x4.splat(-Infinity)),
    );
    v128.store(scores + i, weight);
    sum = f32x4.add(sum, weight);
  }
  const inverse = f32x4.splat(<f32>1 / sumLanes(sum));
  for (let i: usize = 0; i < end; i += 16) v128.store(scores + i, f32x4.mul(v128.load(scores + i), inverse));
}

/** A matrix's product with an activation, narrowed: a piece is 32 outputs, one block of the next product's input. */
function activatedProduct(matrix: usize, rows: i32, x: usize, xScales: usize, activation: i32, scratch: usize): void {
  const outputs = load<i32>(matrix, 4);
  const blocks = <usize>((outputs + pieceRows - 1) >> 5);
  const cells = scratch + unpackedBytes(load<i32>(matrix, 8));
  for (let piece = nextPiece(<i32>blocks); piece >= 0; piece = nextPiece(<i32>blocks)) {
    const from = piece << 5;
    const to = min(from + pieceRows, outputs);
    // Cells are told from the matrix's first row on.
    multiply(matrix, from, to, rows, x, xScales, cells - ((<usize>from) << 2), pieceRows, scratch);
    for (let m = 0; m < rows; m++) {
      const cell = cells + ((<usize>m) << 7);
      for (let i = (<usize>(to - from)) << 2; i < 128; i += 4) store<f32>(cell + i, 0);
      for (let i: usize = 0; i < 128; i += 16) v128.store(cell + i, activate(v128.load(cell + i), activation));
      const block = <usize>m * blocks + <usize>piece;
      store<f32>(address(WIDE_SCALES) + (block << 2), narrowBlock(cell, address(WIDE) + (block << 6)));
    }
  }
}

/** One thread's share of a picture; returns when all are done. */
function forward(thread: i32): void {
  const rows = field(ROWS),
    hidden = field(HIDDEN);
  const scratch = address(SCRATCH) + <usize>thread * address(SCRATCH_BYTES);
  const stream = address(STREAM),
    update = address(UPDATE),
    narrow = address(NARROW),
    narrowScales = address(NARROW_SCALES);
  const hiddenBytes = (<usize>hidden) << 2;
  const firstRow = address(CLASS_ROW) ? 1 : 0;
  const patches = rows - firstRow;
  const fours = (rows + 3) >> 2;
  const classifier = address(CLASSIFIER);
  const map = classifier ? classify(classifier, scratch) : 0;

  for (let i = nextPiece(patches); i >= 0; i = nextPiece(patches)) gatherPatch(i);
  endPhase();
  embedPatches(patches, firstRow);
  endPhase();
  for (let m = nextPiece(rows); m >= 0; m = nextPiece(rows)) {
    const row = stream + <usize>m * hiddenBytes;
    if (m < firstRow) memory.copy(row, address(CLASS_ROW), hiddenBytes);
    const positions = address(POSITIONS) + <usize>m * hiddenBytes;
    for (let i: usize = 0; i < hiddenBytes; i += 16) {
      v128.store(row + i, f32x4.add(v128.load(row + i), v128.load(positions + i)));
    }
    if (address(PRE_NORM)) layerNorm(row, 0, address(PRE_NORM), hidden, row);
  }
  endPhase();
  for (let block = 0; block < field(BLOCKS); block++) {
    const table = address(BLOCK_TABLE) + <usize>block * BLOCK_BYTES;
    const mlpNorm = table + NORM_BYTES,
      qkv = mlpNorm + NORM_BYTES,
      out = qkv + MATRIX_BYTES,
      wide = out + MATRIX_BYTES,
      back = wide + MATRIX_BYTES;
    for (let m = nextPiece(rows); m >= 0; m = nextPiece(rows)) {
      const at = <usize>m * hiddenBytes;
      layerNorm(stream + at, block == 0 ? 0 : update + at, table, hidden, scratch);
      narrowRow(scratch, m);
    }
    endPhase();
    product(qkv, rows, narrow, narrowScales, address(QKV), scratch);
    endPhase();
    for (let m = nextPiece(rows); m >= 0; m = nextPiece(rows)) packRow(m);
    endPhase();
    for (let piece = nextPiece(fours); piece >= 0; piece = nextPiece(fours)) attend(piece << 2, scratch);
    endPhase();
    product(out, rows, narrow, narrowScales, update, scratch);
    endPhase();
    for (let m = nextPiece(rows); m >= 0; m = nextPiece(rows)) {
      const at = <usize>m * hiddenBytes;
      layerNorm(stream + at, update + at, mlpNorm, hidden, scratch);
      narrowRow(scratch, m);
    }
    endPhase();
    activatedProduct(wide, rows, narrow, narrowScales, field(ACTIVATION), scratch);
    endPhase();
    product(back, rows, address(WIDE), address(WIDE_SCALES), update, scratch);
    endPhase();
  }
  for (let m = nextPiece(rows); m >= 0; m = nextPiece(rows)) {
    const row = stream + <usize>m * hiddenBytes;
    const change = update + <usize>m * hiddenBytes;
    for (let i: usize = 0; i < hiddenBytes; i += 16) {
      v128.store(row + i, f32x4.add(v128.load(row + i), v128.load(change + i)));
    }
    if (classifier == 0) narrowRow(row, m);
    else if (m >= field(DROPPED)) joinRow(classifier, map, m - field(DROPPED), row, hidden, scratch);
  }
  endPhase();
  project(scratch);
}

/** The rows that are not dropped, through one matrix or two with a Gelu between. */
function project(scratch: usize): void {
  const dropped = field(DROPPED),
    hidden = field(HIDDEN);
  const rows = field(ROWS) - dropped;
  const classifier = address(CLASSIFIER);
  const own = address(NARROW) + <usize>dropped * ((<usize>hidden) << 1);
  const ownScales = address(NARROW_SCALES) + <usize>dropped * ((<usize>(hidden >> 5)) << 2);
  const x = classifier ? joined(classifier) : own;
  const xScales = classifier ? joinedScales(classifier) : ownScales;
  const first = address(PROJECTOR);
  if (field(PROJECTIONS) == 1) {
    product(first, rows, x, xScales, address(OUT), scratch);
  } else {
    activatedProduct(first, rows, x, xScales, gelu, scratch);
    endPhase();
    product(first + MATRIX_BYTES, rows, address(WIDE), address(WIDE_SCALES), address(OUT), scratch);
  }
  endPhase();
}

/** Starts a job for all threads and does the first one's share. */
export function run(): void {
  startJob();
  forward(0);
}

/** A helping thread's life: jobs, until it is told to quit. */
export function help(thread: i32): void {
  for (let job = nextJob(0); job >= 0; job = nextJob(job)) forward(thread);
}
