// The interface that the engine needs of an inference runtime. `runtime.*.ts` implement it.
import type { KernelHelpers } from "#engine/kernel/memory.ts";
import type { Device } from "#engine/types.ts";

export type TensorType = "float32" | "int32" | "int64" | "bool";
export type TensorData = Float32Array | Int32Array | BigInt64Array | Uint8Array;

/** A tensor in main memory or on the device. The code that created it, or received it from `run`, disposes it exactly once. */
export interface RuntimeTensor {
  readonly type: TensorType;
  readonly dims: readonly number[];
  dispose(): void;
}

/** One external-data file of a graph; `path` is the name that the graph refers to. */
export interface ExternalData {
  readonly path: string;
  readonly data: Blob | Uint8Array<ArrayBuffer>;
}

/** A graph and its weights. Where `file` is given and the host has a file system, both are read from there instead. */
export interface SessionSource {
  readonly graph: Blob;
  readonly data: readonly ExternalData[];
  readonly file?: string | undefined;
  /** Whether all inputs and outputs can lie on the device and no node reads a shape, so that `Session.run` can replay a recorded run. */
  readonly replayable?: boolean | undefined;
}

/** A loaded graph. */
export interface Session {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  /**
   * Runs the graph once. Outputs named in `into` are written to the given tensors (static caches); all others are new and belong to the caller.
   * `again` is for a replayable session: the number of a recorded run, which the device replays without the runtime walking through the graph.
   * All runs of one number have the same input and output tensors, which lie on the device and live as long as the number is used.
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

/** The k largest numbers of a row and their indices, in descending order; among equals the lower index first. */
export interface Top {
  readonly values: Float32Array;
  readonly places: Uint32Array;
}

/** How this device runs decoders on this project's own kernel instead of the runtime. The kernel's tensors are in main memory. */
interface OwnKernel {
  readonly helpers: KernelHelpers | undefined;
  /** Prefills of more rows than this are faster on the runtime, which then loads the decoder, too; absent where they never are. */
  readonly mostRows?: number | undefined;
}

/** A device that can run graphs. Not reentrant: one `run` at a time. */
export interface Runtime {
  readonly device: Device;
  /** Human-readable name of the GPU adapter, "" where it is unknown. */
  readonly adapter: string;
  /** Whether the CPU emulates WebGPU, which is slow, so prefill chunks are smaller. */
  readonly software: boolean;
  readonly threads: number;
  /** The KV cache. "static": past and present share one device buffer. "growing": every step returns a longer tensor. */
  readonly cacheStyle: "static" | "growing";
  /** Whether the runtime's own code is loaded: on WASM it is fetched for the first graph that no kernel of this project runs. */
  readonly loaded: boolean;
  /** Whether f32 weights are faster here than 4-bit ones. */
  readonly prefersExpanded: boolean;
  /** Whether the runtime can record and replay sessions; absent where it can't. */
  readonly replays?: boolean | undefined;
  /** Present where decoders run on this project's own kernel if they can. */
  readonly kernel?: OwnKernel | undefined;
  /** `onDevice`: outputs that stay on the device where there is one. */
  createSession(source: SessionSource, onDevice: readonly string[]): Promise<Session>;
  /** Makes a tensor in main memory, usable as an input; takes ownership of the array. */
  tensor(type: TensorType, data: TensorData, dims: readonly number[]): RuntimeTensor;
  /** Makes a float32 or int32 tensor where `onDevice` outputs live; takes ownership of the array. */
  upload(data: Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer>, dims: readonly number[]): RuntimeTensor;
  /** Overwrites a tensor made by `upload`; work submitted to the device before still reads the old numbers. */
  rewrite(tensor: RuntimeTensor, data: Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer>): void;
  /** Makes a zeroed float32 tensor where `onDevice` outputs live. */
  allocate(dims: readonly number[]): RuntimeTensor;
  copy(steps: readonly CopyStep[]): void;
  /** The numbers of a float32 tensor; may be the tensor's own memory, so copy before disposing. */
  read(tensor: RuntimeTensor): Promise<Float32Array>;
  /**
   * Finds the k (at most 64) largest numbers of each of the last `rows` rows of a float32 tensor, on the device. Absent where tensors lie in
   * main memory.
   */
  top?(tensor: RuntimeTensor, rows: number, rowLength: number, k: number): Promise<Top[]>;
  /** Resolves when the device has finished all submitted work; for correct timings. */
  settle(): Promise<void>;
  /** Tensors created and not yet disposed; for leak tests. */
  readonly aliveTensors: number;
  dispose(): Promise<void>;
}

/** Number of elements of a shape. */
export function elementCount(dims: readonly number[]): number {
  return dims.reduce((product, size) => product * size, 1);
}
