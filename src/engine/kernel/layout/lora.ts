// LoRA beside a matrix, in bytes: y = W x + up (down x). Read by kernels/lora.ts, written by lora-room.ts; see team.ts for the rules of this folder.
// A matrix that is several one after another, as queries, keys and values are, has a part for each; all parts share `down` and `low`.

/** Of all parts together. */
export const ranks = 0;
/** Columns of the matrix, a multiple of 32. */
export const columns = 4;
/** Address of i16 [ranks, columns] from −mostDown to mostDown, in the order of quantized rows. */
export const down = 8;
/** Address of f32 [ranks, columns / 32]. */
export const scales = 12;
/** Address where down x goes, f32 [rows, ranks]. */
export const low = 16;
/** The parts, in the order of their rows of the matrix. */
export const parts = 20;

// A part, from its start on.

/** The row of the matrix after its last. */
export const end = 0;
export const rank = 4;
/** Its first column of `low`. */
export const first = 8;
/** Address of f32 [rank, its rows of the matrix]. */
export const up = 12;

export const partBytes = 16;
export const mostParts = 3;
export const bytes = 68;

/** Sums of eight products with 16-bit activations stay within 32 bits. */
export const mostDown = 8191;
/** Rows of activations, and of `down`, in a work item. */
export const itemRows = 16;
export const itemRanks = 8;
