// AssemblyScript. What training a decoder needs beside its quantized kernels: products of f32 matrices of any layout, and each operation of a
// block of Llama's kind forward and backward. One thread; matrices are row-major unless strides say otherwise; lengths are in floats.
import { exponential, sigmoid } from "./functions";
import { sumLanes } from "./matrix";

/** Rows and columns of a tile of the result, and how much of the inner side is packed at a time. */
const tileRows: i32 = 4;
const tileCols: i32 = 8;
const chunk: i32 = 256;

/** Packs A [rows, depth] into strips [rows / 4][depth][4], padded with zeros. */
function packLeft(a: usize, row: usize, col: usize, rows: i32, depth: i32, to: usize): void {
  for (let i = 0; i < rows; i += tileRows) {
    const left = min(tileRows, rows - i);
    const from = a + <usize>i * row;
    for (let p = 0; p < depth; p++) {
      const at = from + <usize>p * col;
      store<f32>(to, load<f32>(at));
      store<f32>(to, left > 1 ? load<f32>(at + row) : 0, 4);
      store<f32>(to, left > 2 ? load<f32>(at + 2 * row) : 0, 8);
      store<f32>(to, left > 3 ? load<f32>(at + 3 * row) : 0, 12);
      to += 16;
    }
  }
}

/** Packs eight columns (or fewer) of B [depth, ·] into [depth][8], padded with zeros. */
function packRight(b: usize, row: usize, col: usize, cols: i32, depth: i32, to: usize): void {
  if (cols == tileCols && col == 4) {
    for (let p = 0; p < depth; p++, b += row, to += 32) {
      v128.store(to, v128.load(b));
      v128.store(to, v128.load(b, 16), 16);
    }
    return;
  }
  if (cols == tileCols && row == 4 && (depth & 3) == 0) {
    for (let half = 0; half < 2; half++) {
      const a0 = b + <usize>(half * 4) * col,
        a1 = a0 + col,
        a2 = a1 + col,
        a3 = a2 + col;
      let at = to + <usize>(half * 16);
      for (let p: usize = 0; p < (<usize>depth) << 2; p += 16, at += 128) {
        const x = v128.load(a0 + p),
          y = v128.load(a1 + p),
          z = v128.load(a2 + p),
          w = v128.load(a3 + p);
        const xy = v128.shuffle<i32>(x, y, 0, 4, 1, 5),
          zw = v128.shuffle<i32>(z, w, 0, 4, 1, 5);
        v128.store(at, v128.shuffle<i64>(xy, zw, 0, 2));
        v128.store(at, v128.shuffle<i64>(xy, zw, 1, 3), 32);
        const xy2 = v128.shuffle<i32>(x, y, 2, 6, 3, 7),
          zw2 = v128.shuffle<i32>(z, w, 2, 6, 3, 7);
        v128.store(at, v128.shuffle<i64>(xy2, zw2, 0, 2), 64);
        v128.store(at, v128.shuffle<i64>(xy2, zw2, 1, 3), 96);
      }
    }
    return;
  }
  for (let p = 0; p < depth; p++, b += row, to += 32) {
    for (let j = 0; j < tileCols; j++) store<f32>(to + ((<usize>j) << 2), j < cols ? load<f32>(b + <usize>j * col) : 0);
  }
}

/** Adds scale · (strip · panel) to the tile at `out`. */
function addTile(strip: usize, panel: usize, depth: i32, scale: v128, out: usize, outRow: usize): void {
  let a0 = f32x4.splat(0),
    a1 = f32x4.splat(0),
    a2 = f32x4.splat(0),
    a3 = f32x4.splat(0);
  let b0 = f32x4.splat(0),
    b1 = f32x4.splat(0),
    b2 = f32x4.splat(0),
    b3 = f32x4.splat(0);
  const end = strip + ((<usize>depth) << 4);
  for (; strip < end; strip += 16, panel += 32) {
    const left = v128.load(panel),
      right = v128.load(panel, 16);
    let v = v128.load32_splat(strip);
    a0 = f32x4.add(a0, f32x4.mul(v, left));
    b0 = f32x4.add(b0, f32x4.mul(v, right));
    v = v128.load32_splat(strip, 4);
    a1 = f32x4.add(a1, f32x4.mul(v, left));
    b1 = f32x4.add(b1, f32x4.mul(v, right));
    v = v128.load32_splat(strip, 8);
    a2 = f32x4.add(a2, f32x4.mul(v, left));
    b2 = f32x4.add(b2, f32x4.mul(v, right));
    v = v128.load32_splat(strip, 12);
    a3 = f32x4.add(a3, f32x4.mul(v, left));
    b3 = f32x4.add(b3, f32x4.mul(v, right));
  }
  v128.store(out, f32x4.add(v128.load(out), f32x4.mul(a0, scale)));
  v128.store(out, f32x4.add(v128.load(out, 16), f32x4.mul(b0, scale)), 16);
  out += outRow;
  v128.store(out, f32x4.add(v128.load(out), f32x4.mul(a1, scale)));
  v128.store(out, f32x4.add(v128.load(out, 16), f32x4.mul(b1, scale)), 16);
  out += outRow;
  v128.store(out, f32x4.add(v128.load(out), f32x4.mul(a2, scale)));
  v128.store(out, f32x4.add(v128.load(out, 16), f32x4.mul(b2, scale)), 16);
  out += outRow;
  v128.store(out, f32x4.add(v128.load(out), f32x4.mul(a3, scale)));
  v128.store(out, f32x4.add(v128.load(out, 16), f32x4.mul(b3, scale)), 16);
}

/**
 * C [m, n] += scale · A [m, k] · B [k, n]. Element (i, p) of A lies at a + 4 · (i · aRow + p · aCol), and so on; C's columns are side by side.
 * `scratch` has room for (m + 3 + 8) · 256 + 32 floats.
 */
export function product(
  m: i32,
  n: i32,
  k: i32,
  scale: f32,
  a: usize,
  aRow: i32,
  aCol: i32,
  b: usize,
  bRow: i32,
  bCol: i32,
  c: usize,
  cRow: i32,
  scratch: usize,
): void {
  const tile = scratch,
    panel = scratch + 128,
    strips = panel + ((<usize>chunk) << 5);
  const scales = f32x4.splat(scale);
  const aRowBytes = (<usize>aRow) << 2,
    aColBytes = (<usize>aCol) << 2,
    bRowBytes = (<usize>bRow) << 2,
    bColBytes = (<usize>bCol) << 2,
    cRowBytes = (<usize>cRow) << 2;
  for (let p = 0; p < k; p += chunk) {
    const depth = min(chunk, k - p);
    packLeft(a + <usize>p * aColBytes, aRowBytes, aColBytes, m, depth, strips);
    for (let j = 0; j < n; j += tileCols) {
      const cols = min(tileCols, n - j);
      packRight(b + <usize>p * bRowBytes + <usize>j * bColBytes, bRowBytes, bColBytes, cols, depth, panel);
      let strip = strips;
      for (let i = 0; i < m; i += tileRows, strip += (<usize>depth) << 4) {
        const rows = min(tileRows, m - i);
        const out = c + <usize>i * cRowBytes + ((<usize>j) << 2);
        if (rows == tileRows && cols == tileCols) {
          addTile(strip, panel, depth, scales, out, cRowBytes);
          continue;
        }
        memory.fill(tile, 0, 128);
        addTile(strip, panel, depth, scales, tile, 32);
        for (let y = 0; y < rows; y++) {
          for (let x = 0; x < cols; x++) {
            const at = out + <usize>y * cRowBytes + ((<usize>x) << 2);
            store<f32>(at, load<f32>(at) + load<f32>(tile + ((<usize>(y * tileCols + x)) << 2)));
          }
        }
      }
    }
  }
}

/** Sets every row of [rows, n] to the row at `from`, or to zeros where that is 0. */
export function setRows(to: usize, from: usize, rows: i32, n: i32): void {
  const bytes = (<usize>n) << 2;
  if (from == 0) memory.fill(to, 0, <usize>rows * bytes);
  else for (let i = 0; i < rows; i++) memory.copy(to + <usize>i * bytes, from, bytes);
}

/** to = x + y; n is a multiple of 4. */
export function add(to: usize, x: usize, y: usize, n: i32): void {
  for (let i: usize = 0; i < (<usize>n) << 2; i += 16)
    v128.store(to + i, f32x4.add(v128.load(x + i), v128.load(y + i)));
}

function dot(x: usize, y: usize, n: i32): f32 {
  let sum = f32x4.splat(0),
    other = f32x4.splat(0);
  const end = (<usize>n) << 2;
  let i: usize = 0;
  for (; i + 32 <= end; i += 32) {
    sum = f32x4.add(sum, f32x4.mul(v128.load(x + i), v128.load(y + i)));
    other = f32x4.add(other, f32x4.mul(v128.load(x + i, 16), v128.load(y + i, 16)));
  }
  if (i < end) sum = f32x4.add(sum, f32x4.mul(v128.load(x + i), v128.load(y + i)));
  return sumLanes(f32x4.add(sum, other));
}

/** to += scale · x */
function addScaled(to: usize, x: usize, scale: f32, n: i32): void {
  const scales = f32x4.splat(scale);
  for (let i: usize = 0; i < (<usize>n) << 2; i += 16) {
    v128.store(to + i, f32x4.add(v128.load(to + i), f32x4.mul(v128.load(x + i), scales)));
  }
}

/** y = x / rms(x) · weight, by row; 1 / rms goes to `inverses` [rows]. n is a multiple of 4. */
export function normForward(x: usize, weight: usize, y: usize, inverses: usize, rows: i32, n: i32, epsilon: f32): void {
  const bytes = (<usize>n) << 2;
  for (let row = 0; row < rows; row++, x += bytes, y += bytes) {
    const inverse: f32 = 1 / sqrt<f32>(dot(x, x, n) / <f32>n + epsilon);
    store<f32>(inverses + ((<usize>row) << 2), inverse);
    const scale = f32x4.splat(inverse);
    for (let i: usize = 0; i < bytes; i += 16) {
      v128.store(y + i, f32x4.mul(f32x4.mul(v128.load(x + i), scale), v128.load(weight + i)));
    }
  }
}

/** dx += what dy makes of it. */
export function normBackward(x: usize, weight: usize, inverses: usize, dy: usize, dx: usize, rows: i32, n: i32): void {
  const bytes = (<usize>n) << 2;
  for (let row = 0; row < rows; row++, x += bytes, dy += bytes, dx += bytes) {
    const inverse = load<f32>(inverses + ((<usize>row) << 2));
    let sums = f32x4.splat(0);
    for (let i: usize = 0; i < bytes; i += 16) {
      sums = f32x4.add(sums, f32x4.mul(f32x4.mul(v128.load(dy + i), v128.load(weight + i)), v128.load(x + i)));
    }
    const scale = f32x4.splat(inverse),
      back = f32x4.splat((-inverse * inverse * inverse * sumLanes(sums)) / <f32>n);
    for (let i: usize = 0; i < bytes; i += 16) {
      const direct = f32x4.mul(f32x4.mul(v128.load(dy + i), v128.load(weight + i)), scale);
      const change = f32x4.add(direct, f32x4.mul(v128.load(x + i), back));
      v128.store(dx + i, f32x4.add(v128.load(dx + i), change));
    }
  }
}

/**
 * Turns the first `heads` heads of each row (rows `stride` apart) by the angles at `table`, f32 [rows, 2, size / 2] of cosines and sines; `sign`
 * −1 turns back.
 */
export function rotate(x: usize, rows: i32, stride: i32, heads: i32, size: i32, table: usize, sign: f32): void {
  const half = (<usize>size) << 1;
  const signs = f32x4.splat(sign);
  for (let row = 0; row < rows; row++, table += 2 * half) {
    let head = x + ((<usize>(row * stride)) << 2);
    for (let h = 0; h < heads; h++, head += 2 * half) {
      for (let i: usize = 0; i < half; i += 16) {
        const cosine = v128.load(table + i),
          sine = f32x4.mul(v128.load(table + half + i), signs);
        const a = v128.load(head + i),
          b = v128.load(head + half + i);
        v128.store(head + i, f32x4.sub(f32x4.mul(a, cosine), f32x4.mul(b, sine)));
        v128.store(head + half + i, f32x4.add(f32x4.mul(b, cosine), f32x4.mul(a, sine)));
      }
    }
  }
}

/**
 * Attention of rows [queries, keys, values] side by side (`qkv`, stride (heads + 2 · kvHeads) · size). Row i sees the rows below shared[i], and
 * those from first[i] to itself. Probabilities go to `weights` [heads, rows, rows], results to `out` [rows, heads · size].
 */
export function attentionForward(
  qkv: usize,
  rows: i32,
  heads: i32,
  kvHeads: i32,
  size: i32,
  scale: f32,
  shared: usize,
  first: usize,
  weights: usize,
  out: usize,
): void {
  const stride = (<usize>((heads + 2 * kvHeads) * size)) << 2;
  const group = heads / kvHeads;
  memory.fill(out, 0, (<usize>(rows * heads * size)) << 2);
  for (let h = 0; h < heads; h++) {
    const keys = qkv + ((<usize>((heads + h / group) * size)) << 2);
    const values = keys + ((<usize>(kvHeads * size)) << 2);
    for (let i = 0; i < rows; i++) {
      const query = qkv + <usize>i * stride + ((<usize>(h * size)) << 2);
      const p = weights + ((<usize>((h * rows + i) * rows)) << 2);
      const below = load<i32>(shared + ((<usize>i) << 2)),
        from = load<i32>(first + ((<usize>i) << 2));
      let most: f32 = -Infinity;
      for (let j = 0; j <= i; j++) {
        if (j == below && below < from) j = from;
        const score = scale * dot(query, keys + <usize>j * stride, size);
        store<f32>(p + ((<usize>j) << 2), score);
        most = max(most, score);
      }
      let sum: f32 = 0;
      for (let j = 0; j <= i; j += 4) {
        const at = p + ((<usize>j) << 2);
        if (j + 3 <= i && (j + 3 < below || j >= from)) {
          const e = exponential(f32x4.sub(v128.load(at), f32x4.splat(most)));
          v128.store(at, e);
          sum += sumLanes(e);
          continue;
        }
        for (let y = j; y <= min(i, j + 3); y++) {
          const place = p + ((<usize>y) << 2);
          const seen = y < below || y >= from;
          const e = seen ? f32x4.extract_lane(exponential(f32x4.splat(load<f32>(place) - most)), 0) : 0;
          store<f32>(place, e);
          sum += e;
        }
      }
      const inverse: f32 = 1 / sum;
      const result = out + ((<usize>((i * heads + h) * size)) << 2);
      for (let j = 0; j <= i; j++) {
        if (j == below && below < from) j = from;
        const place = p + ((<usize>j) << 2);
        const weight = load<f32>(place) * inverse;
        store<f32>(place, weight);
        addScaled(result, values + <usize>j * stride, weight, size);
      }
    }
  }
}

/** dqkv += what `dout` makes of it; `line` has room for [rows]. */
export function attentionBackward(
  qkv: usize,
  rows: i32,
  heads: i32,
  kvHeads: i32,
  size: i32,
  scale: f32,
  shared: usize,
  first: usize,
  weights: usize,
  dout: usize,
  dqkv: usize,
  line: usize,
): void {
  const stride = (<usize>((heads + 2 * kvHeads) * size)) << 2;
  const group = heads / kvHeads;
  for (let h = 0; h < heads; h++) {
    const keyAt = (<usize>((heads + h / group) * size)) << 2;
    const valueAt = keyAt + ((<usize>(kvHeads * size)) << 2);
    for (let i = 0; i < rows; i++) {
      const queryAt = <usize>i * stride + ((<usize>(h * size)) << 2);
      const p = weights + ((<usize>((h * rows + i) * rows)) << 2);
      const d = dout + ((<usize>((i * heads + h) * size)) << 2);
      const below = load<i32>(shared + ((<usize>i) << 2)),
        from = load<i32>(first + ((<usize>i) << 2));
      let mean: f32 = 0;
      for (let j = 0; j <= i; j++) {
        if (j == below && below < from) j = from;
        const weight = load<f32>(p + ((<usize>j) << 2));
        const dp = dot(d, qkv + valueAt + <usize>j * stride, size);
        store<f32>(line + ((<usize>j) << 2), dp);
        mean += weight * dp;
        addScaled(dqkv + valueAt + <usize>j * stride, d, weight, size);
      }
      for (let j = 0; j <= i; j++) {
        if (j == below && below < from) j = from;
        const at = (<usize>j) << 2;
        const ds = scale * load<f32>(p + at) * (load<f32>(line + at) - mean);
        addScaled(dqkv + queryAt, qkv + keyAt + <usize>j * stride, ds, size);
        addScaled(dqkv + keyAt + <usize>j * stride, qkv + queryAt, ds, size);
      }
    }
  }
}

/** out = silu(gate) · up; n is a multiple of 4. */
export function gateForward(gate: usize, up: usize, out: usize, n: i32): void {
  for (let i: usize = 0; i < (<usize>n) << 2; i += 16) {
    const g = v128.load(gate + i);
    v128.store(out + i, f32x4.mul(f32x4.mul(g, sigmoid(g)), v128.load(up + i)));
  }
}

/** Gradients of gate and up, which may take the place of gate and up themselves. */
export function gateBackward(gate: usize, up: usize, dout: usize, dgate: usize, dup: usize, n: i32): void {
  for (let i: usize = 0; i < (<usize>n) << 2; i += 16) {
    const g = v128.load(gate + i),
      u = v128.load(up + i),
      d = v128.load(dout + i);
    const s = sigmoid(g);
    const silu = f32x4.mul(g, s);
    // silu' = s + silu · (1 − s)
    const slope = f32x4.add(s, f32x4.mul(silu, f32x4.sub(f32x4.splat(1), s)));
    v128.store(dup + i, f32x4.mul(d, silu));
    v128.store(dgate + i, f32x4.mul(f32x4.mul(d, u), slope));
  }
}

/**
 * The sum of weight · cross-entropy over rows of logits [rows, n], in place of which their gradients are put; `targets` i32 [rows],
 * `rowWeights` f32 [rows]. n is a multiple of 4.
 */
export function crossEntropy(logits: usize, targets: usize, rowWeights: usize, rows: i32, n: i32): f64 {
  const bytes = (<usize>n) << 2;
  let total: f64 = 0;
  for (let row = 0; row < rows; row++, logits += bytes) {
    let most = v128.load(logits);
    for (let i: usize = 16; i < bytes; i += 16) most = f32x4.max(most, v128.load(logits + i));
    const largest = max(
      max(f32x4.extract_lane(most, 0), f32x4.extract_lane(most, 1)),
      max(f32x4.extract_lane(most, 2), f32x4.extract_lane(most, 3)),
    );
    const target = logits + ((<usize>load<i32>(targets + ((<usize>row) << 2))) << 2);
    const weight = load<f32>(rowWeights + ((<usize>row) << 2));
    const wanted = load<f32>(target) - largest;
    let sums = f32x4.splat(0);
    for (let i: usize = 0; i < bytes; i += 16) {
      const e = exponential(f32x4.sub(v128.load(logits + i), f32x4.splat(largest)));
      v128.store(logits + i, e);
      sums = f32x4.add(sums, e);
    }
    const sum = sumLanes(sums);
    total += <f64>weight * (Math.log(<f64>sum) - <f64>wanted);
    const scale = f32x4.splat(weight / sum);
    for (let i: usize = 0; i < bytes; i += 16) v128.store(logits + i, f32x4.mul(v128.load(logits + i), scale));
    store<f32>(target, load<f32>(target) - weight);
  }
  return total;
}
