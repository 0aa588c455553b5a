// AssemblyScript. Elementwise functions of four floats.
import { geluTanh, quickGelu, relu, silu } from "../src/engine/kernel/layout/activations";

/** e^x for x ≤ 0, within two units in the last place (polynomial from Cephes). */
export function exponential(value: v128): v128 {
  const x = f32x4.max(value, f32x4.splat(-87));
  // Added to a small float, this leaves the nearest integer in its lowest bits.
  const magic = f32x4.splat(12582912);
  const shifted = f32x4.add(f32x4.mul(x, f32x4.splat(1.4426950408889634)), magic);
  const n = f32x4.sub(shifted, magic);
  let r = f32x4.sub(x, f32x4.mul(n, f32x4.splat(0.693359375)));
  r = f32x4.sub(r, f32x4.mul(n, f32x4.splat(-2.1219444e-4)));
  let p = f32x4.splat(1.98756915e-4);
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(1.3981999507e-3));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(8.3334519073e-3));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(4.1665795894e-2));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(1.6666665459e-1));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(5.0000001201e-1));
  p = f32x4.add(f32x4.add(f32x4.mul(f32x4.mul(r, r), p), r), f32x4.splat(1));
  const power = i32x4.shl(i32x4.add(shifted, i32x4.splat(127 - 0x4b400000)), 23);
  return f32x4.mul(p, power);
}

/** 2^x for x ≤ 127, within 3e-6 of itself down to 2^−126 (polynomial with the least relative error). */
export function powerOfTwo(value: v128): v128 {
  // f32x4.max, which also cares for NaN, is several instructions on x86.
  const x = f32x4.pmax(value, f32x4.splat(-126));
  const magic = f32x4.splat(12582912);
  const shifted = f32x4.add(x, magic);
  const r = f32x4.sub(x, f32x4.sub(shifted, magic));
  let p = f32x4.splat(0.0095701);
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(0.05591786));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(0.24024745));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(0.69312181));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(0.99999926));
  // The polynomial is a normal number, so that adding to its exponent multiplies it.
  return i32x4.add(p, i32x4.shl(i32x4.sub(shifted, i32x4.splat(0x4b400000)), 23));
}

/** 1 / (1 + e^−x). */
export function sigmoid(x: v128): v128 {
  const small = exponential(f32x4.neg(f32x4.abs(x)));
  const top = v128.bitselect(f32x4.splat(1), small, f32x4.ge(x, f32x4.splat(0)));
  return f32x4.div(top, f32x4.add(f32x4.splat(1), small));
}

/** x / (1 + 2^−y), within 3e-6 of itself: x times the sigmoid of y · ln 2. */
function gated(x: v128, y: v128): v128 {
  const power = powerOfTwo(f32x4.pmin(f32x4.neg(y), f32x4.splat(126)));
  return f32x4.div(x, f32x4.add(power, f32x4.splat(1)));
}

/** tanh x, with an error of 2e-7. */
export function tanh(x: v128): v128 {
  const doubled = sigmoid(f32x4.add(x, x));
  return f32x4.sub(f32x4.add(doubled, doubled), f32x4.splat(1));
}

/** The complementary error function of |x| within 1.2e-7 of itself (Chebyshev fit: erfcc in Press et al., Numerical Recipes). */
function erfcOfAbsolute(x: v128): v128 {
  const z = f32x4.abs(x);
  const t = f32x4.div(f32x4.splat(1), f32x4.add(f32x4.splat(1), f32x4.mul(z, f32x4.splat(0.5))));
  let p = f32x4.splat(0.17087277);
  p = f32x4.add(f32x4.mul(p, t), f32x4.splat(-0.82215223));
  p = f32x4.add(f32x4.mul(p, t), f32x4.splat(1.48851587));
  p = f32x4.add(f32x4.mul(p, t), f32x4.splat(-1.13520398));
  p = f32x4.add(f32x4.mul(p, t), f32x4.splat(0.27886807));
  p = f32x4.add(f32x4.mul(p, t), f32x4.splat(-0.18628806));
  p = f32x4.add(f32x4.mul(p, t), f32x4.splat(0.09678418));
  p = f32x4.add(f32x4.mul(p, t), f32x4.splat(0.37409196));
  p = f32x4.add(f32x4.mul(p, t), f32x4.splat(1.00002368));
  p = f32x4.add(f32x4.mul(p, t), f32x4.splat(-1.26551223));
  return f32x4.mul(t, exponential(f32x4.sub(p, f32x4.mul(z, z))));
}

/** The activation with this number in layout/activations.ts. */
export function activate(x: v128, activation: i32): v128 {
  if (activation == silu) return f32x4.mul(x, sigmoid(x));
  if (activation == relu) return f32x4.max(x, f32x4.splat(0));
  // 1.702 and, below, 2 √(2 / π), times log₂ e.
  if (activation == quickGelu) return gated(x, f32x4.mul(x, f32x4.splat(2.4554669595930156)));
  if (activation == geluTanh) {
    // 0.5 x (1 + tanh u) = x · sigmoid(2 u)
    const cubed = f32x4.mul(f32x4.mul(x, x), f32x4.mul(x, f32x4.splat(0.044715)));
    return gated(x, f32x4.mul(f32x4.add(x, cubed), f32x4.splat(2.302208198144325)));
  }
  const tail = f32x4.mul(erfcOfAbsolute(f32x4.mul(x, f32x4.splat(0.7071067811865476))), f32x4.splat(0.5));
  const below = v128.bitselect(f32x4.sub(f32x4.splat(1), tail), tail, f32x4.ge(x, f32x4.splat(0)));
  return f32x4.mul(x, below);
}
