// The rotary embedding in a checkpoint's config.json: its frequencies, and what its scaling changes beside them. Names and formulas are those
// of transformers' modeling_rope_utils.py.
import * as v from "valibot";
import { badCheckpoint } from "#convert/checkpoint/bad-checkpoint.ts";
import { positive } from "./config-fields.ts";

const factors = v.pipe(v.array(positive), v.maxLength(4096));

/** `rope_scaling`, or `rope_parameters` in newer files. */
export const Rope = v.looseObject({
  rope_type: v.optional(v.string()),
  type: v.optional(v.string()),
  rope_theta: v.optional(positive),
  factor: v.nullish(positive),
  low_freq_factor: v.optional(positive),
  high_freq_factor: v.optional(positive),
  original_max_position_embeddings: v.nullish(positive),
  attention_factor: v.nullish(positive),
  beta_fast: v.nullish(positive),
  beta_slow: v.nullish(positive),
  mscale: v.nullish(v.number()),
  mscale_all_dim: v.nullish(v.number()),
  truncate: v.nullish(v.boolean()),
  short_factor: v.nullish(factors),
  long_factor: v.nullish(factors),
  partial_rotary_factor: v.nullish(positive),
});

/** What the text config says of positions. */
export interface RopeStated {
  readonly theta: number;
  readonly headSize: number;
  /** max_position_embeddings. */
  readonly context: number;
  readonly originalContext: number | undefined;
  readonly partial: number | undefined;
  readonly rope: v.InferOutput<typeof Rope>;
}

export interface Rotary {
  /** Per pair of channels, in radians per position, f32 [headSize / 2]. */
  readonly frequencies: Float32Array;
  /** What cosines and sines are multiplied with. */
  readonly factor: number;
  /** Positions up to which these frequencies hold. */
  readonly context: number;
}

/** The model's rotary embedding; throws EngineError("bad-checkpoint") that names the scaling which is not known. */
export function rotary(stated: RopeStated): Rotary {
  const { theta, headSize, context, rope } = stated;
  const partial = rope.partial_rotary_factor ?? stated.partial ?? 1;
  if (partial !== 1) {
    throw badCheckpoint(
      `partial_rotary_factor is ${partial}: decoders that rotate a part of each head (Phi-2, Phi-4-mini, StableLM) are not supported; ` +
        "take a model whose decoder rotates whole heads, or let a server run this one",
    );
  }
  const wavelengths = Float32Array.from({ length: headSize / 2 }, (_, i) => theta ** ((2 * i) / headSize));
  const plain = wavelengths.map((wavelength) => 1 / wavelength);

  const type = rope.rope_type ?? rope.type ?? "default";
  switch (type) {
    case "default":
      return { frequencies: plain, factor: 1, context };
    case "linear":
      return { frequencies: plain.map((value) => value / (rope.factor ?? 1)), factor: 1, context };
    case "dynamic":
      // Changes frequencies for texts that are longer than max_position_embeddings; none is, here.
      return { frequencies: plain, factor: 1, context };
    case "llama3":
      return { frequencies: llama3(plain, rope), factor: 1, context };
    case "yarn":
      return { ...yarn(plain, stated), context };
    case "longrope":
    case "su":
      return longRope(wavelengths, stated);
    default:
      throw badCheckpoint(
        `rotary scaling "${type}" is unknown; known are default, linear, dynamic, llama3, yarn, longrope (also called su)`,
      );
  }
}

function llama3(plain: Float32Array, rope: RopeStated["rope"]): Float32Array {
  const factor = rope.factor ?? 1;
  const low = rope.low_freq_factor ?? 1;
  const high = rope.high_freq_factor ?? 4;
  const original = rope.original_max_position_embeddings ?? 8192;
  return plain.map((frequency) => {
    const turns = (original * frequency) / (2 * Math.PI);
    if (turns > high) return frequency;
    if (turns < low) return frequency / factor;
    const smooth = (turns - low) / (high - low);
    return ((1 - smooth) * frequency) / factor + smooth * frequency;
  });
}

/** Fast channels keep their frequencies, slow ones are stretched by `factor`, and those between are mixed (arXiv 2309.00071). */
function yarn(plain: Float32Array, { theta, headSize, context, originalContext, rope }: RopeStated) {
  const original = rope.original_max_position_embeddings ?? originalContext ?? context;
  const factor = rope.factor ?? context / original;
  /** The channel that makes this many turns within the original context. */
  const channelOf = (turns: number): number =>
    (headSize * Math.log(original / (turns * 2 * Math.PI))) / (2 * Math.log(theta));
  const [first, last] = [channelOf(rope.beta_fast ?? 32), channelOf(rope.beta_slow ?? 1)];
  const whole = rope.truncate !== false;
  const low = Math.max(whole ? Math.floor(first) : first, 0);
  const high = Math.min(whole ? Math.ceil(last) : last, headSize - 1);
  const width = low === high ? 0.001 : high - low;
  const frequencies = plain.map((frequency, i) => {
    const stretched = Math.min(Math.max((i - low) / width, 0), 1);
    return (frequency / factor) * stretched + frequency * (1 - stretched);
  });
  const grown = (by: number): number => (factor <= 1 ? 1 : 0.1 * by * Math.log(factor) + 1);
  const { mscale, mscale_all_dim: all } = rope;
  const stated = mscale && all ? grown(mscale) / grown(all) : grown(1);
  return { frequencies, factor: rope.attention_factor ?? stated };
}

/**
 * Two sets of factors: one for texts within the original context, one for all positions of a longer one, whose keys are computed anew.
 * A cache can't hold both, so the context ends where the first set does.
 */
function longRope(wavelengths: Float32Array, { headSize, context, originalContext, rope }: RopeStated): Rotary {
  const original = rope.original_max_position_embeddings ?? originalContext ?? context;
  const ratio = rope.factor ?? context / original;
  const short = rope.short_factor;
  if (short?.length !== headSize / 2) {
    throw badCheckpoint(
      `rope_scaling.short_factor has ${short?.length ?? "no"} numbers, and heads of ${headSize} channels need ${headSize / 2}`,
    );
  }
  const stated = ratio <= 1 ? 1 : Math.sqrt(1 + Math.log(ratio) / Math.log(original));
  return {
    frequencies: wavelengths.map((wavelength, i) => 1 / Math.fround(Math.fround(short[i] ?? 1) * wavelength)),
    factor: rope.attention_factor ?? stated,
    context: Math.min(context, original),
  };
}
