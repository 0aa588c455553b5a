// Opens a package's decoder: on this project's own kernel, in a session of the runtime, or on both; and again with room for an adapter, once
// there is one.
import { createKernelDecoder } from "#engine/decoder/kernel-decoder.ts";
import { splitByLength, type Decoder } from "#engine/decoder/decoder.ts";
import { createReplayDecoder, isReplayable } from "#engine/decoder/replay-decoder.ts";
import { createSessionDecoder, type DecoderShape } from "#engine/decoder/session-decoder.ts";
import { EngineError } from "#engine/errors.ts";
import type { Llama } from "#engine/kernel/llama.ts";
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
  /** Whether sessions run on weights expanded to f32. */
  readonly expanded: boolean;
  /** Whether to load the graph that has room for an adapter; the package must have one then. */
  readonly adaptable: boolean;
  readonly openSession: (source: SessionSource) => Promise<Session>;
}

/** A decoder whose adapter can be changed. */
export interface LoadedDecoder {
  /** The decoder in use; `setAdapter` may replace it. */
  readonly decoder: Decoder;
  readonly onKernel: boolean;
  /**
   * Takes over an adapter's tensors, or goes on without an adapter. A decoder without room for one is loaded again first. Where that fails,
   * rejects, and neither the decoder nor the owner of the tensors has changed.
   */
  setAdapter(tensors: AdapterTensors | undefined): Promise<void>;
  release(): Promise<void>;
}

/** Rejects with an EngineError where the decoder can't be loaded; `llama` is still the caller's then. */
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
  let kernel = options.llama && createKernelDecoder(runtime, options.llama);
  let session = kernel && mostKernelRows === undefined ? undefined : await openSessionDecoder(hasRoom);
  const combine = (): Decoder | undefined =>
    kernel && session ? splitByLength(kernel, session, mostKernelRows ?? Infinity) : (kernel ?? session);
  let decoder = combine();

  const noAdapterTensors = (): AdapterTensors | undefined =>
    hasRoom && graph.adaptable ? noAdapter(runtime, graph.adaptable, shape.layers) : undefined;
  adapter = noAdapterTensors();

  /** There is no memory for two sessions: the plain one is released first, and opened again after a failure. */
  const makeRoom = async (): Promise<void> => {
    const replayed = session?.replay?.enabled === true;
    const hadSession = session !== undefined;
    await session?.release();
    session = undefined;
    try {
      session = await openSessionDecoder(true);
      hasRoom = true;
      await kernel?.release();
      kernel = undefined;
    } catch (error) {
      if (hadSession) session = await openSessionDecoder(false);
      if (session?.replay) session.replay.enabled = replayed;
      throw error;
    } finally {
      decoder = combine();
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
    async setAdapter(tensors) {
      if (tensors && !hasRoom) await makeRoom();
      const next = tensors ?? noAdapterTensors();
      adapter?.dispose();
      adapter = next;
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
