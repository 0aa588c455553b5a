// What the names of quantizations in GGUF files' names stand for: bits per weight. Knows no files.

interface QuantizationBits {
  /** In the file, on average over a decoder's matrices. */
  readonly file: number;
  /** In a package, which keeps blocks as they are with scales (and offsets) of 32 bits; floats are quantized to 4 bits. */
  readonly kept: number;
}

const quantizations: Readonly<Record<string, QuantizationBits>> = {
  Q2_K: { file: 2.96, kept: 7.5 },
  Q2_K_S: { file: 2.8, kept: 8 },
  Q3_K_S: { file: 3.5, kept: 6 },
  Q3_K: { file: 3.9, kept: 6.3 },
  Q3_K_M: { file: 3.9, kept: 6.3 },
  Q3_K_L: { file: 4.27, kept: 7.5 },
  Q4_0: { file: 4.55, kept: 5 },
  IQ4_NL: { file: 4.6, kept: 9 },
  Q4_K_S: { file: 4.58, kept: 6.2 },
  Q4_K: { file: 4.85, kept: 6.7 },
  Q4_K_M: { file: 4.85, kept: 6.7 },
  Q4_1: { file: 5.05, kept: 6 },
  Q5_0: { file: 5.55, kept: 9 },
  Q5_K_S: { file: 5.54, kept: 10 },
  Q5_K: { file: 5.69, kept: 10 },
  Q5_K_M: { file: 5.69, kept: 10 },
  Q5_1: { file: 6.05, kept: 10 },
  Q6_K: { file: 6.56, kept: 10 },
  Q8_0: { file: 8.5, kept: 9 },
  BF16: { file: 16, kept: 5.125 },
  F16: { file: 16, kept: 5.125 },
  F32: { file: 32, kept: 5.125 },
};

/** By the name as files carry it, "Q4_K_M"; undefined for names of types that can't be read. */
export function quantizationBits(name: string): QuantizationBits | undefined {
  return quantizations[name.toUpperCase()];
}
