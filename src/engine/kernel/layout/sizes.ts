// Sizes that kernels and their hosts have to agree on. See team.ts for the rules of this folder.

/** Positions in a block of the decoder's keys and values. */
export const kvBlockRows = 64;
/** Query rows whose attention a thread of the decoder computes at a time, at most. */
export const attendedRows = 8;
/** Bytes of an attention state before its weighted values: the largest score and the sum of weights, padded to a vector. */
export const stateHeadBytes = 16;
/** Bytes of a matrix product's scratch before the unpacked weights. */
export const spillBytes = 64;
/** Added to a matrix's bits: 16 columns share a scale, and not 32. Not beside zero points. */
export const halves = 256;
/** Added to a matrix's bits: it has offsets in the place of zero points. */
export const hasOffsets = 512;
/** Bytes for unpacked weights, at least. */
export const leastUnpackedBytes = 65536;
