// AdamW as PyTorch computes it, on one array of numbers.

export interface AdamOptions {
  readonly decay?: number;
  readonly beta1?: number;
  readonly beta2?: number;
  readonly epsilon?: number;
}

/** Changes `values` by each call's gradients, at that call's rate. */
export function createAdam(values: Float32Array, options: AdamOptions = {}) {
  const { decay = 0, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8 } = options;
  const mean = new Float32Array(values.length);
  const square = new Float32Array(values.length);
  let step = 0;
  return (gradients: Float32Array, rate: number): void => {
    step++;
    const first = rate / (1 - beta1 ** step);
    const second = 1 / Math.sqrt(1 - beta2 ** step);
    for (let i = 0; i < values.length; i++) {
      const gradient = gradients[i] as number;
      const m = (mean[i] = beta1 * (mean[i] as number) + (1 - beta1) * gradient);
      const v = (square[i] = beta2 * (square[i] as number) + (1 - beta2) * gradient * gradient);
      values[i] = (values[i] as number) * (1 - rate * decay) - (first * m) / (Math.sqrt(v) * second + epsilon);
    }
  };
}
