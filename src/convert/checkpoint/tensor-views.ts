// Tensors seen in another shape: their elements are read from the one below.
import { computedTensor, elementsOf, type Tensor } from "./checkpoint.ts";

/** A tensor as a matrix: a kernel [outputs, channels, height, width] becomes [outputs, channels · height · width]. */
export function rowMatrix(tensor: Tensor): Tensor {
  const [rows = 0, ...rest] = tensor.shape;
  return rest.length <= 1 ? tensor : { ...tensor, shape: [rows, elementsOf(rest)] };
}

/** A matrix on its side; it is read whole, once. */
export function turned(tensor: Tensor): Tensor {
  const [rows = 0, cols = 0] = tensor.shape;
  let held: Promise<Float32Array<ArrayBuffer>> | undefined;
  const turn = async (): Promise<Float32Array<ArrayBuffer>> => {
    const values = await tensor.read(0, rows * cols);
    const out = new Float32Array(rows * cols);
    for (let row = 0; row < rows; row++) {
      for (let col = 0; col < cols; col++) out[col * rows + row] = values[row * cols + col] ?? NaN;
    }
    return out;
  };
  return {
    ...computedTensor(tensor, {
      spans: () => tensor.spans?.(0, rows * cols),
      async read(start, count) {
        held ??= turn();
        return (await held).slice(start, start + count);
      },
    }),
    shape: tensor.shape.length === 2 ? [cols, rows] : tensor.shape,
  };
}
