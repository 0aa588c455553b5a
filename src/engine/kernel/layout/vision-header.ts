// The vision kernel's fields in the header, in bytes. Read by kernels/vision.ts, written by vision.ts; see team.ts for the rules of this folder.
// Buffers are addresses. Quantized rows are i16 with an f32 scale per block of 32. Rows that matrix products read or write are padded to whole fours,
// and some buffers share their place with others that are needed at other times (see vision.ts).

/** The patches' rows, and the class row where there is one. */
export const rows = 28;
export const hidden = 32;
export const ffn = 36;
export const heads = 40;
/** A multiple of 8. */
export const headSize = 44;
export const blocks = 48;
/** f32 */
export const epsilon = 52;
/** The blocks' activation, one of activations.ts. */
export const activation = 56;
export const channels = 60;
/** Pixels on a patch's side. */
export const patch = 64;
/** Pixels on the picture's side. */
export const image = 68;
/** First rows that the projector does not get. */
export const dropped = 72;
/** Matrices of the projector: one, or two with a Gelu between. */
export const projections = 76;
/** f32 [channels, image, image] */
export const pixels = 80;
/** f32 [rows, channels · patch²] */
export const patches = 84;
/** Weights of the patches' convolution in panels, f32 [hidden / 8, channels · patch², 8]. */
export const patchWeights = 88;
/** f32 [hidden], or 0 */
export const classRow = 92;
/** f32 [rows, hidden] */
export const positions = 96;
/** Addresses of a norm's weights and biases, or 0. */
export const preNorm = 100;
/** The residual stream, f32 [rows, hidden], whole fours. */
export const stream = 104;
/** What a block adds to it, f32 [rows, hidden]; a block's queries before that, and what attention makes of them. */
export const update = 108;
/** Quantized rows, i16 [rows, hidden]. */
export const quantized = 112;
export const quantizedScales = 116;
/** The MLP's inner rows, quantized, i16 [rows, max(ffn, projected)]. */
export const wide = 120;
export const wideScales = 124;
/** Panels, f32 [heads, rows / 8, headSize, 8]. */
export const keys = 128;
/** Panels, i16 [heads, headSize / 8, rows / 2, 8, 2]. */
export const values = 132;
/** f32 [heads, headSize / 8, rows / 32, 8] */
export const valueScales = 136;
/** Blocks, each as in vision-block.ts. */
export const blockTable = 140;
/** The projector's matrices, as in matrix.ts. */
export const projector = 144;
/** f32 [rows, projected] */
export const out = 148;
/** Scratch of `scratchBytes` per thread. */
export const scratch = 152;
export const scratchBytes = 156;
/** A mixture's second tower, as in classifier.ts, or 0. */
export const classifier = 160;
/** Addresses of the weights and biases of a norm after the last block, or 0. */
export const postNorm = 164;
/** Side of the square of patches that become one row of the projector's input. */
export const shuffle = 168;
/** The projector's activation, one of activations.ts. */
export const projectorActivation = 172;
/** 1 where activations may be in digits of 8 bits (kernels/digits.ts), which all matrices of the tower have to allow; else 0. */
export const digits = 176;
