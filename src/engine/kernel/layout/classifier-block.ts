// An inverted residual block of the classifier in the vision kernel's table, in bytes. Read by kernels/classifier.ts, written by classifier.ts; see
// team.ts for the rules of this folder.

/** Channels of the input, between the two products, and of the output. */
export const inputs = 0;
export const middle = 4;
export const outputs = 8;
/** Of the depthwise convolution. */
export const stride = 12;
/** Taps on the depthwise kernel's side. */
export const kernel = 16;
/** Cells on a side of the input and of the output. */
export const side = 20;
export const outSide = 24;
/** Padding before the first cell. */
export const padding = 28;
/** Whether the input is added to the output. */
export const residual = 32;
/** f32 [kernel · kernel, middle] */
export const depthwise = 36;
/** f32 [middle] */
export const depthwiseBias = 40;
/** Whether there is an `expand` matrix. */
export const expands = 44;
/** Matrices, as in matrix.ts. */
export const expand = 48;
export const project = 76;

export const bytes = 104;
