// The search for scales and zero points in plain words: what kernels/quantize.ts computes, to the same bits. Only tests run it.
// Pure arithmetic; the layout is quantize.ts's.
import { blocksPerRow, blockSize, blockWeights, zeroRowBytes, type QuantizedRows, type Scheme } from "./quantize.ts";

/** As quantizeRows. */
export function quantizePlainly(
  values: Float32Array,
  cols: number,
  bits: 4 | 8,
  scheme: Scheme = "symmetric",
  importance?: Float32Array,
): QuantizedRows {
  const allWeights = blockWeights(importance, cols);
  const rows = values.length / cols;
  const blocks = blocksPerRow(cols);
  const blockBytes = (blockSize * bits) / 8;
  const middle = bits === 4 ? 8 : 128;
  const zeroBytes = zeroRowBytes(cols, bits);
  // Zeros decode to zero, also behind the end of a row.
  const data = new Uint8Array(rows * blocks * blockBytes).fill(bits === 4 ? 0x88 : 0x80);
  const scales = new Float32Array(rows * blocks);
  const zeroPoints =
    scheme === "asymmetric" ? new Uint8Array(rows * zeroBytes).fill(bits === 4 ? 0x88 : 0x80) : undefined;
  for (let row = 0; row < rows; row++) {
    const rowEnd = (row + 1) * cols;
    for (let b = 0; b < blocks; b++) {
      const start = row * cols + b * blockSize;
      const end = Math.min(start + blockSize, rowEnd);
      const peak = signedPeak(values, start, end);
      if (peak === 0) continue;
      const index = row * blocks + b;
      const weights = allWeights.subarray(b * blockSize, (b + 1) * blockSize);
      const symmetric = bits === 4 ? scaleOf4(values, weights, start, end, peak) : scaleOf8(values, importance && weights, start, end, peak); // prettier-ignore
      const fit = zeroPoints
        ? fitWithZero(values, weights, start, end, bits, symmetric)
        : { scale: symmetric, zero: middle };
      const scale = Math.fround(fit.scale);
      const zero = fit.zero;
      // A block of the tiniest subnormals has no scale to divide by: it stays zero.
      if (scale === 0) continue;
      scales[index] = scale;
      const out = index * blockBytes;
      if (zeroPoints && zero !== middle) {
        if (bits === 8) zeroPoints[row * zeroBytes + b] = zero;
        else setNibble(zeroPoints, row * zeroBytes, b, zero);
        data.fill(bits === 4 ? zero * 0x11 : zero, out, out + blockBytes);
      }
      for (let i = start; i < end; i++) {
        const shifted = (values[i] ?? 0) / scale + zero + 0.5;
        const q = shifted <= 0 ? 0 : shifted >= 2 * middle ? 2 * middle - 1 : shifted | 0;
        if (bits === 8) data[out + i - start] = q;
        else setNibble(data, out, i - start, q);
      }
    }
  }
  return { data, scales, ...(zeroPoints ? { zeroPoints } : {}) };
}

function setNibble(packed: Uint8Array, start: number, index: number, value: number): void {
  const at = start + (index >> 1);
  const byte = packed[at] ?? 0;
  packed[at] = (index & 1) === 0 ? (byte & 0xf0) | value : (byte & 0x0f) | (value << 4);
}

/** The value of largest magnitude, with its sign. */
function signedPeak(values: Float32Array, start: number, end: number): number {
  let peak = 0;
  for (let i = start; i < end; i++) {
    const value = values[i] ?? 0;
    if (Math.abs(value) > Math.abs(peak)) peak = value;
  }
  return peak;
}

/** Where −8 … 7 put the largest value, in steps: from clipping it a little to leaving room above it. */
const peakSteps = [-8, -7.7, -7.4, -7.1, -6.8, -8.4, -8.8, -9.2, 7, 7.4, 7.8];

/**
 * The 4-bit scale of least squared error among a few roundings: the peak lies at about q = −8, whose range is one step
 * wider than +7, and each rounding's best scale is its least-squares fit. (Within 0.2 % of an exhaustive search's error.)
 */
function scaleOf4(values: Float32Array, weights: Float32Array, start: number, end: number, peak: number): number {
  let best = peak / -8;
  let bestScore = 0;
  for (let step = 0; step < peakSteps.length; step++) {
    const inverse = (peakSteps[step] ?? 0) / peak;
    let sumXq = 0;
    let sumQq = 0;
    for (let i = start; i < end; i++) {
      const x = values[i] ?? 0;
      // Shifted so that truncation rounds: much faster than Math.round.
      const shifted = x * inverse + 8.5;
      const q = (shifted <= 0 ? 0 : shifted >= 15 ? 15 : shifted | 0) - 8;
      const wq = (weights[i - start] ?? 0) * q;
      sumXq += x * wq;
      sumQq += q * wq;
    }
    // The squared error of the fit is Σx² − (Σxq)²/Σq².
    const score = sumQq > 0 ? (sumXq * sumXq) / sumQq : 0;
    if (score > bestScore) {
      bestScore = score;
      best = sumXq / sumQq;
    }
  }
  return best;
}

/** The 8-bit scale: the peak at −128; where errors are weighted, the best scale for that rounding. */
function scaleOf8(
  values: Float32Array,
  weights: Float32Array | undefined,
  start: number,
  end: number,
  peak: number,
): number {
  const plain = peak / -128;
  return weights ? leastSquaresScale(values, weights, start, end, 255, plain, 128) : plain;
}

/** How much of the range above and below zero is kept: clipping an end makes the steps between finer. */
const keptRanges = [1, 0.88, 0.76];

/**
 * Scale and zero point of least squared error among a few ranges that hold zero, or the symmetric fit where that is better.
 * At 8 bits the whole range: clipping gains nothing there.
 */
function fitWithZero(
  values: Float32Array,
  weights: Float32Array,
  start: number,
  end: number,
  bits: 4 | 8,
  symmetric: number,
): { readonly scale: number; readonly zero: number } {
  const top = 2 ** bits - 1;
  let low = 0;
  let high = 0;
  for (let i = start; i < end; i++) {
    const value = values[i] ?? 0;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  const middle = (top + 1) / 2;
  let best = { scale: symmetric, zero: middle };
  let bestScore = 0;
  const kept = bits === 4 ? keptRanges : [1];
  for (let l = 0; l < kept.length; l++) {
    for (let h = 0; h < kept.length; h++) {
      const keptLow = low * (kept[l] ?? 1);
      const first = (high * (kept[h] ?? 1) - keptLow) / top;
      const zero = Math.min(top, Math.round(-keptLow / first));
      if (!(zero >= 0)) continue;
      const inverse = 1 / first;
      const shift = zero + 0.5;
      let sumXq = 0;
      let sumQq = 0;
      for (let i = start; i < end; i++) {
        const x = values[i] ?? 0;
        const shifted = x * inverse + shift;
        const q = (shifted <= 0 ? 0 : shifted >= top ? top : shifted | 0) - zero;
        const wq = (weights[i - start] ?? 0) * q;
        sumXq += x * wq;
        sumQq += q * wq;
      }
      const score = sumQq > 0 ? (sumXq * sumXq) / sumQq : 0;
      if (score > bestScore) {
        bestScore = score;
        best = { scale: sumXq / sumQq, zero };
      }
    }
  }
  const plain = squaredError(values, weights, start, end, top, symmetric, middle);
  const found = squaredError(values, weights, start, end, top, best.scale, best.zero);
  return found < plain ? best : { scale: symmetric, zero: middle };
}

/** The best scale for the rounding that `scale` makes. */
function leastSquaresScale(
  values: Float32Array,
  weights: Float32Array,
  start: number,
  end: number,
  top: number,
  scale: number,
  zero: number,
): number {
  const inverse = 1 / scale;
  const shift = zero + 0.5;
  let sumXq = 0;
  let sumQq = 0;
  for (let i = start; i < end; i++) {
    const x = values[i] ?? 0;
    const shifted = x * inverse + shift;
    const q = (shifted <= 0 ? 0 : shifted >= top ? top : shifted | 0) - zero;
    const wq = (weights[i - start] ?? 0) * q;
    sumXq += x * wq;
    sumQq += q * wq;
  }
  return sumQq > 0 ? sumXq / sumQq : scale;
}

/** What rounding to this scale and zero point costs. */
function squaredError(
  values: Float32Array,
  weights: Float32Array,
  start: number,
  end: number,
  top: number,
  scale: number,
  zero: number,
): number {
  const inverse = 1 / scale;
  const shift = zero + 0.5;
  let sum = 0;
  for (let i = start; i < end; i++) {
    const x = values[i] ?? 0;
    const shifted = x * inverse + shift;
    const q = shifted <= 0 ? 0 : shifted >= top ? top : shifted | 0;
    const error = x - (q - zero) * scale;
    sum += error * error * (weights[i - start] ?? 0);
  }
  return sum;
}
