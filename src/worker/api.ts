// The wire between the page and its two workers, as types only: neither side imports the other.
import type { Device, GenerateEvent, GenerateRequest, PictureKinds } from "#engine/types.ts";
import type { DeviceFacts, Fit } from "#weights/fit.ts";
import type { HubPrecision } from "#weights/download/hub-plan.ts";
import type { ImportedPackage } from "#weights/import-package.ts";
import type { StoredPackageInfo } from "#weights/inventory.ts";
import type { PackageSource } from "#weights/download/read-manifest.ts";
import type { PackageArchitecture } from "#weights/manifest.ts";

// What the weights room calls its own, for those who speak to the download worker.
export type { Fit, PackageArchitecture, PackageSource, StoredPackageInfo };

export interface LoadRequest {
  readonly model: PackageSource;
  /** What the download worker resolved with. */
  readonly package: StoredPackage;
  /** "auto" takes WebGPU where a hardware adapter is, else WASM. */
  readonly device: "auto" | "webgpu" | "wasm";
  /** Absolute URL of the folder that holds the runtime's wasm files, ending with a slash. */
  readonly runtimeUrl: string;
}

/** Why the device is not the one a user would expect; the page has a sentence for each. */
export type DeviceNotice =
  | "no-webgpu" // this browser has no WebGPU
  | "no-adapter" // WebGPU is there but gives no adapter
  | "software-adapter" // only a software adapter: WASM is faster
  | "failed-self-test" // WebGPU computed wrong numbers: WASM instead
  | "webgpu-failed" // WebGPU could not load the model: WASM instead
  | "single-thread" // no cross-origin isolation: WASM on one thread
  | "part-damaged" // a stored file that no answer needs has wrong bytes, and can't be fetched now
  | "memory-only"; // weights could not be stored: they are kept in memory for this visit

export interface LoadedModel {
  readonly id: string;
  readonly name: string;
  readonly device: Device;
  /** Human-readable adapter name, or "" where the browser does not tell. */
  readonly adapter: string;
  readonly threads: number;
  /** The model runs without ONNX Runtime, whose files were not fetched. */
  readonly runtimeFree?: boolean;
  readonly notices: readonly DeviceNotice[];
  readonly contextLength: number;
  readonly imageTokens: number;
  readonly loadMs: number;
}

export interface LoadedAdapter {
  readonly name: string;
  /** The name of the package that the adapter was made for. */
  readonly baseName: string;
}

/**
 * `download` counts verified bytes of the whole package; `stored` is how many of them were here before, `silences` how often in a row the
 * server sent nothing for a while (absent while bytes come).
 */
export type LoadEvent =
  | {
      readonly type: "download";
      readonly loaded: number;
      readonly total: number;
      readonly stored: number;
      readonly silences?: number;
    }
  | { readonly type: "session"; readonly part: "vision" | "embed" | "decoder" | "self-test"; readonly device: Device };

/** The call's id, for `stop`, and the adapter to answer with. */
interface JobOptions {
  readonly job?: string | undefined;
  /** The id of one that was loaded; absent, the model answers as it is. */
  readonly adapter?: string | undefined;
}

/**
 * A worker that runs models. It does one thing at a time, in the order of the calls. Every event callback is awaited by the worker, so that
 * none arrives after the call's own reply.
 */
export interface InferenceApi {
  load(request: LoadRequest, onEvent: (event: LoadEvent) => Promise<void> | void): Promise<LoadedModel>;
  generate(
    request: GenerateRequest,
    onEvent: (event: GenerateEvent) => Promise<void> | void,
    options?: JobOptions,
  ): Promise<void>;
  /**
   * Prefills what an answer to this would begin with, until it is done, stopped, or something else is asked for. Does nothing while an answer
   * runs. Resolves with the kinds of the pictures that were looked at by then.
   */
  prepare(request: GenerateRequest, options?: JobOptions): Promise<PictureKinds>;
  /** Puts an adapter beside the loaded model, of which nothing is loaded again; rejects with "bad-package" where it does not fit. */
  loadAdapter(id: string, adapter: StoredPackage): Promise<LoadedAdapter>;
  /**
   * Ends the job of that name, running or waiting, between two tokens or prefill chunks; the `done` event of an answer says "abort". Without a
   * name all jobs.
   */
  stop(job?: string): Promise<void>;
  /** Answers at once while the worker is alive and not computing. */
  ping(): Promise<void>;
}

/** Tells of a worker's end that gives no other sign; see worker-lock.ts. */
export interface LivingApi {
  /** Resolves when the worker holds the lock of this name, which it does for as long as it lives. */
  holdLock(name: string): Promise<void>;
}

/** The download worker: fetches, verifies and stores; the inference worker only reads the Blobs that it hands out. */
export interface WeightsApi {
  /**
   * Resolves when every shard is stored and verified; `persisted` false means they are in the returned Blobs only. A `job` ends the one of
   * its name that runs, and no other; by default it is the model's id.
   */
  ensure(
    model: PackageSource,
    onEvent: (event: LoadEvent) => Promise<void> | void,
    job?: string,
  ): Promise<StoredPackage>;
  /** Brings a package into storage for later: an `ensure` that rejects with "quota" or "storage" where it can't be stored. */
  fetchAhead(model: PackageSource, onEvent: (event: LoadEvent) => Promise<void> | void, job?: string): Promise<void>;
  /** Ends the job, which then rejects with an AbortError, without a name all; what has arrived is kept for the next one. */
  stop(job?: string): Promise<void>;
  /** Whether every shard of the package is stored (by key, not by hash). */
  isComplete(model: PackageSource): Promise<boolean>;
}

/** A package ready to load: its manifest's JSON and a Blob per file (handles, not bytes). */
export interface StoredPackage {
  readonly persisted: boolean;
  readonly manifest: unknown;
  readonly files: ReadonlyMap<string, Blob>;
  /** See weights/download/ensure.ts. */
  readonly leftOut?: readonly string[];
  /** Adapters of it are stored, too: the model is loaded with room for one. */
  readonly adaptable?: boolean;
}

/** A package on a server, before its first byte. */
export interface PackageOffer {
  /** Under which it is stored: its address, or "owner/name" on a hub. */
  readonly id: string;
  readonly architecture: PackageArchitecture;
  readonly name: string;
  readonly license: string;
  readonly bytes: number;
  readonly fit: Fit;
  /** How fast this device would answer with it, roughly; undefined where it can't be told. */
  readonly tokensPerSecond: number | undefined;
  /** For an adapter, the name of the package that it was made for. */
  readonly baseName?: string | undefined;
}

/** What this device is and computes with, as far as the choice of a model needs it. */
export interface DeviceSummary extends DeviceFacts {
  readonly precision: HubPrecision;
}

/** The download worker's second api: what is stored. "in-use" means that a download of the model is under way, in any tab. */
export interface PackagesApi {
  list(): Promise<readonly StoredPackageInfo[]>;
  /** Deletes shards whose bytes are wrong, so that the next load fetches them alone. */
  verify(
    id: string,
    onProgress: (loaded: number, total: number) => void,
  ): Promise<{ readonly damaged: number; readonly missing: number } | "in-use">;
  forget(id: string): Promise<"done" | "in-use">;
  exportPackage(id: string): Promise<Blob | "incomplete" | "too-large">;
  /** A zip, or files by path. */
  importPackage(files: Blob | ReadonlyMap<string, Blob>): Promise<ImportedPackage | "in-use">;
  /** Rejects with the codes of a load. */
  preview(baseUrl: string): Promise<PackageOffer>;
  device(): Promise<DeviceSummary>;
}
