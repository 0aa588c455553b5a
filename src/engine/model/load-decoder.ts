// Opens a package's decoder: on this project's own kernel, in a session of the runtime, or on both; and again with room for an adapter, once
// there is one.
import { createKernelDecoder } from "#engine/decoder/kernel-decoder.ts";
import { splitByLength, type Decoder } from "#engine/decoder/decoder.ts";
import { createReplayDecoder, isReplayable } from "#engine/decoder/replay-decoder.ts";
import { createSessionDecoder, type DecoderShape } from "#engine/decoder/session-decoder.ts";
import { EngineError } from "#engine/errors.ts";
import type { Llama } from "#engine/kernel/llama.ts";
import type { LlamaLora } from "#engine/kernel/lora-room.ts";
import type { GraphFiles } from "#engine/package.ts";
import type { Runtime, Session, SessionSource } from "#engine/runtime/runtime.ts";
import type { PackageFiles } from "#engine/types.ts";
import { noAdapter, type AdapterTensors } from "./adapter.ts";
import { adaptableGraph, expandedGraph, storedGraph } from "./graph-source.ts";

export interface DecoderLoadOptions {
  readonly runtime: Runtime;
  readonly files: PackageFiles;
  readonly graph: GraphFiles;
  readonly shape: DecoderShape;
  /** The decoder's layers on this project's own kernel, where it takes them. */
  readonly llama: Llama | undefined;
  /** Opens them again, for an adapter or without one; undefined where there is no memory for them. */
  readonly openLlama: (lora: LlamaLora | undefined) => Promise<Llama | undefined>;
  /** Whether sessions run on weights expanded to f32. */
  readonly expanded: boolean;
  /** Whether sessions load the graph that has room for an adapter; the package must have one then. */
  readonly adaptable: boolean;
  readonly openSession: (source: SessionSource) => Promise<Session>;
}

/** An adapter in both forms. */
interface AdapterForms {
  readonly lora: LlamaLora;
  /** Uploads it for a session. */
  upload(): Promise<AdapterTensors>;
}

/** A decoder whose adapter can be changed. */
export interface LoadedDecoder {
  /** The decoder in use; `setAdapter` may replace it. */
  readonly decoder: Decoder;
  readonly onKernel: boolean;
  /**
   * Goes on with an adapter, or without one. What has no room for it is loaded again first, and `decoder` may be another then, also where that
   * fails. Rejects where it fails, and goes on with the adapter before, or with none.
   */
  setAdapter(adapter: AdapterForms | undefined): Promise<void>;
  release(): Promise<void>;
}

/**
 * Rejects with an EngineError where the decoder can't be loaded; `llama` is still the caller's then. Longer than most functions: a closure over the
 * session and the kernel, either of which a change of adapter may replace.
 */
export async function loadDecoder(options: DecoderLoadOptions): Promise<LoadedDecoder> {
  const { runtime, graph, shape } = options;
  const mostKernelRows = runtime.kernel?.mostRows;
  let hasRoom = options.adaptable;
  let adapter: AdapterTensors | undefined;

  const openSessionDecoder = async (withRoom: boolean): Promise<Decoder> => {
    const session = await openGraph(options, withRoom);
    return isReplayable(session)
      ? createReplayDecoder(runtime, session, shape)
      : createSessionDecoder(runtime, session, shape, () => adapter?.inputs);
  };
  let { llama } = options;
  let kernel = llama && createKernelDecoder(runtime, llama);
  let session = kernel && mostKernelRows === undefined ? undefined : await openSessionDecoder(hasRoom);
  const combine = (): Decoder | undefined =>
    kernel && session ? splitByLength(kernel, session, mostKernelRows ?? Infinity) : (kernel ?? session);
  let decoder = combine();

  const noAdapterTensors = (): AdapterTensors | undefined =>
    hasRoom && graph.adaptable ? noAdapter(runtime, graph.adaptable, shape.layers) : undefined;
  adapter = session && noAdapterTensors();

  /** There is no memory for two sessions: the plain one is released first, and opened again after a failure. */
  const makeRoom = async (): Promise<void> => {
    const replayed = session?.replay?.enabled === true;
    const hadSession = session !== undefined;
    await session?.release();
    session = undefined;
    try {
      session = await openSessionDecoder(true);
      hasRoom = true;
    } catch (error) {
      if (hadSession) session = await openSessionDecoder(false);
      if (session?.replay) session.replay.enabled = replayed;
      throw error;
    }
  };

  const openKernel = async (lora: LlamaLora | undefined): Promise<void> => {
    llama = await options.openLlama(lora);
    kernel = llama && createKernelDecoder(runtime, llama);
  };

  /** Sets it in the kernel, which is opened again where it has no room; then it may be that there is none any more. */
  const setInKernel = async (lora: LlamaLora | undefined): Promise<void> => {
    if (!llama || (await llama.setLora(lora))) return;
    llama.release();
    [llama, kernel] = [undefined, undefined];
    try {
      await openKernel(lora);
    } catch (error) {
      await openKernel(undefined);
      throw error;
    }
  };

  return {
    get decoder() {
      if (!decoder) throw new EngineError("internal", "no decoder is loaded");
      return decoder;
    },
    get onKernel() {
      return kernel !== undefined;
    },
    async setAdapter(next) {
      let tensors: AdapterTensors | undefined;
      try {
        if (session && next && !hasRoom) await makeRoom();
        if (session) tensors = await next?.upload();
        await setInKernel(next?.lora);
        if (!session && !kernel) {
          await makeRoom();
          tensors = await next?.upload();
        }
      } catch (error) {
        tensors?.dispose();
        throw error;
      } finally {
        decoder = combine();
      }
      adapter?.dispose();
      adapter = tensors ?? (session && noAdapterTensors());
    },
    async release() {
      adapter?.dispose();
      await decoder?.release();
    },
  };
}

/** A session of the graph with room for an adapter, of the replayable one where the runtime takes it, or of the plain one. */
async function openGraph(options: DecoderLoadOptions, withRoom: boolean): Promise<Session> {
  const { runtime, files, openSession } = options;
  const graph = withRoom ? adaptableGraph(options.graph) : options.graph;
  const sourceOf = options.expanded ? expandedGraph : storedGraph;
  if (runtime.replays === true && !withRoom && graph.replayable !== undefined) {
    try {
      const source = await sourceOf({ ...graph, path: graph.replayable }, files);
      return await openSession({ ...source, replayable: true });
    } catch (error) {
      // The plain graph asks less of the runtime.
      if (!(error instanceof EngineError) || error.code !== "internal") throw error;
    }
  }
  return openSession(await sourceOf(graph, files));
}
