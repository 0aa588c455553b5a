// The wire between the page and the worker that teaches models, as types only.
import type { OnStop, TeachEvent, TeachExample, TeachOptions, TeachPlan, TeachResult } from "#teach/types.ts";
import type { PackageSource, StoredPackage } from "#worker/api.ts";

// What the teaching room calls its own, for those who speak to this worker.
export type { HeldOutAnswer, OnStop, TeachEvent, TeachExample, TeachPlan } from "#teach/types.ts"; // prettier-ignore

export interface TeachRequest {
  readonly model: PackageSource;
  /** What the download worker resolved with for the model. */
  readonly package: StoredPackage;
  readonly examples: readonly TeachExample[];
  /** What the adapter shall be called in the list of models. */
  readonly name: string;
  readonly options?: TeachOptions | undefined;
  /** Absolute URL of the folder that holds the runtime's wasm files, ending with a slash (as in LoadRequest). */
  readonly runtimeUrl: string;
  /** Absolute URL of the folder of what is shown against forgetting, ending with a slash. */
  readonly replayUrl: string;
}

/** An adapter in this device's storage, ready to be chosen like any other. */
export interface Taught extends TeachResult {
  /** Its package's id, as `stored packages` lists it. */
  readonly adapterId: string;
  readonly bytes: number;
}

export interface TeachingApi {
  /** Looks at the examples and the model, and measures a step. Never rejects for what a TeachProblem can say. */
  plan(request: TeachRequest): Promise<TeachPlan>;
  /**
   * Teaches and stores the adapter. One at a time: a second call rejects with "bad-input". Resolves with undefined where it was stopped and
   * nothing was to be kept (or no step was done yet). Every event is awaited.
   */
  teach(
    request: TeachRequest,
    onEvent: (event: TeachEvent) => Promise<void> | void,
    job: string,
  ): Promise<Taught | undefined>;
  /** Ends that job after the step that runs. */
  stop(job: string, then: OnStop): Promise<void>;
}
