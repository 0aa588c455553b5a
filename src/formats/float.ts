// Conversions between f32 and the 16-bit floats of checkpoints. Knows no files.

const scratch = new Float32Array(1);
const scratchBits = new Uint32Array(scratch.buffer);

let f16Table: Float32Array | undefined;

/** The value of one half-precision number's bits. */
export function f16Value(bits: number): number {
  f16Table ??= makeF16Table();
  return f16Table[bits] ?? 0;
}

/** f32 values of IEEE half-precision bits. */
export function f16ToF32(bits: Uint16Array): Float32Array<ArrayBuffer> {
  f16Table ??= makeF16Table();
  const out = new Float32Array(bits.length);
  for (let i = 0; i < bits.length; i++) out[i] = f16Table[bits[i] ?? 0] ?? 0;
  return out;
}

/** The value of each of the 65536 half-precision numbers: looking up is several times faster than computing. */
function makeF16Table(): Float32Array {
  return Float32Array.from({ length: 65536 }, (_, half) => {
    const sign = half & 0x8000 ? -1 : 1;
    const exponent = (half >> 10) & 0x1f;
    const mantissa = half & 0x3ff;
    if (exponent === 0) return sign * mantissa * 2 ** -24;
    if (exponent === 31) return mantissa === 0 ? sign * Infinity : NaN;
    return sign * (1024 + mantissa) * 2 ** (exponent - 25);
  });
}

/** f32 values of bfloat16 bits. */
export function bf16ToF32(bits: Uint16Array): Float32Array<ArrayBuffer> {
  const out = new Float32Array(bits.length);
  const outBits = new Uint32Array(out.buffer);
  for (let i = 0; i < bits.length; i++) outBits[i] = (bits[i] ?? 0) << 16;
  return out;
}

/** Half-precision bits of one f32 value, rounded to nearest even; beyond ±65504 it becomes infinite. */
export function f32ToF16Bits(value: number): number {
  scratch[0] = value;
  const bits = scratchBits[0] ?? 0;
  const sign = (bits >>> 16) & 0x8000;
  const exponent = ((bits >>> 23) & 0xff) - 112;
  const mantissa = bits & 0x7fffff;
  if (exponent >= 143) return sign | 0x7c00 | (mantissa === 0 ? 0 : 0x200); // infinity, NaN
  if (exponent >= 31) return sign | 0x7c00;
  if (exponent <= 0) {
    if (exponent < -10) return sign;
    const full = mantissa | 0x800000;
    const shift = 14 - exponent;
    return sign | roundShift(full, shift);
  }
  // A carry out of the mantissa raises the exponent, as it should.
  return sign + ((exponent << 10) + roundShift(mantissa, 13));
}

/** bfloat16 bits of one f32 value, rounded to nearest even. */
function f32ToBf16Bits(value: number): number {
  scratch[0] = value;
  const bits = scratchBits[0] ?? 0;
  if (Number.isNaN(value)) return (bits >>> 16) | 0x40;
  return ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16) & 0xffff;
}

/** The bytes of f32 values in another type of float, each rounded to nearest even. */
export function encodeFloats(
  values: Float32Array<ArrayBuffer>,
  dtype: "F64" | "F32" | "F16" | "BF16",
): Uint8Array<ArrayBuffer> {
  if (dtype === "F32") return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  if (dtype === "F64") return new Uint8Array(Float64Array.from(values).buffer);
  const bits = new Uint16Array(values.length);
  const toBits = dtype === "F16" ? f32ToF16Bits : f32ToBf16Bits;
  for (let i = 0; i < bits.length; i++) bits[i] = toBits(values[i] ?? NaN);
  return new Uint8Array(bits.buffer);
}

/** `value` >> `shift`, rounded to nearest even. */
function roundShift(value: number, shift: number): number {
  const half = 2 ** (shift - 1);
  const rest = value & (2 ** shift - 1);
  const floor = value >>> shift;
  return rest > half || (rest === half && (floor & 1) === 1) ? floor + 1 : floor;
}
