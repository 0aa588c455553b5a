// Resampling along one axis or over a grid, as matrices that become constants of a graph.

/**
 * Resizes one axis as Pillow's bicubic filter does; f32 [to, from]. Cubic convolution with a = −1/2 (Keys 1981), whose support is widened when
 * shrinking. Every row sums to one.
 */
export function cubicMatrix(from: number, to: number): Float32Array<ArrayBuffer> {
  const matrix = new Float32Array(to * from);
  const scale = from / to;
  const widened = Math.max(scale, 1);
  for (let row = 0; row < to; row++) {
    const center = (row + 0.5) * scale;
    const first = Math.max(Math.trunc(center - 2 * widened + 0.5), 0);
    const last = Math.min(Math.trunc(center + 2 * widened + 0.5), from);
    const weights = Array.from({ length: last - first }, (_, i) => cubic((first + i - center + 0.5) / widened));
    const sum = weights.reduce((total, weight) => total + weight, 0);
    weights.forEach((weight, i) => (matrix[row * from + first + i] = weight / sum));
  }
  return matrix;
}

function cubic(distance: number): number {
  const [a, x] = [-0.5, Math.abs(distance)];
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
}

/** Bilinear interpolation from a square of cells to a square grid with aligned pixel centers; f32 [grid², cells²]. Every row sums to one. */
export function spreadMatrix(cells: number, grid: number): Float32Array<ArrayBuffer> {
  const axis = Array.from({ length: grid }, (_, i) => {
    const at = Math.max(((i + 0.5) * cells) / grid - 0.5, 0);
    const low = Math.min(Math.floor(at), cells - 1);
    return { low, high: Math.min(low + 1, cells - 1), share: at - low };
  });
  const matrix = new Float32Array(grid ** 2 * cells ** 2);
  axis.forEach((y, row) => {
    axis.forEach((x, column) => {
      const add = (cellY: number, cellX: number, weight: number): void => {
        const at = (row * grid + column) * cells ** 2 + cellY * cells + cellX;
        matrix[at] = (matrix[at] ?? 0) + weight;
      };
      add(y.low, x.low, (1 - y.share) * (1 - x.share));
      add(y.low, x.high, (1 - y.share) * x.share);
      add(y.high, x.low, y.share * (1 - x.share));
      add(y.high, x.high, y.share * x.share);
    });
  });
  return matrix;
}
