// What a mixture's second tower does outside the kernel: before a run it makes the pixels of both towers, after a run the tokens of the top-k
// classes and the photograph score.
import type { ClassifierPlan, TransformerSizes } from "./classifier.ts";
import type { KernelMemory } from "./memory.ts";

export interface Classifier {
  /** The address of its table in the kernel's memory. */
  readonly table: number;
  /** Takes a picture normalized as CLIP's, f32 [3, image, image], as input; returns the transformer's pixels, [3, side, side]. */
  setPixels(pixels: Float32Array): Float32Array;
  /** After a run: the top-k classes' tokens [count, projected], and the photograph score (above 0 for a photograph). */
  result(): { readonly tokens: Float32Array; readonly photograph: number };
}

/** The weights used here, outside the kernel. */
export interface Constants {
  readonly pixels: { readonly gain: Float32Array; readonly shift: Float32Array };
  readonly towerPixels: { readonly gain: Float32Array; readonly shift: Float32Array };
  readonly resize: Float32Array;
  readonly limits: readonly [number, number];
  readonly vectors: Float32Array;
  readonly least: number;
  readonly shares: { readonly first: Float32Array; readonly firstBias: Float32Array; readonly second: Float32Array; readonly secondBias: Float32Array }; // prettier-ignore
  readonly rank: Float32Array;
  readonly photograph: { readonly weight: Float32Array; readonly bias: Float32Array };
}

/** Addresses in the kernel's memory, and the size of the last feature map. */
interface Places {
  readonly table: number;
  readonly pixels: number;
  readonly logits: number;
  readonly map: number;
  readonly cells: number;
  readonly channels: number;
}

export class LoadedClassifier implements Classifier {
  readonly #own: KernelMemory;
  readonly #plan: ClassifierPlan;
  readonly #transformer: TransformerSizes;
  readonly #places: Places;
  readonly #constants: Constants;

  constructor(
    own: KernelMemory,
    plan: ClassifierPlan,
    transformer: TransformerSizes,
    places: Places,
    constants: Constants,
  ) {
    [this.#own, this.#plan, this.#transformer] = [own, plan, transformer];
    [this.#places, this.#constants] = [places, constants];
  }

  get table(): number {
    return this.#places.table;
  }

  setPixels(pixels: Float32Array): Float32Array {
    const { image } = this.#transformer;
    const { pixels: scaling, towerPixels, resize, limits } = this.#constants;
    const area = image * image;
    const classed = this.#own.floats.subarray(this.#places.pixels >> 2, (this.#places.pixels >> 2) + 3 * area);
    for (let color = 0; color < 3; color++) {
      const [gain, shift] = [scaling.gain[color] ?? 1, scaling.shift[color] ?? 0];
      for (let i = color * area; i < (color + 1) * area; i++) classed[i] = (pixels[i] ?? 0) * gain + shift;
    }
    const small = resized(classed, image, resize);
    const each = small.length / 3;
    return small.map((value, i) => {
      const color = Math.floor(i / each);
      const within = Math.min(Math.max(value, limits[0]), limits[1]);
      return within * (towerPixels.gain[color] ?? 1) + (towerPixels.shift[color] ?? 0);
    });
  }

  result(): { readonly tokens: Float32Array; readonly photograph: number } {
    const { logits, map, cells, channels } = this.#places;
    const { tokens } = this.#plan;
    const floats = this.#own.floats;
    const shares = softmax(floats.subarray(logits >> 2, (logits >> 2) + tokens.classes.rows));
    const likeliest = [...shares.keys()]
      .sort((a, b) => (shares[b] ?? 0) - (shares[a] ?? 0) || a - b)
      .slice(0, tokens.count);
    const { projected } = this.#transformer;
    const out = new Float32Array(tokens.count * projected);
    likeliest.forEach((id, row) => {
      out.set(this.#token(id, shares[id] ?? 0, row), row * projected);
    });
    const { weight, bias } = this.#constants.photograph;
    let photograph = bias[0] ?? 0;
    for (let i = 0; i < cells * channels; i++) {
      photograph += ((floats[(map >> 2) + i] ?? 0) * (weight[i % channels] ?? 0)) / cells;
    }
    return { tokens: out, photograph };
  }

  /** The sum of a class's embedding, its rank's embedding, and the MLP of its probability. */
  #token(id: number, share: number, row: number): Float32Array {
    const { vectors, rank, shares, least } = this.#constants;
    const { projected } = this.#transformer;
    const width = shares.firstBias.length;
    const logged = Math.log(share + least);
    const inner = shares.firstBias.map((bias, i) => gelu((shares.first[i] ?? 0) * share + (shares.first[width + i] ?? 0) * logged + bias)); // prettier-ignore
    return Float32Array.from({ length: projected }, (_, channel) => {
      let sum = shares.secondBias[channel] ?? 0;
      inner.forEach((value, i) => (sum += value * (shares.second[i * projected + channel] ?? 0)));
      return sum + (vectors[id * projected + channel] ?? 0) + (rank[row * projected + channel] ?? 0);
    });
  }
}

/** Resizes [3, from, from] to [3, to, to] by a banded matrix [to, from] on both axes; only the non-zero weights of a row are used. */
function resized(pixels: Float32Array, from: number, matrix: Float32Array): Float32Array<ArrayBuffer> {
  const to = matrix.length / from;
  const taps = Array.from({ length: to }, (_, row) => {
    const weights = matrix.subarray(row * from, (row + 1) * from);
    const first = weights.findIndex((weight) => weight !== 0);
    return { first, weights: weights.slice(first, weights.findLastIndex((weight) => weight !== 0) + 1) };
  });
  const across = new Float32Array(3 * from * to);
  for (let line = 0; line < 3 * from; line++) {
    taps.forEach(({ first, weights }, column) => {
      let sum = 0;
      for (let i = 0; i < weights.length; i++) sum += (weights[i] ?? 0) * (pixels[line * from + first + i] ?? 0);
      across[line * to + column] = sum;
    });
  }
  const small = new Float32Array(3 * to * to);
  for (let color = 0; color < 3; color++) {
    taps.forEach(({ first, weights }, row) => {
      const line = small.subarray((color * to + row) * to, (color * to + row + 1) * to);
      for (let i = 0; i < weights.length; i++) {
        const source = (color * from + first + i) * to;
        for (let column = 0; column < to; column++) line[column] = (line[column] ?? 0) + (weights[i] ?? 0) * (across[source + column] ?? 0); // prettier-ignore
      }
    });
  }
  return small;
}

function softmax(logits: Float32Array): Float32Array<ArrayBuffer> {
  const largest = logits.reduce((most, value) => Math.max(most, value), -Infinity);
  const weights = Float32Array.from(logits, (value) => Math.exp(value - largest));
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight) => weight / sum);
}

/** x · Φ(x), with the error function of Abramowitz & Stegun 7.1.26 (error below 1.5e-7). */
function gelu(x: number): number {
  const z = Math.abs(x) / Math.SQRT2;
  const t = 1 / (1 + 0.3275911 * z);
  const poly = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  const erf = (1 - poly * Math.exp(-z * z)) * Math.sign(x);
  return 0.5 * x * (1 + erf);
}
