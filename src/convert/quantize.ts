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
  const data = new Uint8Array(rows * blocks * ((blockSize * bits) / 8));
  const scales = new Float32Array(rows * blocks);
  const block = new Float32Array(blockSize);
  for (let row = 0; row < rows; row++) {
    for (let b = 0; b < blocks; b++) {
      const start = row * cols + b * blockSize;
      const end = Math.min(start + blockSize, (row + 1) * cols);
      block.fill(0);
      block.set(values.subarray(start, end));
      const index = row * blocks + b;
      if (bits === 4) {
        scales[index] = Math.fround(scaleOf4(block));
        pack4(block, scales[index] ?? 0, data, index * 16);
      } else {
        scales[index] = Math.fround(signedPeak(block) / -128);
        pack8(block, scales[index] ?? 0, data, index * 32);
      }
    }
  }
  return { data, scales };
}

/** The value of largest magnitude, with its sign. */
function signedPeak(block: Float32Array): number {
  let peak = 0;
  let magnitude = 0;
  for (const value of block) {
    const absolute = Math.abs(value);
    if (absolute > magnitude) {
      magnitude = absolute;
      peak = value;
    }
  }
  return peak;
}

/** Where −8 … 7 put the largest value, in steps: from clipping it a little to leaving room above it. */
const peakSteps = [-8, -7.7, -7.4, -7.1, -6.8, -8.4, -8.8, -9.2, 7, 7.4, 7.8];

/**
 * The 4-bit scale of least squared error among a few roundings: the peak lies at about q = −8, whose range is one step
 * wider than +7, and each rounding's best scale is its least-squares fit.
 */
function scaleOf4(block: Float32Array): number {
  const peak = signedPeak(block);
  if (peak === 0) return 0;
  let best = peak / -8;
  let bestScore = 0;
  for (const steps of peakSteps) {
    const inverse = steps / peak;
    let sumXq = 0;
    let sumQq = 0;
    for (let i = 0; i < blockSize; i++) {
      const x = block[i] ?? 0;
      const q = Math.min(7, Math.max(-8, Math.round(x * inverse)));
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

function pack4(block: Float32Array, scale: number, out: Uint8Array, offset: number): void {
  const inverse = scale === 0 ? 0 : 1 / scale;
  for (let i = 0; i < blockSize; i += 2) {
    out[offset + i / 2] = level(block[i] ?? 0, inverse, 8) | (level(block[i + 1] ?? 0, inverse, 8) << 4);
  }
}

function pack8(block: Float32Array, scale: number, out: Uint8Array, offset: number): void {
  const inverse = scale === 0 ? 0 : 1 / scale;
  for (let i = 0; i < blockSize; i++) out[offset + i] = level(block[i] ?? 0, inverse, 128);
}

function level(value: number, inverse: number, zero: 8 | 128): number {
  return Math.min(2 * zero - 1, Math.max(0, Math.round(value * inverse) + zero));
}
