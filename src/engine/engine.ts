// The engine's front door: a package and a runtime in, generations out.
import { createGenerator } from "./generate.ts";
import { loadModel, type ModelPart } from "./model.ts";
import type { PackageInfo } from "./package.ts";
import type { Runtime } from "./runtime.ts";
import { runSelfTest, type SelfTestResult } from "./self-test.ts";
import type { GenerateEvent, GenerateRequest, PackageFiles, Pixels } from "./types.ts";

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
}

export interface Engine {
  readonly info: PackageInfo;
  readonly contextLength: number;
  /** Whether the decoder runs on weights expanded to f32. */
  readonly expanded: boolean;
  /** One generation at a time, else "busy"; leaving the loop early is allowed. */
  generate(request: GenerateRequest, signal?: AbortSignal): AsyncGenerator<GenerateEvent>;
  /** Whether this device computes the package's golden numbers; undefined where the package has none. */
  selfTest(): Promise<SelfTestResult | undefined>;
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
  });
  const generator = createGenerator({
    model,
    template: info.model.template,
    imageAspect: info.model.imageAspect,
    imageTokens: info.model.imageTokens,
    tiles: info.model.tiles,
    contextLength: info.model.contextLength,
    decodeImage: options.decodeImage,
    prefillChunk: options.prefillChunk ?? (runtime.software ? 64 : 256),
    featureBytes: 64 * 2 ** 20,
  });
  return {
    info,
    contextLength: info.model.contextLength,
    expanded: model.expanded,
    generate: (request, signal) => generator.generate(request, signal),
    selfTest: () =>
      info.selfTest === undefined ? Promise.resolve(undefined) : runSelfTest(model, files, info.selfTest),
    async dispose() {
      generator.dispose();
      await model.dispose();
    },
  };
}
