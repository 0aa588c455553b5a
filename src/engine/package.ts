// The engine's view of a model package: the part of its manifest the engine needs, and the formats of the two files
// that only this project writes: the expansion recipe and the self-test. Types only; the converter writes them.

/** One ONNX graph with its external data; paths are relative to the package folder. */
export interface GraphFiles {
  readonly path: string;
  readonly data: readonly string[];
  readonly bits: 4 | 8 | 16 | 32;
  readonly expanded?: { readonly path: string; readonly recipe: string; readonly bytes: number } | undefined;
  /** Of a decoder: the same graph over the same data, for devices that do a recorded step again (convert/onnx/decoder.ts, buildDecoder). */
  readonly replayable?: string | undefined;
  /** Of a decoder that LoRA adapters fit: the same graphs over the same data, with room for one. */
  readonly adaptable?: AdaptableGraph | undefined;
}

export interface AdaptableGraph {
  readonly path: string;
  /** With f32 weights, where the plain graph has one so; filled by the same recipe. */
  readonly expanded?: string | undefined;
  /** Tells these decoder weights from all others, at whatever width they are kept. */
  readonly fits: string;
  /** Every layer has these, each with the inputs lora.{layer}.{name}.down [inputs, rank] and .up [rank, outputs]. */
  readonly sites: readonly AdapterSite[];
}

/** One matrix product of a layer; of several parts their outputs follow one another. */
export interface AdapterSite {
  readonly name: string;
  readonly inputs: number;
  readonly parts: readonly {
    /** As Hugging Face's Llama calls it within its layer, "self_attn.q_proj". */
    readonly of: string;
    readonly outputs: number;
  }[];
}

/** A LoRA adapter beside the package it fits; an AdapterManifest satisfies it. */
export interface AdapterInfo {
  readonly model: {
    readonly id: string;
    readonly name: string;
    readonly template: string;
    readonly imageAspect: "pad" | "crop" | "resize";
  };
  readonly adapter: {
    /** As in the base's AdaptableGraph. */
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
 * Where an adapter's matrices lie in its data: per changed weight `down` [inputs, rank] at `offset` and right after it `up`
 * [rank, outputs], little-endian floats of the adapter's bits, the scale (alpha / rank) within `up`.
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

/** How a model sees a picture whole and in tiles: LLaVA-1.6's and OneVision's "anyres". */
export interface PictureTiles {
  /** Sizes that a picture may be fitted into, in pixels, height first. */
  readonly pinpoints: readonly (readonly [number, number])[];
  /** Rows of features on a tile's side. */
  readonly side: number;
  /** Features of more tiles than these are shrunk to as many. */
  readonly most?: number | undefined;
  /** Several pictures in a prompt are a square each, as `imageAspect` says. */
  readonly onlyAlone: boolean;
}

/** What the engine must know of a package beyond its Hugging Face config files; a Manifest satisfies it. */
export interface PackageInfo {
  readonly model: {
    readonly id: string;
    readonly name: string;
    readonly template: string;
    readonly imageAspect: "pad" | "crop" | "resize";
    /** Rows that one picture takes in the prompt; of pictures in tiles the most it may take. */
    readonly imageTokens: number;
    readonly tiles?: PictureTiles | undefined;
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
