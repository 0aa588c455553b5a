// A loaded model: its config, its tokenizer, and the three things it computes – image features, embeddings and logits. Knows no files, no
// conversation and no sampling; load.ts makes it.
import type { Decoder } from "#engine/decoder/decoder.ts";
import { EngineError } from "#engine/errors.ts";
import type { PackageInfo } from "#engine/package.ts";
import type { CopyStep, Runtime, RuntimeTensor, Session } from "#engine/runtime/runtime.ts";
import type { Tokenizer } from "#engine/text/tokenizer.ts";
import { kernelLora, openAdapter, uploadAdapter, type AdapterPackage } from "./adapter.ts";
import type { ModelConfig } from "./config.ts";
import type { Embedder } from "./embedder.ts";
import { storedGraph } from "./graph-source.ts";
import type { LoadedDecoder } from "./load-decoder.ts";
import { disposeOutputs, withProjector, type VisionEncoder, type VisionOutputs } from "./vision-encoder.ts";

/** Rows for a prompt: `rows` of `tensor` [.., rows, hidden] from `start` on. */
export interface RowRun {
  readonly tensor: RuntimeTensor;
  readonly start: number;
  readonly rows: number;
}

/** What the vision encoder makes of one picture. */
export interface EncodedImage {
  /** [.., imageTokens, hidden] */
  readonly features: RuntimeTensor;
  /** Above 0 for a photograph, below for a drawing; undefined where the graph yields no verdict. */
  readonly photograph: number | undefined;
}

export interface Model {
  readonly config: ModelConfig;
  readonly tokenizer: Tokenizer;
  readonly runtime: Runtime;
  /** The decoder in use; `adapt` may replace it. */
  readonly decoder: Decoder;
  /** Whether the decoder runs on weights expanded to f32. */
  readonly expanded: boolean;
  /** Whether the decoder runs on this project's own kernel. */
  readonly ownKernel: boolean;
  /** Normalised pixels [3, size, size] → features [.., imageTokens, hidden]; the caller disposes them. */
  encodeImage(pixels: Float32Array): Promise<EncodedImage>;
  /** Encodes one tile and copies the result to main memory: features [imageTokens, hidden] and the newline row [hidden]. */
  encodeTile(pixels: Float32Array): Promise<{ readonly features: Float32Array; readonly newline: Float32Array }>;
  /** Token ids → embeddings [1, ids, hidden]; the caller disposes them. */
  embed(ids: readonly number[]): Promise<RuntimeTensor>;
  /** Rows one after another, [1, rows, hidden]; the caller disposes them. */
  concat(runs: readonly RowRun[]): RuntimeTensor;
  /**
   * Goes on with this adapter, or with none. Rejects and changes nothing when the adapter does not fit. Image features and cached rows that were
   * computed before are of no use afterwards.
   */
  adapt(adapter: AdapterPackage | undefined): Promise<void>;
  dispose(): Promise<void>;
}

/** What a model is made of; it owns the encoder, the embedder and the decoder. */
export interface ModelParts {
  readonly runtime: Runtime;
  readonly config: ModelConfig;
  readonly tokenizer: Tokenizer;
  readonly expanded: boolean;
  readonly info: PackageInfo;
  readonly encoder: VisionEncoder;
  readonly embedder: Embedder;
  readonly decoder: LoadedDecoder;
}

/** Longer than most functions: the whole interface, as a closure over the graphs and kernels that it hands tensors between. */
export function createModel(parts: ModelParts): Model {
  const { runtime, config, info, encoder, embedder } = parts;
  const { hiddenSize } = config;
  /** The adapter's own projector, where it has one. */
  let projector: Session | undefined;
  const setProjector = async (session: Session | undefined): Promise<void> => {
    await projector?.release();
    projector = session;
  };

  const runVision = async (pixels: Float32Array): Promise<VisionOutputs> => {
    const outputs = await encoder.run(pixels);
    return projector ? withProjector(outputs, projector) : outputs;
  };

  return {
    config,
    tokenizer: parts.tokenizer,
    runtime,
    get decoder() {
      return parts.decoder.decoder;
    },
    expanded: parts.expanded,
    ownKernel: parts.decoder.onKernel,
    async encodeImage(pixels) {
      const outputs = await runVision(pixels);
      const features = outputs.get("image_features");
      if (!features) {
        disposeOutputs(outputs);
        throw new EngineError("bad-package", "a graph yields no image_features");
      }
      const verdict = outputs.get("photograph");
      const photograph = verdict && (await runtime.read(verdict))[0];
      outputs.delete("image_features");
      disposeOutputs(outputs);
      await runtime.settle();
      return { features, photograph };
    },
    async encodeTile(pixels) {
      const outputs = await runVision(pixels);
      const read = async (name: string): Promise<Float32Array> => {
        const tensor = outputs.get(name);
        if (!tensor) throw new EngineError("bad-package", `the vision graph yields no ${name}`);
        return (await runtime.read(tensor)).slice();
      };
      try {
        return { features: await read("image_features"), newline: await read("image_newline") };
      } finally {
        disposeOutputs(outputs);
      }
    },
    embed: (ids) => embedder.embed(ids),
    concat: (runs) => concatRows(runtime, runs, hiddenSize),
    async adapt(adapter) {
      if (!adapter) {
        await parts.decoder.setAdapter(undefined);
        await setProjector(undefined);
        return;
      }
      const { name } = info.model;
      const graph = info.graphs.decoder.adaptable;
      if (!graph) throw new EngineError("bad-package", `the package of ${name} has no room for an adapter`);
      const base = { name, graph, layers: config.layers };
      const opened = await openAdapter(base, adapter);
      const ownProjector = await openProjector(runtime, adapter);
      try {
        await parts.decoder.setAdapter({
          lora: kernelLora(base, opened),
          upload: () => uploadAdapter(runtime, base, opened),
        });
      } catch (error) {
        await ownProjector?.release();
        throw error;
      }
      await setProjector(ownProjector);
    },
    async dispose() {
      await projector?.release();
      await encoder.release();
      await embedder.release();
      await parts.decoder.release();
    },
  };
}

/** The adapter's own projector, where it has one; the caller releases it. */
async function openProjector(runtime: Runtime, { info, files }: AdapterPackage): Promise<Session | undefined> {
  const { projector } = info.adapter;
  return projector && runtime.createSession(await storedGraph(projector, files), ["image_features"]);
}

function concatRows(runtime: Runtime, runs: readonly RowRun[], hiddenSize: number): RuntimeTensor {
  const rows = runs.reduce((sum, run) => sum + run.rows, 0);
  const out = runtime.allocate([1, rows, hiddenSize]);
  let at = 0;
  const steps = runs.map((run): CopyStep => {
    const step = {
      from: run.tensor,
      fromOffset: run.start * hiddenSize,
      to: out,
      toOffset: at * hiddenSize,
      count: run.rows * hiddenSize,
    };
    at += run.rows;
    return step;
  });
  runtime.copy(steps);
  return out;
}
