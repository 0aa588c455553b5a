// Chooses which files of a hub's repository a device needs: asks the hub for its listing, and takes the smallest export that the device
// computes with. Knows no storage and no runtime.
import { EngineError } from "#engine/errors.ts";
import type { HubDtype } from "#weights/manifest.ts";
import type { HubAddress } from "./hub-address.ts";
import { fetchHubListing, type HubFile } from "./hub-listing.ts";
import type { RequestOptions } from "./request.ts";

/** What a device computes with, as far as it decides which files are chosen. */
export type HubPrecision = "gpu-f16" | "gpu-f32" | "cpu";

/** The files of a repository that a device needs. */
export interface HubPlan {
  readonly address: HubAddress;
  readonly name: string;
  /** The hub's name of the license, such as "apache-2.0"; "unknown" where it names none. */
  readonly license: string;
  readonly modelType: string;
  readonly dtypes: Readonly<Record<string, HubDtype>>;
  readonly files: readonly HubFile[];
}

/** The ONNX graphs that a vision-language model is exported in. */
const parts = ["embed_tokens", "vision_encoder", "decoder_model_merged"] as const;
export type HubPart = (typeof parts)[number];

const suffixes: Readonly<Record<HubDtype, string>> = {
  fp32: "",
  fp16: "_fp16",
  q8: "_quantized",
  q4: "_q4",
  q4f16: "_q4f16",
};

/** In the order of preference among similar sizes. 8-bit exports have given wrong results on GPUs, so only CPUs use them. */
const usable: Readonly<Record<HubPrecision, readonly HubDtype[]>> = {
  "gpu-f16": ["q4f16", "q4", "fp16", "fp32"],
  "gpu-f32": ["q4", "fp32"],
  cpu: ["q4", "q8", "fp32"],
};
/** Sizes that differ by a smaller factor count as similar. */
const similarSize = 1.05;

/** Values of config.json's `model_type` that transformers.js runs from these three graphs. */
const modelTypes = new Set([
  ..."llava llava_onevision llava_qwen2 idefics3 smolvlm qwen2_vl qwen2_5_vl qwen3_vl qwen3_5 lfm2_vl".split(" "),
  ..."gemma3 mistral3".split(" "),
]);

/** Small files that transformers.js reads where they exist. */
const smallFiles = new Set([
  ..."config.json generation_config.json preprocessor_config.json processor_config.json tokenizer.json".split(" "),
  ..."tokenizer_config.json special_tokens_map.json chat_template.json chat_template.jinja".split(" "),
]);
/** Asks the hub for the repository's listing. Rejects with "network", "http", or "bad-package" where the repository cannot be run here. */
export async function planHubPackage(
  address: HubAddress,
  precision: HubPrecision,
  options: RequestOptions = {},
): Promise<HubPlan> {
  const { repository } = address;
  const { address: found, license, modelType, files } = await fetchHubListing(address, options);
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
  const name = repository.slice(repository.indexOf("/") + 1);
  return { address: found, name, license, modelType, dtypes, files: wanted };
}

/** The smallest export of a part that the device computes with; undefined when there is none. */
function bestDtype(files: ReadonlyMap<string, HubFile>, part: string, precision: HubPrecision): HubDtype | undefined {
  let best: { readonly dtype: HubDtype; readonly bytes: number } | undefined;
  for (const dtype of usable[precision]) {
    const bytes = partFiles(files, part, dtype).reduce((sum, file) => sum + file.bytes, 0);
    if (bytes > 0 && (best === undefined || bytes * similarSize < best.bytes)) best = { dtype, bytes };
  }
  return best?.dtype;
}

/** The part's graph and its external data; empty where the repository has no such graph. */
function partFiles(files: ReadonlyMap<string, HubFile>, part: string, dtype: HubDtype): HubFile[] {
  const graph = `onnx/${part}${suffixes[dtype]}.onnx`;
  if (!files.has(graph)) return [];
  return [...files.values()].filter(
    ({ path }) =>
      path === graph || (path.startsWith(`${graph}_data`) && /^(_\d+)?$/.test(path.slice(graph.length + 5))),
  );
}
