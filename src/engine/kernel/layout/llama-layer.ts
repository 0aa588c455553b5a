// A decoder layer in the kernel's table, in bytes: addresses of norms' weights f32 [hidden] (0 where there is no such norm), and five matrices as in
// matrix.ts. Read by kernels/llama.ts, written by llama.ts; see team.ts for the rules of this folder.
export const attentionNorm = 0;
export const mlpNorm = 4;
/** After attention and MLP, before they are added. */
export const attentionPostNorm = 8;
export const mlpPostNorm = 12;
/** Of each head's queries and keys, f32 [headSize]. */
export const queryNorm = 16;
export const keyNorm = 20;
/** How many positions each one sees, itself included; 0 for all. */
export const window = 24;
export const qkv = 28;
export const out = 56;
export const gate = 84;
export const up = 112;
export const down = 140;
/** LoRA of the same five, as in lora.ts: addresses, or 0. */
export const qkvLora = 168;
export const outLora = 172;
export const gateLora = 176;
export const upLora = 180;
export const downLora = 184;

export const bytes = 188;
