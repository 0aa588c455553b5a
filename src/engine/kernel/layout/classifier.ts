// The classifier's table in the vision kernel, in bytes. Read by kernels/classifier.ts, written by classifier.ts; see team.ts for the rules of this
// folder. A feature map is f32 [cells, channels]. Buffers are addresses; quantized rows are i16 with an f32 scale per block of 32.

export const blocks = 0;
/** Pixels on the picture's side. */
export const image = 4;
/** Channels of the stem's map, a multiple of 8. */
export const stem = 8;
/** f32 [3, image, image] */
export const pixels = 12;
/** f32 [3, 3, 3 (y, x, color), stem] */
export const stemKernel = 16;
/** f32 [stem] */
export const stemBias = 20;
/** Padding before the first pixel. */
export const stemPadding = 24;
/** Blocks read one of two maps and write the other, in turns. */
export const firstMap = 28;
export const secondMap = 32;
/** f32 [cells, the widest block's channels] */
export const wide = 36;
/** Blocks, each as in classifier-block.ts. */
export const blockTable = 40;
/** Cells and channels of the last map. */
export const cells = 44;
export const channels = 48;
/** The last map, quantized, i16 [cells, channels]. */
export const quantized = 52;
export const quantizedScales = 56;
/** The head's matrix, as in matrix.ts. */
export const head = 60;
/** f32 [head], whole blocks of 32 */
export const pooled = 64;
export const pooledQuantized = 68;
export const pooledScales = 72;
/** The classes' matrix, as in matrix.ts. */
export const classes = 76;
/** f32 [classes] */
export const logits = 80;
/** Per patch four cells of the last map, i32, then their weights, f32. */
export const spread = 84;
/** Quantized, i16 [patches, hidden + channels], whole blocks of 32. */
export const joined = 88;
export const joinedScales = 92;

export const bytes = 96;
