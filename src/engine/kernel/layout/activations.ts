// Activation functions by number. Read by kernels/functions.ts, written by vision.ts and llama.ts; see team.ts for the rules of this folder.
export const quickGelu = 0;
export const geluTanh = 1;
export const gelu = 2;
export const silu = 3;
export const relu = 4;
