// The types of tensors in GGUF files: how many elements a block has, in how many bytes, and which integers and scales a block stands
// for. value = (q − zero) · scale + offset, with one scale (and offset) per run of elements. Knows no tensors.
import { f16Value } from "#formats/float.ts";

/** A type of elements by its name in llama.cpp. */
export interface GgufType {
  readonly name: string;
  /** Elements of a block. */
  readonly elements: number;
  /** Bytes of a block. */
  readonly bytes: number;
  /** Only of types whose blocks are read here. */
  readonly blocks?: BlockType | undefined;
}

/** Blocks of small integers. */
export interface BlockType {
  /** Bits that hold every q. */
  readonly bits: 4 | 8;
  /** Consecutive elements of a row that share a scale. */
  readonly run: 16 | 32;
  /** What q stands for zero. */
  readonly zero: number;
  /** Whether every run has an offset. */
  readonly offsets: boolean;
  /** Reads the block at `at` in the file's bytes. */
  unpack(bytes: Uint8Array, at: number, into: UnpackedBlock): void;
}

/** A block's content, in arrays for the largest block. */
export interface UnpackedBlock {
  /** An integer per element, 0 … 255. */
  readonly q: Uint8Array;
  /** One number per run. */
  readonly scales: Float32Array;
  /** One number per run; only where the type has offsets. */
  readonly offsets: Float32Array;
}

/** Elements of the largest block. */
const largestBlock = 256;

export function unpackedBlock(): UnpackedBlock {
  return { q: new Uint8Array(largestBlock), scales: new Float32Array(16), offsets: new Float32Array(16) };
}

const half = (bytes: Uint8Array, at: number): number => f16Value((bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8));

/** Elements j and j + 16 share a byte, the low nibble first. */
function nibbles(bytes: Uint8Array, at: number, q: Uint8Array): void {
  for (let j = 0; j < 16; j++) {
    const byte = bytes[at + j] ?? 0;
    q[j] = byte & 15;
    q[j + 16] = byte >> 4;
  }
}

/** The fifth bits of 32 elements, in four bytes. */
function fifthBits(bytes: Uint8Array, at: number, q: Uint8Array): void {
  for (let j = 0; j < 32; j++) q[j] = (q[j] ?? 0) | ((((bytes[at + (j >> 3)] ?? 0) >> (j & 7)) & 1) << 4);
}

const q4_0: BlockType = {
  bits: 4,
  run: 32,
  zero: 8,
  offsets: false,
  unpack(bytes, at, { q, scales }) {
    scales[0] = half(bytes, at);
    nibbles(bytes, at + 2, q);
  },
};

const q4_1: BlockType = {
  bits: 4,
  run: 32,
  zero: 0,
  offsets: true,
  unpack(bytes, at, { q, scales, offsets }) {
    scales[0] = half(bytes, at);
    offsets[0] = half(bytes, at + 2);
    nibbles(bytes, at + 4, q);
  },
};

const q5_0: BlockType = {
  bits: 8,
  run: 32,
  zero: 16,
  offsets: false,
  unpack(bytes, at, { q, scales }) {
    scales[0] = half(bytes, at);
    nibbles(bytes, at + 6, q);
    fifthBits(bytes, at + 2, q);
  },
};

const q5_1: BlockType = {
  bits: 8,
  run: 32,
  zero: 0,
  offsets: true,
  unpack(bytes, at, { q, scales, offsets }) {
    scales[0] = half(bytes, at);
    offsets[0] = half(bytes, at + 2);
    nibbles(bytes, at + 8, q);
    fifthBits(bytes, at + 4, q);
  },
};

const q8_0: BlockType = {
  bits: 8,
  run: 32,
  zero: 128,
  offsets: false,
  unpack(bytes, at, { q, scales }) {
    scales[0] = half(bytes, at);
    // From −128 … 127 to 0 … 255.
    for (let j = 0; j < 32; j++) q[j] = (bytes[at + 2 + j] ?? 0) ^ 0x80;
  },
};

/** What the nibbles of IQ4_NL stand for, plus 128. */
const codebook = Uint8Array.of(1, 24, 45, 63, 79, 93, 106, 118, 129, 141, 153, 166, 181, 197, 217, 241);

const iq4_nl: BlockType = {
  bits: 8,
  run: 32,
  zero: 128,
  offsets: false,
  unpack(bytes, at, { q, scales }) {
    scales[0] = half(bytes, at);
    nibbles(bytes, at + 2, q);
    for (let j = 0; j < 32; j++) q[j] = codebook[q[j] ?? 0] ?? 0;
  },
};

/** Bytes: 16 of scales and minimums (a nibble each), 64 of two bits per element, two halves. */
const q2_k: BlockType = {
  bits: 4,
  run: 16,
  zero: 0,
  offsets: true,
  unpack(bytes, at, { q, scales, offsets }) {
    const [scale, least] = [half(bytes, at + 80), half(bytes, at + 82)];
    for (let run = 0; run < 16; run++) {
      const both = bytes[at + run] ?? 0;
      scales[run] = scale * (both & 15);
      offsets[run] = -least * (both >> 4);
    }
    for (let i = 0; i < 256; i++) {
      const byte = bytes[at + 16 + ((i >> 7) << 5) + (i & 31)] ?? 0;
      q[i] = (byte >> (2 * ((i >> 5) & 3))) & 3;
    }
  },
};

/** Bytes: 32 of third bits, 64 of two bits per element, 12 of scales of six bits, a half. */
const q3_k: BlockType = {
  bits: 4,
  run: 16,
  zero: 4,
  offsets: false,
  unpack(bytes, at, { q, scales }) {
    const scale = half(bytes, at + 108);
    for (let run = 0; run < 16; run++) {
      const low = ((bytes[at + 96 + (run & 7)] ?? 0) >> (run < 8 ? 0 : 4)) & 15;
      const high = ((bytes[at + 104 + (run & 3)] ?? 0) >> (2 * (run >> 2))) & 3;
      scales[run] = scale * ((low | (high << 4)) - 32);
    }
    for (let i = 0; i < 256; i++) {
      const byte = bytes[at + 32 + ((i >> 7) << 5) + (i & 31)] ?? 0;
      const low = (byte >> (2 * ((i >> 5) & 3))) & 3;
      const high = ((bytes[at + (i & 31)] ?? 0) >> (i >> 5)) & 1;
      q[i] = low | (high << 2);
    }
  },
};

/** Eight pairs of a scale and a minimum of six bits each, in 12 bytes; times the block's two halves. */
function scalesAndOffsets(bytes: Uint8Array, at: number, { scales, offsets }: UnpackedBlock): void {
  const [scale, least] = [half(bytes, at), half(bytes, at + 2)];
  const byte = (i: number): number => bytes[at + 4 + i] ?? 0;
  for (let run = 0; run < 4; run++) {
    scales[run] = scale * (byte(run) & 63);
    offsets[run] = -least * (byte(run + 4) & 63);
    scales[run + 4] = scale * ((byte(run + 8) & 15) | ((byte(run) >> 6) << 4));
    offsets[run + 4] = -least * ((byte(run + 8) >> 4) | ((byte(run + 4) >> 6) << 4));
  }
}

/** 64 elements lie in 32 bytes, the first 32 in the low nibbles. */
function wideNibbles(bytes: Uint8Array, at: number, q: Uint8Array): void {
  for (let i = 0; i < 128; i++) {
    const byte = bytes[at + i] ?? 0;
    const to = ((i >> 5) << 6) | (i & 31);
    q[to] = byte & 15;
    q[to + 32] = byte >> 4;
  }
}

const q4_k: BlockType = {
  bits: 4,
  run: 32,
  zero: 0,
  offsets: true,
  unpack(bytes, at, into) {
    scalesAndOffsets(bytes, at, into);
    wideNibbles(bytes, at + 16, into.q);
  },
};

/** As Q4_K, with 32 bytes of fifth bits before the nibbles. */
const q5_k: BlockType = {
  bits: 8,
  run: 32,
  zero: 0,
  offsets: true,
  unpack(bytes, at, into) {
    scalesAndOffsets(bytes, at, into);
    wideNibbles(bytes, at + 48, into.q);
    for (let i = 0; i < 256; i++) {
      const bit = ((bytes[at + 16 + (i & 31)] ?? 0) >> (i >> 5)) & 1;
      into.q[i] = (into.q[i] ?? 0) | (bit << 4);
    }
  },
};

/** Bytes: 128 of low nibbles, 64 of two high bits per element, 16 signed scales, a half. */
const q6_k: BlockType = {
  bits: 8,
  run: 16,
  zero: 32,
  offsets: false,
  unpack(bytes, at, { q, scales }) {
    const scale = half(bytes, at + 208);
    for (let run = 0; run < 16; run++) scales[run] = scale * (((bytes[at + 192 + run] ?? 0) << 24) >> 24);
    for (let i = 0; i < 256; i++) {
      const [part, quarter] = [i >> 7, (i >> 5) & 3];
      const low = ((bytes[at + part * 64 + (i & 63)] ?? 0) >> (quarter < 2 ? 0 : 4)) & 15;
      const high = ((bytes[at + 128 + part * 32 + (i & 31)] ?? 0) >> (2 * quarter)) & 3;
      q[i] = low | (high << 4);
    }
  },
};

/** Types by llama.cpp's number. Without `blocks` or a float's name they are known for what they are, and not read. */
export const ggufTypes: ReadonlyMap<number, GgufType> = new Map(
  (
    [
      [0, "F32", 1, 4],
      [1, "F16", 1, 2],
      [2, "Q4_0", 32, 18, q4_0],
      [3, "Q4_1", 32, 20, q4_1],
      [6, "Q5_0", 32, 22, q5_0],
      [7, "Q5_1", 32, 24, q5_1],
      [8, "Q8_0", 32, 34, q8_0],
      [9, "Q8_1", 32, 40],
      [10, "Q2_K", 256, 84, q2_k],
      [11, "Q3_K", 256, 110, q3_k],
      [12, "Q4_K", 256, 144, q4_k],
      [13, "Q5_K", 256, 176, q5_k],
      [14, "Q6_K", 256, 210, q6_k],
      [15, "Q8_K", 256, 292],
      [16, "IQ2_XXS", 256, 66],
      [17, "IQ2_XS", 256, 74],
      [18, "IQ3_XXS", 256, 98],
      [19, "IQ1_S", 256, 50],
      [20, "IQ4_NL", 32, 18, iq4_nl],
      [21, "IQ3_S", 256, 110],
      [22, "IQ2_S", 256, 82],
      [23, "IQ4_XS", 256, 136],
      [24, "I8", 1, 1],
      [25, "I16", 1, 2],
      [26, "I32", 1, 4],
      [27, "I64", 1, 8],
      [28, "F64", 1, 8],
      [29, "IQ1_M", 256, 56],
      [30, "BF16", 1, 2],
      [34, "TQ1_0", 256, 54],
      [35, "TQ2_0", 256, 66],
      [39, "MXFP4", 32, 17],
      [40, "NVFP4", 64, 36],
      [41, "Q1_0", 128, 18],
    ] as const satisfies readonly (readonly [number, string, number, number, BlockType?])[]
  ).map(([id, name, elements, bytes, blocks]) => [id, { name, elements, bytes, blocks }]),
);
