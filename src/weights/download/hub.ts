// A repository on a model hub as a package: which of its files a device needs, with the hashes that the hub publishes of them.
// Knows the hub's addresses and answers (those of huggingface.co, which its mirrors share); no storage and no runtime.
import * as v from "valibot";
import { EngineError } from "#engine/errors.ts";
import {
  isHubManifest,
  manifestVersion,
  parsePackageManifest,
  type HubDtype,
  type HubManifest,
} from "#weights/manifest.ts";
import { requestBytes, type RequestOptions } from "./request.ts";
import { sha256Hex } from "./verify.ts";

/** A repository at one of its revisions, and the host it is on. */
export interface HubAddress {
  /** With a trailing slash. */
  readonly host: string;
  /** "owner/name". */
  readonly repository: string;
  readonly revision: string;
}

/** What a device can compute with, as far as the choice of files needs it. */
export type HubPrecision = "gpu-f16" | "gpu-f32" | "cpu";

export interface HubFile {
  readonly path: string;
  readonly bytes: number;
  /** Of the file's bytes; undefined for small files, of which the hub only publishes git's own hash. */
  readonly sha256: string | undefined;
  readonly gitOid: string;
}

/** What would be fetched. */
export interface HubPlan {
  readonly address: HubAddress;
  readonly name: string;
  /** As the hub calls it, such as "apache-2.0"; "unknown" when it does not tell. */
  readonly license: string;
  readonly modelType: string;
  readonly dtypes: Readonly<Record<string, HubDtype>>;
  readonly files: readonly HubFile[];
}

/** The parts that a vision-language model is exported in. */
const parts = ["embed_tokens", "vision_encoder", "decoder_model_merged"] as const;
export type HubPart = (typeof parts)[number];

const suffixes: Readonly<Record<HubDtype, string>> = {
  fp32: "",
  fp16: "_fp16",
  q8: "_quantized",
  q4: "_q4",
  q4f16: "_q4f16",
};

/** In the order of preference where sizes are alike. Exports in 8 bits have come out wrong on GPUs, so they are for processors only. */
const usable: Readonly<Record<HubPrecision, readonly HubDtype[]>> = {
  "gpu-f16": ["q4f16", "q4", "fp16", "fp32"],
  "gpu-f32": ["q4", "fp32"],
  cpu: ["q4", "q8", "fp32"],
};
/** Sizes that differ by less are alike. */
const alike = 1.05;

/** Architectures (config.json's model_type) that the hub's library runs from these three parts and a picture. */
const modelTypes = new Set([
  ..."llava llava_onevision llava_qwen2 idefics3 smolvlm qwen2_vl qwen2_5_vl qwen3_vl qwen3_5 lfm2_vl".split(" "),
  ..."gemma3 mistral3".split(" "),
]);

/** Small files that the library reads; those that are not there are not needed. */
const smallFiles = new Set([
  ..."config.json generation_config.json preprocessor_config.json processor_config.json tokenizer.json".split(" "),
  ..."tokenizer_config.json special_tokens_map.json chat_template.json chat_template.jinja".split(" "),
]);
/** No config or tokenizer is longer. */
const longestSmallFile = 64 * 2 ** 20;

/** The repository behind a package address such as `https://huggingface.co/owner/name/resolve/main/`; undefined when it is none. */
export function hubAddress(baseUrl: string): HubAddress | undefined {
  const found = /^(https?:\/\/[^/]+\/)([\w.-]+\/[\w.-]+)\/resolve\/([^/?#]+)\/$/.exec(baseUrl);
  if (!found) return undefined;
  const [, host = "", repository = "", revision = ""] = found;
  return { host, repository, revision: decodeURIComponent(revision) };
}

/** Where the repository's files are. */
export function hubFilesUrl({ host, repository, revision }: HubAddress): string {
  return `${host}${repository}/resolve/${encodeURIComponent(revision)}/`;
}

const Answer = v.looseObject({
  sha: v.string(),
  tags: v.optional(v.array(v.string()), []),
  config: v.optional(v.looseObject({ model_type: v.optional(v.string()) })),
  siblings: v.array(
    v.looseObject({
      rfilename: v.string(),
      size: v.optional(v.number()),
      blobId: v.optional(v.string()),
      lfs: v.nullish(v.looseObject({ sha256: v.string(), size: v.number() })),
    }),
  ),
});

/** Asks the hub once. Rejects with "network", "http", or "bad-package" where this page can't run what is there. */
export async function planHubPackage(
  address: HubAddress,
  precision: HubPrecision,
  options: RequestOptions = {},
): Promise<HubPlan> {
  const { host, repository, revision } = address;
  const url = `${host}api/models/${repository}/revision/${encodeURIComponent(revision)}?blobs=true`;
  const parsed = v.safeParse(Answer, await fetchJson(url, options));
  if (!parsed.success) throw new EngineError("bad-package", `${url}: the hub's answer was not understood`);
  const { sha, tags, config, siblings } = parsed.output;
  const files = new Map<string, HubFile>();
  for (const { rfilename, size, blobId, lfs } of siblings) {
    const bytes = lfs?.size ?? size;
    if (bytes === undefined || blobId === undefined) continue;
    files.set(rfilename, { path: rfilename, bytes, sha256: lfs?.sha256, gitOid: blobId });
  }
  const modelType = config?.model_type ?? "unknown";
  if (!modelTypes.has(modelType))
    throw new EngineError("bad-package", `${repository}: models of the type "${modelType}" can't be run here`);
  const dtypes: Record<string, HubDtype> = {};
  const wanted = [...files.values()].filter(({ path }) => smallFiles.has(path));
  for (const part of parts) {
    const dtype = bestDtype(files, part, precision);
    if (dtype === undefined)
      throw new EngineError("bad-package", `${repository} has no ONNX files of its ${part} that this device can run`);
    dtypes[part] = dtype;
    wanted.push(...partFiles(files, part, dtype));
  }
  const license = tags.find((tag) => tag.startsWith("license:"))?.slice("license:".length) ?? "unknown";
  const name = repository.slice(repository.indexOf("/") + 1);
  return { address: { host, repository, revision: sha }, name, license, modelType, dtypes, files: wanted };
}

/** The smallest that the device computes with. */
function bestDtype(files: ReadonlyMap<string, HubFile>, part: string, precision: HubPrecision): HubDtype | undefined {
  let best: { readonly dtype: HubDtype; readonly bytes: number } | undefined;
  for (const dtype of usable[precision]) {
    const bytes = partFiles(files, part, dtype).reduce((sum, file) => sum + file.bytes, 0);
    if (bytes > 0 && (best === undefined || bytes * alike < best.bytes)) best = { dtype, bytes };
  }
  return best?.dtype;
}

/** The part's graph and its external data; none where the repository has no such graph. */
function partFiles(files: ReadonlyMap<string, HubFile>, part: string, dtype: HubDtype): HubFile[] {
  const graph = `onnx/${part}${suffixes[dtype]}.onnx`;
  if (!files.has(graph)) return [];
  return [...files.values()].filter(
    ({ path }) =>
      path === graph || (path.startsWith(`${graph}_data`) && /^(_\d+)?$/.test(path.slice(graph.length + 5))),
  );
}

/** What of a plan counts for whether it fits. */
export function planFacts({ files, dtypes }: HubPlan): {
  readonly bytes: number;
  readonly largestBytes: number;
  readonly needsF16: boolean;
} {
  const embeddings = files.filter(({ path }) => path.includes("embed_tokens"));
  return {
    bytes: files.reduce((sum, file) => sum + file.bytes, 0),
    largestBytes: Math.max(0, ...embeddings.map((file) => file.bytes)),
    needsF16: Object.values(dtypes).some((dtype) => dtype.endsWith("16")),
  };
}

/** A plan as a manifest: each file is one shard. `fetched` are the small files, which had to be here to be hashed. */
export async function hubManifest(
  id: string,
  plan: HubPlan,
  options: RequestOptions = {},
): Promise<{ readonly manifest: HubManifest; readonly fetched: ReadonlyMap<string, Blob> }> {
  const { address, name, license, modelType, dtypes } = plan;
  const fetched = new Map<string, Blob>();
  const files = await Promise.all(
    plan.files.map(async (file) => {
      let { sha256 } = file;
      if (sha256 === undefined) {
        const bytes = await fetchSmall(new URL(file.path, hubFilesUrl(address)).href, file, options);
        sha256 = await sha256Hex(bytes);
        fetched.set(file.path, new Blob([bytes]));
      }
      return { path: file.path, bytes: file.bytes, shards: [{ offset: 0, bytes: file.bytes, sha256 }] };
    }),
  );
  const { repository, revision } = address;
  const model = { id, name, license, modelType, repository, revision, dtypes };
  const parsed = parsePackageManifest({
    version: manifestVersion,
    model: { ...model, architecture: "transformers.js" },
    files,
  });
  if (!parsed.ok) throw new EngineError("bad-package", `${repository}: ${parsed.problem}`);
  if (!isHubManifest(parsed.manifest)) throw new EngineError("internal", "made a manifest of the wrong kind");
  return { manifest: parsed.manifest, fetched };
}

/** Bytes whose git hash is right; asked once more past all caches where it is not. */
async function fetchSmall(
  url: string,
  { bytes, gitOid }: HubFile,
  options: RequestOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  if (bytes > longestSmallFile) throw new EngineError("bad-package", `${url} has ${bytes} bytes: too many`);
  for (const cache of ["no-cache", "reload"] as const) {
    const content = await requestBytes(url, options, cache);
    if ((await gitHash(content)) === gitOid) return content;
  }
  throw new EngineError("integrity", `${url} does not have the bytes that the hub publishes a hash of`);
}

/** Git's name of a blob: SHA-1 over a header and the bytes, in hex. */
async function gitHash(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const header = new TextEncoder().encode(`blob ${bytes.length}\0`);
  const whole = new Uint8Array(header.length + bytes.length);
  whole.set(header);
  whole.set(bytes, header.length);
  const digest = await crypto.subtle.digest("SHA-1", whole);
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function fetchJson(url: string, options: RequestOptions): Promise<unknown> {
  const text = new TextDecoder().decode(await requestBytes(url, options, "no-cache"));
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new EngineError("bad-package", `${url} is not JSON`, { cause: error });
  }
}
