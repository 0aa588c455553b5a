// The engine's view of a model package: the part of its manifest that the engine needs, and the formats of the two files that only this project
// has: the expansion recipe and the self-test. Types only; the converter writes the files.

/** One ONNX graph with its external data; paths are relative to the package folder. */
export interface GraphFiles {
  readonly path: string;
  readonly data: readonly string[];
  readonly bits: 4 | 8 | 16 | 32;
  readonly expanded?: { readonly path: string; readonly recipe: string; readonly bytes: number } | undefined;
  /** A decoder's graph over the same data for devices that replay a recorded decode step (convert/onnx/decoder.ts, buildDecoder). */
  readonly replayable?: string | undefined;
  /** A decoder's graphs over the same data with inputs for a LoRA adapter. */
  readonly adaptable?: AdaptableGraph | undefined;
}

export interface AdaptableGraph {
  readonly path: string;
  /** The graph with f32 weights, where the plain graph has such a version; its data are made by the same recipe. */
  readonly expanded?: string | undefined;
  /** Identifies the decoder's original weights, whatever they are quantized to. An adapter fits where its own `fits` is the same. */
  readonly fits: string;
  /** The sites of every layer; each has graph inputs lora.{layer}.{name}.down [inputs, rank] and .up [rank, outputs]. */
  readonly sites: readonly AdapterSite[];
}

/** One matrix product of a layer. The outputs of several parts are concatenated. */
export interface AdapterSite {
  readonly name: string;
  readonly inputs: number;
  readonly parts: readonly {
    /** The matrix's name within a layer of Hugging Face's Llama, for example "self_attn.q_proj". */
    readonly of: string;
    readonly outputs: number;
  }[];
}

/** A LoRA adapter for a package that it fits; an AdapterManifest satisfies it. */
export interface AdapterInfo {
  readonly model: {
    readonly id: string;
    readonly name: string;
    readonly template: string;
    readonly imageAspect: "pad" | "crop" | "resize";
  };
  readonly adapter: {
    /** The `fits` of the base model's AdaptableGraph. */
    readonly fits: string;
    readonly baseName: string;
    readonly bits: 16 | 32;
    /** JSON: AdapterIndex. */
    readonly index: string;
    readonly data: string;
    /** Its own projector: tower_features → image_features (and image_newline). */
    readonly projector?: GraphFiles | undefined;
  };
}

/**
 * Where an adapter's matrices lie in its data: per adapted weight `down` [inputs, rank] at `offset`, directly followed by `up`
 * [rank, outputs]. Little-endian floats of the adapter's bits; `up` is already multiplied by the scale (alpha / rank).
 */
export interface AdapterIndex {
  readonly version: 1;
  readonly weights: readonly {
    readonly layer: number;
    readonly of: string;
    readonly rank: number;
    readonly offset: number;
  }[];
}

/** How a picture is encoded whole and in tiles: LLaVA-1.6's and OneVision's "anyres". */
export interface PictureTiles {
  /** The canvas sizes (grid pinpoints) that a picture may be fitted into, in pixels, height first. */
  readonly pinpoints: readonly (readonly [number, number])[];
  /** Rows of features on a tile's side. */
  readonly side: number;
  /** The most tiles' worth of features that the grid may take; a larger feature map is downsampled. */
  readonly most?: number | undefined;
  /** Whether only a prompt's single picture is tiled; several become a square each, as `imageAspect` says. */
  readonly onlyAlone: boolean;
}

/** How a picture is cut into squares of the tower's size: Idefics3's and SmolVLM's way. */
export interface PictureSquares {
  /** Pixels that the longest side of a picture is scaled to before it is cut. */
  readonly longestEdge: number;
  readonly filter: "lanczos" | "bicubic";
  /** Rows of features of a square. */
  readonly rows: number;
}

/** What the engine must know of a package beyond its Hugging Face config files; a Manifest satisfies it. */
export interface PackageInfo {
  readonly model: {
    readonly id: string;
    readonly name: string;
    readonly template: string;
    readonly imageAspect: "pad" | "crop" | "resize";
    /** Rows that one picture takes in the prompt; with tiles the most that it may take. */
    readonly imageTokens: number;
    readonly tiles?: PictureTiles | undefined;
    readonly squares?: PictureSquares | undefined;
    readonly contextLength: number;
  };
  readonly graphs: { readonly vision: GraphFiles; readonly embed: GraphFiles; readonly decoder: GraphFiles };
  readonly selfTest?: string | undefined;
}

/** A run of bytes in one of the package's files. */
export interface ByteRange {
  readonly path: string;
  readonly offset: number;
  readonly bytes: number;
}

/**
 * How to fill the external data of an f32 graph from the package's quantized files (JSON at `expanded.recipe`).
 * `file.path` is the external-data name the f32 graph refers to; each tensor's `offset` is where its f32 values go.
 */
export interface Expansion {
  readonly version: 1;
  readonly files: readonly {
    readonly path: string;
    readonly bytes: number;
    readonly tensors: readonly ExpansionTensor[];
  }[];
}

export type ExpansionTensor =
  | { readonly kind: "copy"; readonly offset: number; readonly from: ByteRange }
  | {
      /** Block-wise quantized [rows, cols]: `data` uint8 [rows, ceil(cols/block), block*bits/8], low nibble first; `scales` f32 [rows, ceil(cols/block)]; value = (q − zero) · scale. */
      readonly kind: "quantized";
      readonly offset: number;
      readonly bits: 4 | 8;
      readonly block: number;
      readonly rows: number;
      readonly cols: number;
      /** true: the f32 tensor is [cols, rows] (a MatMul's right-hand side); false: [rows, cols]. */
      readonly transpose: boolean;
      readonly data: ByteRange;
      readonly scales: ByteRange;
      /** uint8, packed like `data`, one value per block; absent means 8 (4-bit) or 128 (8-bit). */
      readonly zeroPoints?: ByteRange | undefined;
      /** f32 [rows, ceil(cols/block)]; added to a block's values. */
      readonly offsets?: ByteRange | undefined;
    };

/**
 * A few golden numbers (JSON at `selfTest`): one picture made by formula (channel c of pixel x,y is (x·7 + y·13 + c·29) mod 256, at
 * the vision tower's size) followed by `promptIds` around it, run through all three graphs; the last position's logits at `positions`.
 */
export interface SelfTest {
  readonly version: 1;
  /** Prompt with one image token where the picture's features go. */
  readonly promptIds: readonly number[];
  readonly positions: readonly number[];
  readonly logits: readonly number[];
  /** Largest allowed |difference|, in logits. */
  readonly tolerance: number;
}
