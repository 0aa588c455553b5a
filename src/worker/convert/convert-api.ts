// The wire between the page and the worker that converts checkpoints, as types only: neither side imports the other.
import type { Fit } from "#weights/fit.ts";
import type { KeptPlace } from "#weights/store/unfinished.ts";

/**
 * Where a checkpoint lies: on a hub (`hub` is its URL with a trailing slash; `revision` a branch, tag or commit, default "main", which is
 * resolved to a commit once), in a folder of any server that answers ranges (`url` ends with a slash), or in dropped files. The first two are
 * kept with a half-made package, so that a later visit can go on.
 */
type CheckpointPlace =
  | KeptPlace
  | {
      /** By their path below what was dropped; "a/config.json" becomes "config.json". */
      readonly kind: "files";
      /** The folder's name. */
      readonly name: string;
      readonly files: ReadonlyMap<string, File>;
    };

export interface ConversionRequest {
  readonly place: CheckpointPlace;
  /** Of a gated repository: the reader's access token of the hub. It is sent to the hub's own host only, and never stored by the worker. */
  readonly token?: string | undefined;
  /** Which of its files, where a place holds several models (GGUF): the model's, and the projector's. */
  readonly weights?: readonly string[] | undefined;
  /** "owner/name" on the same hub: the vision tower, of checkpoints that do not hold it. */
  readonly tower?: string | undefined;
  /** Bits per weight of the parts; default 8 for the tower, 4 for embeddings and decoder. */
  readonly bits?: { readonly vision: 4 | 8; readonly embed: 4 | 8; readonly decoder: 4 | 8 } | undefined;
  /** Under which the package is stored; default "owner/name" on a hub, the URL of an address, the folder's name for files. */
  readonly id?: string | undefined;
  /** For people; default the repository's or folder's name. */
  readonly name?: string | undefined;
  /** Default what the hub says, else "unknown". */
  readonly license?: string | undefined;
  /** Absolute URL of the folder with the runtime's wasm files, ending with a slash; without it the package gets no golden numbers. */
  readonly runtimeUrl?: string | undefined;
}

/** What a conversion will take, told before the first byte of weights is fetched. */
export interface ConversionPlan {
  readonly kind: "plan";
  /** Of the package that it makes. */
  readonly id: string;
  readonly name: string;
  readonly license: string;
  /** The commit that is converted; undefined where the place has none. */
  readonly commit: string | undefined;
  /** Bytes of weights to fetch in all, and of those how many need not be fetched any more because an earlier visit did. */
  readonly fetchBytes: number;
  readonly fetchedBytes: number;
  /** Bytes of the finished package, and of those how many are stored already. */
  readonly keepBytes: number;
  readonly keptBytes: number;
  /** Bytes that may still be stored; undefined where the browser does not tell. */
  readonly roomBytes: number | undefined;
  /** Memory that converting takes at most, beside what the page has already. Running the model is judged by `fit`. */
  readonly memoryBytes: number;
  readonly contextLength: number;
  /** Whether this device can hold and run what comes of it. */
  readonly fit: Fit;
  /** How fast this device would answer, roughly; undefined where it can't be told. */
  readonly tokensPerSecond: number | undefined;
  /** Whether the place publishes SHA-256 of every file of weights, so that each is verified. */
  readonly verified: boolean;
  /** Sentences about choices that were made (template, context), in English, for a details view. */
  readonly notes: readonly string[];
}

/** One of several models that a place holds in GGUF. */
export interface GgufChoice {
  /** The file's name without its ending, and without its part's number. */
  readonly name: string;
  /** "Q4_K_M"; undefined where the name tells none. */
  readonly quantization: string | undefined;
  /** For `ConversionRequest.weights`. */
  readonly weights: readonly [model: string, projector: string];
  /** Bytes of both files, and of the package: an estimate by the quantization. */
  readonly fetchBytes: number;
  readonly keepBytes: number;
  readonly fit: Fit;
  /** True of one of them: the best that suits this device. */
  readonly recommended: boolean;
}

/** The place holds several models in GGUF, and the request does not say which; the smallest first. */
export interface GgufChoices {
  readonly kind: "choice";
  readonly models: readonly GgufChoice[];
}

/** The hub gives the files to some readers only: with 401 to those with a token, with 403 to those who accepted the license on its page. */
export interface GatedPlace {
  readonly kind: "gated";
  readonly status: 401 | 403;
  /** The page on the hub where access is asked for; "" where the place is no hub. */
  readonly page: string;
}

/** How far a conversion is; it comes about four times a second. Every count includes what earlier visits did. */
export interface ConversionEvent {
  readonly type: "convert";
  /** "opening" reads headers, "converting" fetches and quantizes, "finishing" writes graphs and manifest. */
  readonly stage: "opening" | "converting" | "finishing";
  /** Bytes of weights that have arrived, of `toFetch`. */
  readonly fetched: number;
  readonly toFetch: number;
  /** Bytes of the package that have been computed, and that are stored for good, both of `toKeep`. */
  readonly converted: number;
  readonly kept: number;
  readonly toKeep: number;
  /** Bytes of weights per second over the last seconds; undefined until it is known. */
  readonly bytesPerSecond: number | undefined;
  readonly secondsLeft: number | undefined;
  /** How often in a row the server sent nothing for a while; absent while bytes come. */
  readonly silences?: number;
}

export interface ConversionMade {
  readonly kind: "made";
  /** Of the stored package, an ordinary one from now on. */
  readonly id: string;
}

/**
 * The worker that converts. Rejections carry a code: "bad-checkpoint" (the message is a sentence that names the file), "network", "http",
 * "integrity" (a file is not the one whose SHA-256 the hub publishes, or changed while it was read; nothing of it is kept), "quota",
 * "storage", "out-of-memory", or an AbortError after `pause`.
 */
export interface ConversionApi {
  /** Reads the listing, the small files and the headers of weights; takes a few seconds. Also tells what is left of a paused conversion. */
  plan(request: ConversionRequest): Promise<ConversionPlan | GatedPlace | GgufChoices>;
  /**
   * Converts, or goes on where an earlier call of the same request ended: after a pause, a failure or a closed tab. Resolves when the
   * package is stored. One conversion runs at a time; a second call waits for the first.
   */
  convert(
    request: ConversionRequest,
    onEvent: (event: ConversionEvent) => Promise<void> | void,
    job: string,
  ): Promise<ConversionMade | GatedPlace>;
  /** Ends the job, running or waiting, as soon as the shards under way are stored; everything that is stored stays for the next call. */
  pause(job: string): Promise<void>;
  /** Deletes what is left of a conversion that is not finished; "in-use" while it runs in any tab. A finished package stays. */
  discard(id: string): Promise<"done" | "in-use">;
}
