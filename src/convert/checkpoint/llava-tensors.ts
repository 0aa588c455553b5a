// Finds LLaVA's tensors in a checkpoint by our own short names, whichever of Hugging Face's layouts of keys it uses.
// Knows names and shapes of sources; knows nothing of ONNX.
import { joinedForm, joinPacked, type BlockForm, type PackedBlocks } from "#formats/gguf/pack.ts";
import { badCheckpoint } from "./bad-checkpoint.ts";
import {
  isBuffer,
  joinSpans,
  scalesOf,
  type Checkpoint,
  type Span,
  type StoredValues,
  type Tensor,
  type TensorBlocks,
} from "./checkpoint.ts";

/** A matrix that reads itself in runs of rows, as f32. */
export interface Matrix {
  readonly name: string;
  readonly rows: number;
  readonly cols: number;
  readRows(start: number, count: number): Promise<Float32Array<ArrayBuffer>>; // [count, cols]
  /** The same as a file has them, unchecked; undefined where these rows are computed or lie in several files. */
  readonly readStored?: ((start: number, count: number) => Promise<StoredValues | undefined>) | undefined;
  /** What of files a read of these rows touches; undefined where that is not known. */
  spans(start: number, count: number): readonly Span[] | undefined;
  /** Of a matrix of several tensors: the rows at which one ends and the next begins. */
  readonly breaks?: readonly number[] | undefined;
  /** Where the checkpoint has it quantized already. */
  readonly blocks?: MatrixBlocks | undefined;
}

/** Rows of a matrix that is quantized already. */
export interface MatrixBlocks {
  readonly form: BlockForm;
  /** Rows in a form that holds them. */
  readonly readRows: (start: number, count: number, form: BlockForm) => Promise<PackedBlocks>;
}

const required: readonly ModelPart[] = ["text", "vision", "projector"];

/** A tensor of any shape that is read whole, as f32. */
export interface Vector {
  readonly name: string;
  readonly dims: readonly number[];
  read(): Promise<Float32Array<ArrayBuffer>>;
  /** What of files `read` touches; undefined where that is not known. */
  spans(): readonly Span[] | undefined;
}

const layouts = {
  text: ["language_model.model.", "model.language_model.", "model.language_model.model."],
  head: ["language_model.lm_head.", "lm_head.", "model.lm_head.", "model.language_model.lm_head."],
  vision: ["vision_tower.vision_model.", "model.vision_tower.vision_model.", "vision_tower.", "model.vision_tower."],
  projector: ["multi_modal_projector.", "model.multi_modal_projector."],
  newline: ["image_newline", "model.image_newline"],
  classifier: ["classifier.", "model.classifier."],
  classTokens: ["class_tokens.", "model.class_tokens."],
  photograph: ["photograph.", "model.photograph."],
} as const;
export type ModelPart = keyof typeof layouts;

/** A tensor of each part by which layouts are distinguished; the name of `newline` is complete as it is. */
const landmarks: Readonly<Record<ModelPart, string>> = {
  text: "embed_tokens.weight",
  head: "weight",
  vision: "embeddings.patch_embedding.weight",
  projector: "linear_1.weight",
  newline: "",
  classifier: "stem.weight",
  classTokens: "rank",
  photograph: "weight",
};

export class LlavaTensors {
  readonly #checkpoint: Checkpoint;
  readonly #prefixes = new Map<ModelPart, string>();
  readonly #asked = new Set<string>();

  /** `needed`: parts that the checkpoint must have. */
  constructor(checkpoint: Checkpoint, needed = required) {
    this.#checkpoint = checkpoint;
    for (const part of Object.keys(layouts) as ModelPart[]) {
      const prefix = layouts[part].find((candidate) => checkpoint.has(candidate + landmarks[part]));
      if (prefix !== undefined) this.#prefixes.set(part, prefix);
      else if (needed.includes(part)) {
        throw badCheckpoint(`the checkpoint has no tensor ${layouts[part][0]}${landmarks[part]}`);
      }
    }
  }

  /** Whether the decoder's output matrix is separate from the embeddings. */
  get hasHead(): boolean {
    return this.#prefixes.has("head");
  }

  /** Whether there is a vector that ends each row of a picture of tiles: `vector("newline", "", [hidden])`. */
  get hasNewline(): boolean {
    return this.#prefixes.has("newline");
  }

  matrix(part: ModelPart, name: string, rows: number, cols: number): Matrix {
    const tensor = this.#tensor(part, name, [rows, cols]);
    return {
      name: `${part}.${name}`,
      rows,
      cols,
      readRows: (start, count) => tensor.read(start * cols, count * cols),
      readStored: async (start, count) => tensor.readStored?.(start * cols, count * cols),
      spans: (start, count) => tensor.spans?.(start * cols, count * cols),
      blocks: tensor.blocks && {
        form: tensor.blocks.form,
        readRows: (start, count, form) => readBlocks(tensor.blocks, start * cols, count * cols, form),
      },
    };
  }

  vector(part: ModelPart, name: string, dims: readonly number[]): Vector {
    const tensor = this.#tensor(part, name, dims);
    const count = dims.reduce((product, n) => product * n, 1);
    return {
      name: `${part}.${name}`,
      dims,
      read: () => tensor.read(0, count),
      spans: () => tensor.spans?.(0, count),
    };
  }

  /** A tensor of `rows` · `cols` values in any shape, as a matrix. */
  matrixOf(vector: Vector, rows: number, cols: number): Matrix {
    let whole: Promise<Float32Array<ArrayBuffer>> | undefined;
    return {
      name: vector.name,
      rows,
      cols,
      spans: () => vector.spans(),
      async readRows(start, count) {
        whole ??= vector.read();
        return (await whole).slice(start * cols, (start + count) * cols);
      },
    };
  }

  #tensor(part: ModelPart, name: string, dims: readonly number[]): Tensor {
    const whole = (this.#prefixes.get(part) ?? layouts[part][0]) + name;
    this.#asked.add(whole).add(scalesOf(whole));
    return this.#checkpoint.scaledTensor(whole, dims);
  }

  /**
   * Throws where the decoder's layers or the projector have a tensor that no graph reads: without it the model would compute something else.
   * Of the tower there may be more, since blocks after the selected layer are left out.
   */
  refuseUnread(layers: number): void {
    const [text, projector] = [this.#prefixes.get("text") ?? "", this.#prefixes.get("projector") ?? ""];
    for (const name of this.#checkpoint.tensors.keys()) {
      const layer = name.startsWith(`${text}layers.`) ? Number(/\d+/.exec(name.slice(text.length))?.[0]) : undefined;
      const counts = layer === undefined ? name.startsWith(projector) : layer < layers;
      if (!counts || this.#asked.has(name) || isBuffer(name)) continue;
      throw badCheckpoint(
        `the checkpoint has the tensor ${name}, which a model of its config.json does not read: are both of one model?`,
      );
    }
  }
}

function readBlocks(
  blocks: TensorBlocks | undefined,
  start: number,
  count: number,
  form: BlockForm,
): Promise<PackedBlocks> {
  if (!blocks) throw new RangeError("a tensor has lost its blocks");
  return blocks.read(start, count, form);
}

/** The blocks of stacked matrices in a form that holds all of them; undefined where one has none. */
function stackBlocks(parts: readonly [Matrix, ...Matrix[]]): MatrixBlocks | undefined {
  const forms = parts.flatMap(({ blocks }) => blocks?.form ?? []);
  const [first, ...others] = forms;
  if (!first || forms.length < parts.length) return undefined;
  return {
    form: others.reduce(joinedForm, first),
    async readRows(start, count, form) {
      const read: PackedBlocks[] = [];
      let top = 0;
      for (const { rows, blocks } of parts) {
        const from = Math.max(start, top);
        const to = Math.min(start + count, top + rows);
        if (blocks && from < to) read.push(await blocks.readRows(from - top, to - from, form));
        top += rows;
      }
      const [only] = read;
      return read.length === 1 && only ? only : joinPacked(read);
    },
  };
}

/** Matrices of the same width as one, one below the other. */
export function stackMatrices(name: string, parts: readonly [Matrix, ...Matrix[]]): Matrix {
  const cols = parts[0].cols;
  const ends = parts.map((_, i) => parts.slice(0, i + 1).reduce((sum, part) => sum + part.rows, 0));
  return {
    name,
    blocks: stackBlocks(parts),
    rows: ends.at(-1) ?? 0,
    cols,
    breaks: ends.slice(0, -1),
    async readRows(start, count) {
      const out = new Float32Array(count * cols);
      let top = 0;
      for (const part of parts) {
        const from = Math.max(start, top);
        const to = Math.min(start + count, top + part.rows);
        if (from < to) out.set(await part.readRows(from - top, to - from), (from - start) * cols);
        top += part.rows;
      }
      return out;
    },
    async readStored(start, count) {
      let top = 0;
      for (const part of parts) {
        if (start >= top && start + count <= top + part.rows) return part.readStored?.(start - top, count);
        top += part.rows;
      }
      return undefined;
    },
    spans(start, count) {
      let top = 0;
      const touched: (readonly Span[] | undefined)[] = [];
      for (const part of parts) {
        const from = Math.max(start, top);
        const to = Math.min(start + count, top + part.rows);
        if (from < to) touched.push(part.spans(from - top, to - from));
        top += part.rows;
      }
      return joinSpans(touched);
    },
  };
}

/** Vectors as one, one after the other. */
export function joinVectors(name: string, parts: readonly Vector[]): Vector {
  const length = parts.reduce((sum, part) => sum + (part.dims[0] ?? 0), 0);
  return {
    name,
    dims: [length],
    spans: () => joinSpans(parts.map((part) => part.spans())),
    async read() {
      const out = new Float32Array(length);
      let offset = 0;
      for (const part of parts) {
        const values = await part.read();
        out.set(values, offset);
        offset += values.length;
      }
      return out;
    },
  };
}

/** The matrix with every weight times `factor`. */
export function scaledMatrix(matrix: Matrix, factor: number): Matrix {
  if (factor === 1) return matrix;
  const { name, rows, cols } = matrix;
  return {
    name,
    rows,
    cols,
    readRows: async (start, count) => (await matrix.readRows(start, count)).map((value) => value * factor),
    spans: (start, count) => matrix.spans(start, count),
  };
}

/** The vector with every value changed. */
export function mappedVector(vector: Vector, change: (value: number) => number): Vector {
  return { ...vector, read: async () => (await vector.read()).map(change) };
}
