// A decoder layer in the kernel's table, in bytes: addresses of two norms' weights f32 [hidden], and five matrices as in matrix.ts. Read by
// kernels/llama.ts, written by llama.ts; see team.ts for the rules of this folder.
export const attentionNorm = 0;
export const mlpNorm = 4;
export const qkv = 8;
export const out = 36;
export const gate = 64;
export const up = 92;
export const down = 120;

export const bytes = 148;
