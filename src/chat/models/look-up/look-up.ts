// Looks up what stands behind a model of the zoo, "owner/name", an address, or dropped files, before anything of it is downloaded: a package,
// a checkpoint that is converted here, or a hub's ONNX files. Knows no page and no network; what asks is handed in.
import { errorCodeOf } from "#engine/errors.ts";
import type { WantedCheckpoint } from "#chat/downloads/wanted.ts";
import type { PackageOffer, PackagesApi } from "#worker/api.ts";
import type {
  ConversionPlan,
  ConversionRequest,
  GatedPlace,
  GgufChoice,
  GgufChoices,
} from "#worker/convert/convert-api.ts";
import type { Source, ZooRecord } from "#zoo/record.ts";
import { sourceAt, zooRecord } from "#zoo/zoo.ts";
import { defaultHub, packageAddress, repositoryAt } from "./package-address.ts";

/** A checkpoint with what it costs. The offer's `bytes` are those of the package that it becomes. */
export interface CheckpointOffer
  extends
    WantedCheckpoint,
    Pick<ConversionPlan, "fetchBytes" | "fetchedBytes" | "memoryBytes" | "notes" | "verified"> {}

/** `baseUrl` is "" of a checkpoint. */
export type PreviewedModel = PackageOffer & { readonly baseUrl: string; readonly checkpoint?: CheckpointOffer };

/** What the hub gives to some readers only. */
export interface GatedModel {
  readonly gated: GatedPlace;
  /** The URL of the hub, which a token belongs to. */
  readonly hub: string;
}

/** Several models in one place, of which one has to be chosen. */
export interface ModelChoice {
  readonly models: readonly GgufChoice[];
  readonly checkpoint: WantedCheckpoint;
}

/** A record of the zoo with one of its sources; files by path; or one of several models in one place. */
export type Wanted =
  | string
  | { readonly record: ZooRecord; readonly source: Source }
  | { readonly files: ReadonlyMap<string, File> }
  | { readonly choice: GgufChoice; readonly checkpoint: WantedCheckpoint };

type LookedUpModel = PreviewedModel | GatedModel | ModelChoice;

/** Undefined where it is neither a hub's id nor an address. Rejects with the codes of a load, and "bad-checkpoint" with a sentence. */
export type LookUp = (wanted: Wanted) => Promise<LookedUpModel | undefined>;

interface LookUpOptions {
  readonly preview: PackagesApi["preview"];
  readonly plan: (request: ConversionRequest) => Promise<ConversionPlan | GatedPlace | GgufChoices>;
  /** Absolute URL of the hub, or of a mirror of it, with a trailing slash. */
  readonly hub?: string | undefined;
}

/** One rule for what has several forms: a package first, then a checkpoint for this engine, then ONNX files for transformers.js. */
export function createLookUp({ preview, plan, hub = defaultHub }: LookUpOptions): LookUp {
  const planned = async (
    checkpoint: WantedCheckpoint,
    named: Pick<ConversionRequest, "id" | "name"> = {},
  ): Promise<LookedUpModel> => {
    const found = await plan({ ...checkpoint, ...named });
    if (found.kind === "choice") return { models: found.models, checkpoint };
    if (found.kind === "gated")
      return { gated: found, hub: checkpoint.place.kind === "hub" ? checkpoint.place.hub : hub };
    return offerOf(found, checkpoint);
  };
  const previewed = async (baseUrl: string): Promise<PreviewedModel> => ({ ...(await preview(baseUrl)), baseUrl });

  return async (wanted) => {
    if (typeof wanted === "string") {
      const record = zooRecord(wanted.trim());
      if (record !== undefined) return fromZoo(record, sourceAt(record, wanted.trim()) ?? record.sources[0]);
      const one = /^\s*([\w.-]+\/[\w.-]+):([\w.-]+)\s*$/.exec(wanted);
      if (one) return oneOf(one[1] ?? "", one[2] ?? "");
      const baseUrl = packageAddress(wanted, hub);
      if (baseUrl === undefined) return undefined;
      const repository = repositoryAt(baseUrl, hub);
      return repository === undefined ? atAddress(baseUrl) : onHub(repository, baseUrl);
    }
    if ("files" in wanted)
      return planned({ place: { kind: "files", name: folderOf(wanted.files), files: wanted.files } });
    return "choice" in wanted ? chosen(wanted.choice, wanted.checkpoint) : fromZoo(wanted.record, wanted.source);
  };

  /** "owner/name:Q4_K_M", as llama.cpp has it. All there are where none is of that quantization. */
  async function oneOf(repository: string, quantization: string): Promise<LookedUpModel> {
    const found = await planned({ place: { kind: "hub", hub, repository } });
    const choice =
      "models" in found &&
      found.models.find((model) => model.quantization?.toLowerCase() === quantization.toLowerCase());
    return choice ? chosen(choice, found.checkpoint) : found;
  }

  /** Stored under a name of its own, so that two of one place don't meet. */
  function chosen({ name, quantization, weights }: GgufChoice, checkpoint: WantedCheckpoint): Promise<LookedUpModel> {
    const { place } = checkpoint;
    const where = place.kind === "hub" ? place.repository : place.kind === "files" ? place.name : place.url;
    return planned({ ...checkpoint, weights }, { id: `${where}:${quantization ?? name}`, name });
  }

  async function fromZoo(record: ZooRecord, source: Source): Promise<LookedUpModel> {
    const { name, license } = record;
    const { repository } = source;
    if (source.format === "onnx") return { ...(await previewed(`${hub}${repository}/resolve/main/`)), name };
    return planned({ place: { kind: "hub", hub, repository }, ...zooCheckpoint(record, source), license }, { name });
  }

  async function onHub(repository: string, baseUrl: string): Promise<LookedUpModel> {
    try {
      return await planned({ place: { kind: "hub", hub, repository } });
    } catch (error) {
      // No checkpoint that is converted here: a package, or ONNX files.
      if (errorCodeOf(error) !== "bad-checkpoint") throw error;
      return previewed(baseUrl).catch((other: unknown) => {
        throw ["bad-package", "http"].includes(errorCodeOf(other)) ? error : other;
      });
    }
  }

  async function atAddress(baseUrl: string): Promise<LookedUpModel> {
    try {
      return await previewed(baseUrl);
    } catch (error) {
      if (!["bad-package", "http"].includes(errorCodeOf(error))) throw error;
      return planned({ place: { kind: "address", url: baseUrl } }).catch((other: unknown) => {
        throw errorCodeOf(other) === "bad-checkpoint" ? other : error;
      });
    }
  }
}

/** Which of a source's files are converted, with which tower, and how many bits its weights get. */
function zooCheckpoint({ bits }: ZooRecord, source: Source): Pick<WantedCheckpoint, "weights" | "tower" | "bits"> {
  return {
    ...(source.format === "gguf" ? { weights: [source.file, source.mmproj] } : {}),
    ...("tower" in source ? { tower: source.tower } : {}),
    ...(bits === undefined || !isConvertible(bits) ? {} : { bits }),
  };
}

function offerOf(plan: ConversionPlan, checkpoint: WantedCheckpoint): PreviewedModel {
  const { id, name, license, keepBytes, fit, tokensPerSecond } = plan;
  const { fetchBytes, fetchedBytes, memoryBytes, notes, verified } = plan;
  return {
    id,
    name,
    license,
    architecture: "llava",
    bytes: keepBytes,
    fit,
    tokensPerSecond,
    baseUrl: "",
    checkpoint: { ...checkpoint, license, fetchBytes, fetchedBytes, memoryBytes, notes, verified },
  };
}

type ConversionBits = NonNullable<ConversionRequest["bits"]>;

function isConvertible(bits: Readonly<Record<keyof ConversionBits, number>>): bits is ConversionBits {
  return Object.values(bits).every((value) => value === 4 || value === 8);
}

/** The name of the one folder that all files are in, or of the first file. */
function folderOf(files: ReadonlyMap<string, File>): string {
  const [first = ""] = files.keys();
  const [folder = ""] = first.split("/");
  return folder === first ? first.replace(/\.[^.]+$/, "") : folder;
}
