// The towers and language models that the zoo's models are made of, by their published configs. Data only.
import type { DecoderShape, ModelShape, TowerShape } from "./shape.ts";

const clipLarge = { hidden: 1024, intermediate: 4096, layers: 24, layersUsed: 23, patchSize: 14, hasClassToken: true };
/** CLIP ViT-L/14 for pictures of 336 pixels, the last block left out. */
export const clip336: TowerShape = { ...clipLarge, imageSize: 336 };
export const clip224: TowerShape = { ...clipLarge, imageSize: 224 };
const siglip = { hidden: 1152, intermediate: 4304, patchSize: 14, hasClassToken: false };
/** SigLIP so400m for pictures of 384 pixels; LLaVA-OneVision's checkpoints hold it without the last block. */
export const siglip384: TowerShape = { ...siglip, layers: 26, layersUsed: 26, imageSize: 384 };
export const siglip384Whole: TowerShape = { ...siglip, layers: 27, layersUsed: 26, imageSize: 384 };
const siglip384Last: TowerShape = { ...siglip, layers: 27, layersUsed: 27, imageSize: 384 };
const siglipBase512: TowerShape = {
  hidden: 768,
  intermediate: 3072,
  layers: 12,
  layersUsed: 12,
  imageSize: 512,
  patchSize: 16,
  hasClassToken: false,
};

const untied = { isTied: false } as const;
/** Llama 1 and 2, and Vicuna on them. */
export const llama7: DecoderShape = { hidden: 4096, intermediate: 11008, layers: 32, heads: 32, kvHeads: 32, vocabulary: 32064, ...untied }; // prettier-ignore
export const llama13: DecoderShape = { hidden: 5120, intermediate: 13824, layers: 40, heads: 40, kvHeads: 40, vocabulary: 32064, ...untied }; // prettier-ignore
export const llama3: DecoderShape = { hidden: 4096, intermediate: 14336, layers: 32, heads: 32, kvHeads: 8, vocabulary: 128256, ...untied }; // prettier-ignore
export const mistral7: DecoderShape = { hidden: 4096, intermediate: 14336, layers: 32, heads: 32, kvHeads: 8, vocabulary: 32064, ...untied }; // prettier-ignore
export const yi34: DecoderShape = { hidden: 7168, intermediate: 20480, layers: 60, heads: 56, kvHeads: 8, vocabulary: 64064, ...untied }; // prettier-ignore
export const phi3Mini: DecoderShape = { hidden: 3072, intermediate: 8192, layers: 32, heads: 32, kvHeads: 32, vocabulary: 32064, ...untied }; // prettier-ignore
export const qwen2Half: DecoderShape = { hidden: 896, intermediate: 4864, layers: 24, heads: 14, kvHeads: 2, vocabulary: 152000, isTied: true }; // prettier-ignore
export const qwen2Seven: DecoderShape = { hidden: 3584, intermediate: 18944, layers: 28, heads: 28, kvHeads: 4, vocabulary: 152128, ...untied }; // prettier-ignore
export const qwen15Half: DecoderShape = { hidden: 1024, intermediate: 2816, layers: 24, heads: 16, kvHeads: 16, vocabulary: 152000, isTied: true }; // prettier-ignore
const smol135: DecoderShape = { hidden: 576, intermediate: 1536, layers: 30, heads: 9, kvHeads: 3, vocabulary: 49280, ...untied }; // prettier-ignore
const smol360: DecoderShape = { hidden: 960, intermediate: 2560, layers: 32, heads: 15, kvHeads: 5, vocabulary: 49280, ...untied }; // prettier-ignore
const smol1700: DecoderShape = { hidden: 2048, intermediate: 8192, layers: 24, heads: 32, kvHeads: 32, vocabulary: 49280, ...untied }; // prettier-ignore

export const smolvlm256: ModelShape = { tower: siglipBase512, decoder: smol135, projector: "linear", shuffle: 4 };
export const smolvlm500: ModelShape = { tower: siglipBase512, decoder: smol360, projector: "linear", shuffle: 4 };
export const smolvlm2200: ModelShape = { tower: siglip384Last, decoder: smol1700, projector: "linear", shuffle: 3 };
