// The engine's front door: a package and a runtime in, generations out.
import type { AdapterPackage } from "#engine/model/adapter.ts";
import { createGenerator } from "./generate.ts";
import type { FeatureStore } from "#engine/model/image-features.ts";
import { loadModel, type ModelPart } from "#engine/model/load.ts";
import type { PackageInfo } from "./package.ts";
import type { Runtime } from "#engine/runtime/runtime.ts";
import { runSelfTest, type SelfTestResult } from "#engine/model/self-test.ts";
import type { GenerateEvent, GenerateRequest, PackageFiles, PictureKinds, Pixels } from "./types.ts";

export interface EngineOptions {
  /** Stays the caller's: disposing the engine does not dispose it. */
  readonly runtime: Runtime;
  readonly files: PackageFiles;
  readonly info: PackageInfo;
  /** Decodes a picture file upright; throws EngineError("bad-image"). */
  readonly decodeImage: (blob: Blob) => Promise<Pixels>;
  /** Called as each part starts to load. */
  readonly onProgress?: (part: ModelPart) => void;
  /** Bytes that weights expanded to f32 may take, where f32 is faster; default 1.5 GiB. */
  readonly memoryBudget?: number;
  /** Rows per prefill run; Stop is heard in between. */
  readonly prefillChunk?: number;
  /** Whether to guess tokens and check several at once where that pays (default true), or even where not. Answers are the same. */
  readonly drafts?: boolean | "always" | undefined;
  /** Features of pictures that earlier visits have encoded, of this package's vision graph alone. */
  readonly keptFeatures?: FeatureStore | undefined;
  /** Loads the decoder with room for an adapter from the start; else the first `setAdapter` loads it again from `files`. */
  readonly adaptable?: boolean | undefined;
}

/**
 * A loaded package. Does one thing at a time: callers that share an engine queue their calls, as the worker's host does with its
 * job queue.
 */
export interface Engine {
  readonly info: PackageInfo;
  readonly contextLength: number;
  /** Whether the decoder runs on weights expanded to f32. */
  readonly expanded: boolean;
  /** Leaving the loop early is allowed. Throws "bad-input", "bad-image", "context-full", or what the runtime fails with. */
  generate(request: GenerateRequest, signal?: AbortSignal): AsyncGenerator<GenerateEvent>;
  /** Prefills what an answer to this would begin with, until done or aborted; `generate` keeps what it shares with it. */
  prepare(request: GenerateRequest, signal?: AbortSignal): Promise<PictureKinds>;
  /** Whether this device computes the package's golden numbers; undefined where the package has none. */
  selfTest(): Promise<SelfTestResult | undefined>;
  /**
   * Goes on with this adapter, or with none; nothing of the base is loaded again (but see `adaptable`). What was computed for the last
   * conversation is forgotten. Rejects with "bad-package" and changes nothing where it does not fit.
   */
  setAdapter(adapter: AdapterPackage | undefined): Promise<void>;
  dispose(): Promise<void>;
}

const gibibyte = 2 ** 30;

/** Loads a package; rejects with an EngineError and leaves nothing behind when it can't. */
export async function createEngine(options: EngineOptions): Promise<Engine> {
  const { runtime, files, info } = options;
  const model = await loadModel({
    runtime,
    files,
    info,
    memoryBudget: options.memoryBudget ?? 1.5 * gibibyte,
    onPart: options.onProgress,
    adaptable: options.adaptable,
  });
  const generatorFor = (
    { template, imageAspect }: Pick<PackageInfo["model"], "template" | "imageAspect">,
    keptFeatures: FeatureStore | undefined,
  ) =>
    createGenerator({
      model,
      template,
      imageAspect,
      imageTokens: info.model.imageTokens,
      tiles: info.model.tiles,
      squares: info.model.squares,
      contextLength: info.model.contextLength,
      decodeImage: options.decodeImage,
      prefillChunk: options.prefillChunk ?? (runtime.software ? 64 : 256),
      featureBytes: 64 * 2 ** 20,
      // What a store keeps is back in no time.
      featurePictures: keptFeatures === undefined ? 12 : 6,
      keptFeatures,
      drafts: options.drafts,
    });
  let generator = generatorFor(info.model, options.keptFeatures);
  let adapted = false;
  return {
    info,
    contextLength: info.model.contextLength,
    expanded: model.expanded,
    generate: (request, signal) => generator.generate(request, signal),
    prepare: (request, signal) => generator.prepare(request, signal),
    // The golden numbers are the base's.
    selfTest: () =>
      info.selfTest === undefined || adapted ? Promise.resolve(undefined) : runSelfTest(model, files, info.selfTest),
    async setAdapter(adapter) {
      const { decoder } = model;
      try {
        await model.adapt(adapter);
      } catch (error) {
        // The decoder may have been loaded again, without the rows that the generator keeps.
        if (model.decoder !== decoder) {
          generator.dispose();
          adapted = false;
          generator = generatorFor(info.model, options.keptFeatures);
        }
        throw error;
      }
      adapted = adapter !== undefined;
      generator.dispose();
      const ownProjector = adapter?.info.adapter.projector !== undefined;
      generator = generatorFor(
        adapter?.info.model ?? info.model,
        ownProjector ? adapter.keptFeatures : options.keptFeatures,
      );
    },
    async dispose() {
      generator.dispose();
      await model.dispose();
    },
  };
}
