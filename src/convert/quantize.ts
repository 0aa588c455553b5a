// Block-wise symmetric quantization of matrix rows, in the layout of ONNX Runtime's MatMulNBits and GatherBlockQuantized.
// Pure arithmetic: value ≈ (q − 2^(bits−1)) · scale, blocks of 32 along a row, low nibble first.

export const blockSize = 32;

export interface QuantizedRows {
  readonly data: Uint8Array<ArrayBuffer>; // [rows, blocks, 32 * bits / 8]
  readonly scales: Float32Array<ArrayBuffer>; // [rows, blocks]
}

/** Blocks of one row; the last may be padded with zeros. */
export function blocksPerRow(cols: number): number {
  return Math.ceil(cols / blockSize);
}

/** Quantizes `values` [rows, cols]. */
export function quantizeRows(values: Float32Array, cols: number, bits: 4 | 8): QuantizedRows {
  const rows = values.length / cols;
  const blocks = blocksPerRow(cols);
  const blockBytes = (blockSize * bits) / 8;
  const zero = bits === 4 ? 8 : 128;
  // Zeros decode to zero, also behind the end of a row.
  const data = new Uint8Array(rows * blocks * blockBytes).fill(bits === 4 ? 0x88 : 0x80);
  const scales = new Float32Array(rows * blocks);
  for (let row = 0; row < rows; row++) {
    const rowEnd = (row + 1) * cols;
    for (let b = 0; b < blocks; b++) {
      const start = row * cols + b * blockSize;
      const end = Math.min(start + blockSize, rowEnd);
      const peak = signedPeak(values, start, end);
      if (peak === 0) continue;
      const index = row * blocks + b;
      const scale = Math.fround(bits === 4 ? scaleOf4(values, start, end, peak) : peak / -128);
      // A block of the tiniest subnormals has no scale to divide by: it stays zero.
      if (scale === 0) continue;
      scales[index] = scale;
      const out = index * blockBytes;
      for (let i = start; i < end; i++) {
        const shifted = (values[i] ?? 0) / scale + zero + 0.5;
        const q = shifted <= 0 ? 0 : shifted >= 2 * zero ? 2 * zero - 1 : shifted | 0;
        const at = i - start;
        if (bits === 8) data[out + at] = q;
        else if ((at & 1) === 0) data[out + (at >> 1)] = q | 0x80;
        else data[out + (at >> 1)] = ((data[out + (at >> 1)] ?? 0) & 0x0f) | (q << 4);
      }
    }
  }
  return { data, scales };
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
function scaleOf4(values: Float32Array, start: number, end: number, peak: number): number {
  let best = peak / -8;
  let bestScore = 0;
  for (let step = 0; step < peakSteps.length; step++) {
    const inverse = (peakSteps[step] ?? 0) / peak;
    let sumXq = 0;
    let sumQq = 0;
    for (let i = start; i < end; i++) {
      const x = values[i] ?? 0;
      // Shifted so that truncation rounds: much faster than Math.round, and this loop is most of a conversion's time.
      const shifted = x * inverse + 8.5;
      const q = (shifted <= 0 ? 0 : shifted >= 15 ? 15 : shifted | 0) - 8;
      sumXq += x * q;
      sumQq += q * q;
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
