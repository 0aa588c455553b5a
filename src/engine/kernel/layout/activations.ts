// Activation functions by number. Read by kernels/functions.ts, written by vision.ts; see team.ts for the rules of this folder.
export const quickGelu = 0;
export const geluTanh = 1;
export const gelu = 2;
