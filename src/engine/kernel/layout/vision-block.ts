// A block of the vision tower in the kernel's table, in bytes: two norms, each the addresses of its weights and its biases f32 [hidden], and four
// matrices as in matrix.ts. Read by kernels/vision.ts, written by vision.ts; see team.ts for the rules of this folder.
export const attentionNorm = 0;
export const mlpNorm = 8;
export const qkv = 16;
export const out = 44;
export const wide = 72;
export const narrow = 100;

export const bytes = 128;
