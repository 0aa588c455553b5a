// Implements the Runtime interface over ONNX Runtime's JavaScript API, which its web and Node packages share.
// Knows no build and no device: the two adapters pass in the module, the session options and, for a GPU, the device memory.
import type { InferenceSession, InferenceSessionFactory, Tensor, TensorConstructor } from "onnxruntime-common";
import { EngineError } from "#engine/errors.ts";
import { createDeviceFailures, type DeviceFailures, type FailingDevice } from "./device-failures.ts";
import {
  elementCount,
  type CopyStep,
  type ExternalData,
  type Runtime,
  type RuntimeTensor,
  type Session,
  type SessionSource,
  type Top,
  type TensorData,
  type TensorType,
} from "./runtime.ts";

/** The part of an ONNX Runtime module that is used. */
export interface Ort {
  readonly InferenceSession: InferenceSessionFactory;
  readonly Tensor: TensorConstructor;
}

/** Tensors in the device's memory. A host without it keeps tensors in main memory. */
export interface DeviceMemory {
  allocate(dims: readonly number[], type: "float32" | "int32"): { readonly tensor: Tensor; readonly free: () => void };
  write(tensor: Tensor, data: Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer>): void;
  /** Reads a float32 tensor, which stays on the device: ONNX Runtime's own `getData` would move it to main memory for good. */
  read(tensor: Tensor): Promise<Float32Array>;
  copy(steps: readonly { from: Tensor; fromOffset: number; to: Tensor; toOffset: number; count: number }[]): void;
  settle(): Promise<void>;
  /** See Runtime.top. */
  top(tensor: Tensor, rows: number, rowLength: number, k: number): Promise<Top[]>;
}

/** What an adapter adds to ONNX Runtime's API. */
export interface OrtHost extends FailingDevice {
  readonly traits: Pick<
    Runtime,
    "device" | "adapter" | "software" | "threads" | "cacheStyle" | "prefersExpanded" | "kernel" | "replays"
  >;
  readonly memory?: DeviceMemory | undefined;
  sessionOptions(onDevice: readonly string[], replayable: boolean): InferenceSession.SessionOptions;
  externalData(files: readonly ExternalData[]): Promise<{ path: string; data: Blob | Uint8Array }[]>;
  /** Whether `SessionSource.file` can be opened. */
  readonly opensFiles: boolean;
  /** See Runtime.loaded; absent where it always is. */
  readonly loaded?: () => boolean;
  close(): Promise<void>;
}

class OrtTensor implements RuntimeTensor {
  readonly tensor: Tensor;
  readonly type: TensorType;
  readonly #free: () => void;
  #disposed = false;
  constructor(tensor: Tensor, type: TensorType, free: () => void) {
    this.tensor = tensor;
    this.type = type;
    this.#free = free;
  }
  get dims(): readonly number[] {
    return this.tensor.dims;
  }
  get disposed(): boolean {
    return this.#disposed;
  }
  dispose(): void {
    if (this.#disposed) throw new EngineError("internal", "a tensor was disposed twice");
    this.#disposed = true;
    this.#free();
  }
}

function unwrap(tensor: RuntimeTensor): Tensor {
  if (!(tensor instanceof OrtTensor)) throw new EngineError("internal", "a tensor of another runtime was passed");
  if (tensor.disposed) throw new EngineError("internal", "a disposed tensor was used");
  return tensor.tensor;
}

function unwrapAll(tensors: Readonly<Record<string, RuntimeTensor>>): Record<string, Tensor> {
  return Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [name, unwrap(tensor)]));
}

/** Wraps a tensor that is new; `free` releases its memory. */
type WrapTensor = (tensor: Tensor, type: TensorType, free: () => void) => RuntimeTensor;

/** ONNX Runtime's gpu_graph_id for a run of a replayable session that is not to be recorded. */
const notRecorded = -1;

/** Wraps an ONNX Runtime module; one runtime per device. Longer than most functions: the whole interface, as a closure over one count of live tensors. */
export function createOrtRuntime(ort: Ort, host: OrtHost): Runtime {
  const failures = createDeviceFailures(host, host.memory !== undefined);
  const { guard, toEngineError } = failures;
  let alive = 0;

  const wrap: WrapTensor = (tensor, type, free) => {
    alive++;
    return new OrtTensor(tensor, type, () => {
      alive--;
      free();
    });
  };
  return {
    ...host.traits,
    async createSession(source, onDevice) {
      const session = await loadGraph(ort, host, failures, source, onDevice);
      return createSession(session, source.replayable === true, host, failures, wrap);
    },
    tensor(type: TensorType, data: TensorData, dims: readonly number[]) {
      const tensor = new ort.Tensor(type, data, dims);
      return wrap(tensor, type, () => tensor.dispose());
    },
    upload(data, dims) {
      const type = data instanceof Int32Array ? "int32" : "float32";
      if (host.memory) {
        const { tensor, free } = host.memory.allocate(dims, type);
        host.memory.write(tensor, data);
        return wrap(tensor, type, free);
      }
      const tensor = new ort.Tensor(type, data, dims);
      return wrap(tensor, type, () => tensor.dispose());
    },
    rewrite(tensor, data) {
      const target = unwrap(tensor);
      if (host.memory) return host.memory.write(target, data);
      if (!(target.data instanceof data.constructor)) throw new EngineError("internal", "numbers of another type");
      (target.data as typeof data).set(data);
    },
    allocate(dims) {
      if (host.memory) {
        const { tensor, free } = host.memory.allocate(dims, "float32");
        return wrap(tensor, "float32", free);
      }
      const tensor = new ort.Tensor("float32", new Float32Array(elementCount(dims)), dims);
      return wrap(tensor, "float32", () => tensor.dispose());
    },
    copy(steps: readonly CopyStep[]) {
      const plain = steps.map((step) => ({ ...step, from: unwrap(step.from), to: unwrap(step.to) }));
      if (host.memory) return host.memory.copy(plain);
      for (const { from, fromOffset, to, toOffset, count } of plain) {
        float32(to).set(float32(from).subarray(fromOffset, fromOffset + count), toOffset);
      }
    },
    async read(tensor) {
      try {
        const source = unwrap(tensor);
        if (host.memory && source.location === "gpu-buffer") return await guard(host.memory.read(source));
        return floats(await guard(source.getData()));
      } catch (error) {
        throw await toEngineError(error, "reading a tensor");
      }
    },
    ...(host.memory && {
      async top(tensor: RuntimeTensor, rows: number, rowLength: number, k: number) {
        try {
          return await guard(host.memory?.top(unwrap(tensor), rows, rowLength, k) ?? Promise.resolve([]));
        } catch (error) {
          throw await toEngineError(error, "finding the largest numbers");
        }
      },
    }),
    settle: () => guard(host.memory?.settle() ?? Promise.resolve()),
    get loaded() {
      return host.loaded?.() ?? true;
    },
    get aliveTensors() {
      return alive;
    },
    dispose: () => host.close(),
  };
}

/** Loads a graph and its weights. */
async function loadGraph(
  ort: Ort,
  host: OrtHost,
  { guard, toEngineError }: DeviceFailures,
  source: SessionSource,
  onDevice: readonly string[],
): Promise<InferenceSession> {
  try {
    const options = host.sessionOptions(onDevice, source.replayable === true);
    if (source.file !== undefined && host.opensFiles) {
      return await guard(ort.InferenceSession.create(source.file, options));
    }
    const externalData = await host.externalData(source.data);
    const graph = new Uint8Array(await source.graph.arrayBuffer());
    // Object.assign keeps the getters of a host's options, which answer different readers differently; a spread would read them once.
    return await guard(ort.InferenceSession.create(graph, Object.assign(options, { externalData })));
  } catch (error) {
    throw await toEngineError(error, "loading a graph");
  }
}

/** Makes a Session of a loaded graph; `wrap` counts the tensors that its runs return. */
function createSession(
  session: InferenceSession,
  replayable: boolean,
  host: OrtHost,
  { guard, toEngineError }: DeviceFailures,
  wrap: WrapTensor,
): Session {
  return {
    inputNames: session.inputNames,
    outputNames: session.outputNames,
    async run(inputs, into = {}, again = notRecorded) {
      const failure = host.failure();
      if (failure) throw failure;
      const given = unwrapAll(into);
      const fetches = Object.fromEntries(session.outputNames.map((name) => [name, given[name] ?? null]));
      let results: InferenceSession.OnnxValueMapType;
      try {
        const run = replayable ? { extra: { gpu_graph_id: String(again) } } : {};
        results = await guard(session.run(unwrapAll(inputs), fetches, run));
      } catch (error) {
        throw await toEngineError(error, "running a graph");
      }
      const outputs = new Map<string, RuntimeTensor>();
      for (const [name, tensor] of Object.entries(results)) {
        if (Object.hasOwn(into, name)) continue;
        outputs.set(
          name,
          wrap(tensor, tensorType(tensor.type), () => tensor.dispose()),
        );
      }
      return outputs;
    },
    async release() {
      await session.release();
    },
  };
}

function tensorType(type: string): TensorType {
  if (type === "float32" || type === "int32" || type === "int64") return type;
  throw new EngineError("bad-package", `a graph yields ${type}, which the engine does not read`);
}

function float32(tensor: Tensor): Float32Array {
  return floats(tensor.data);
}

function floats(data: Tensor.DataType): Float32Array {
  if (data instanceof Float32Array) return data;
  throw new EngineError("internal", "expected a float32 tensor");
}
