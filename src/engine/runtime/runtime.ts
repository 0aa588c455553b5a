// What the engine needs of an inference runtime, in our words. Knows no runtime: `runtime.*.ts` implement it.
import type { KernelHelpers } from "#engine/kernel/memory.ts";
import type { Device } from "#engine/types.ts";

export type TensorType = "float32" | "int32" | "int64" | "bool";
export type TensorData = Float32Array | Int32Array | BigInt64Array | Uint8Array;

/** A block of numbers in main memory or on the device; whoever created it (or received it from `run`) disposes it, once. */
export interface RuntimeTensor {
  readonly type: TensorType;
  readonly dims: readonly number[];
  dispose(): void;
}

/** One external-data file of a graph; `path` is the name the graph refers to it by. */
export interface ExternalData {
  readonly path: string;
  readonly data: Blob | Uint8Array<ArrayBuffer>;
}

/** A graph and its weights. Where `file` is given and the host has a file system, both are read from there instead. */
export interface SessionSource {
  readonly graph: Blob;
  readonly data: readonly ExternalData[];
  readonly file?: string | undefined;
  /** Every input and output may lie on the device and no shape is looked at, so that `Session.run` can do a run again. */
  readonly replayable?: boolean | undefined;
}

/** A loaded graph. */
export interface Session {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  /**
   * Runs the graph once. Outputs named in `into` are written to the given tensors (static caches), all others are new and
   * belong to the caller. With `again`, on a replayable session: a run with the same tensors, inputs and outputs, as all others of that number,
   * which the device does again without the runtime walking through the graph; all tensors lie on the device and live as long as the number.
   */
  run(
    inputs: Readonly<Record<string, RuntimeTensor>>,
    into?: Readonly<Record<string, RuntimeTensor>>,
    again?: number,
  ): Promise<Map<string, RuntimeTensor>>;
  release(): Promise<void>;
}

/** Copies `count` numbers between two float32 tensors of the same place; offsets are in elements. */
export interface CopyStep {
  readonly from: RuntimeTensor;
  readonly fromOffset: number;
  readonly to: RuntimeTensor;
  readonly toOffset: number;
  readonly count: number;
}

/** The largest numbers of a row and where they are, largest first; of equals the lower place. */
export interface Top {
  readonly values: Float32Array;
  readonly places: Uint32Array;
}

/** How this device runs decoders beside the runtime; its tensors are in main memory. */
interface OwnKernel {
  readonly helpers: KernelHelpers | undefined;
  /** Runs of more rows are faster on the runtime, which then has the decoder, too; absent where they never are. */
  readonly mostRows?: number | undefined;
}

/** One device that can run graphs. Not reentrant: one `run` at a time. */
export interface Runtime {
  readonly device: Device;
  /** Human-readable name of the adapter, "" where nothing tells it. */
  readonly adapter: string;
  /** WebGPU computed by the CPU: slow, so chunks are smaller. */
  readonly software: boolean;
  readonly threads: number;
  /** "static": past and present share one device buffer. "growing": every step returns a longer one. */
  readonly cacheStyle: "static" | "growing";
  /** Whether the runtime's own code is here: on WASM it is fetched for the first graph that no kernel of ours takes. */
  readonly loaded: boolean;
  /** f32 weights are faster here than 4-bit ones. */
  readonly prefersExpanded: boolean;
  /** Whether it takes replayable sessions; absent where it does not. */
  readonly replays?: boolean | undefined;
  /** Where decoders run on this project's own kernel if they can. */
  readonly kernel?: OwnKernel | undefined;
  /** `onDevice`: outputs that stay on the device where there is one. */
  createSession(source: SessionSource, onDevice: readonly string[]): Promise<Session>;
  /** A tensor in main memory, usable as an input; takes the array over. */
  tensor(type: TensorType, data: TensorData, dims: readonly number[]): RuntimeTensor;
  /** A tensor of these numbers where `onDevice` outputs live, float32 or int32; takes the array over. */
  upload(data: Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer>, dims: readonly number[]): RuntimeTensor;
  /** Puts other numbers into a tensor of `upload`; work that was given to the device before still sees the old ones. */
  rewrite(tensor: RuntimeTensor, data: Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer>): void;
  /** A zeroed float32 tensor where `onDevice` outputs live. */
  allocate(dims: readonly number[]): RuntimeTensor;
  copy(steps: readonly CopyStep[]): void;
  /** The numbers of a float32 tensor; may be the tensor's own memory, so copy before disposing. */
  read(tensor: RuntimeTensor): Promise<Float32Array>;
  /**
   * The k (at most 64) largest numbers of each of the last `rows` rows of a float32 tensor on the device, found there; absent where rows lie in
   * main memory anyway.
   */
  top?(tensor: RuntimeTensor, rows: number, rowLength: number, k: number): Promise<Top[]>;
  /** Resolves when the device has done what it was given; for honest timings. */
  settle(): Promise<void>;
  /** Tensors created and not yet disposed; for leak tests. */
  readonly aliveTensors: number;
  dispose(): Promise<void>;
}

/** Number of elements of a shape. */
export function elementCount(dims: readonly number[]): number {
  return dims.reduce((product, size) => product * size, 1);
}
