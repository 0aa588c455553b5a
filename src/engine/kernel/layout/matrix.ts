// How a kernel finds a block-quantized matrix, in bytes. Read by kernels/matrix.ts, written by memory.ts; see team.ts for the rules of this folder.

/** 4 or 8 per weight, plus `halves` and `hasOffsets` where they hold. */
export const bits = 0;
export const rows = 4;
/** A multiple of 32. */
export const columns = 8;
/** Address of the packed weights [rows, columns]. */
export const data = 12;
/** Address of f32 [rows, columns / run]. */
export const scales = 16;
/** Address of the packed zero points [rows, columns / 32], or 0; with `hasOffsets` of f32 [rows, columns / run], which are added to the weights. */
export const zeroPoints = 20;
/** Address of f32 [rows], or 0. */
export const bias = 24;

export const bytes = 28;
