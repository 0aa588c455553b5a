// The decoder kernel's fields in the header, in bytes. Read by kernels/llama.ts, written by llama.ts; see team.ts for the rules of this folder.
// Buffers are addresses. Quantized rows are i16 with an f32 scale per block of 32.

export const rows = 28;
/** Position of the first row. */
export const start = 32;
/** How many of the last rows need logits. */
export const keep = 36;
export const hidden = 40;
export const ffn = 44;
export const heads = 48;
export const kvHeads = 52;
export const headSize = 56;
export const layers = 60;
export const vocab = 64;
/** f32 */
export const epsilon = 68;
/** The residual stream, f32 [rows, hidden]. */
export const stream = 72;
/** What a layer adds to it, f32 [rows, hidden]. */
export const update = 76;
/** Quantized rows, i16 [rows, max(hidden, heads · headSize)]. */
export const quantized = 80;
export const quantizedScales = 84;
/** The MLP's gated rows, quantized, i16 [rows, ffn]. */
export const gated = 88;
export const gatedScales = 92;
/** f32 [rows, (heads + 2 kvHeads) · headSize] */
export const qkv = 96;
/** f32 [keep, vocab] */
export const logits = 100;
/** Cosines, then sines, of the rows' rotary angles: f32 [rows, 2, headSize / 2]. */
export const rotary = 104;
/** Addresses of blocks of keys and values, each f32 [layers, 2, kvHeads, kvBlockRows, headSize]. */
export const kvBlocks = 108;
/** Layers, each as in llama-layer.ts. */
export const layerTable = 112;
/** f32 [hidden] */
export const finalNorm = 116;
/** The output matrix, as in matrix.ts. */
export const head = 120;
/** Scratch of `scratchBytes` per thread. */
export const scratch = 124;
export const scratchBytes = 128;
/** f32: what products of queries and keys are multiplied with; divided by the cap where there is one. */
export const attentionScale = 132;
/** f32: c of c · tanh(x / c) over the scores, or 0. */
export const attentionCap = 136;
/** Of the gate, by its number in activations.ts. */
export const activation = 140;
/**
 * Not 0 where LoRA may be set beside the matrices: then every job has the phases for it, also without. A helper that runs late must never find
 * another number of phases than the job that it joins.
 */
export const loraRoom = 144;
