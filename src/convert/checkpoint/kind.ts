// What a folder is that can't be converted as a checkpoint, and what to do instead. Knows names of files and fields of configs;
// reads no weights.
import * as v from "valibot";
import { badCheckpoint } from "./bad-checkpoint.ts";
import type { CheckpointFolder } from "./folders.ts";
import { JsonObjectSchema, type JsonObject } from "./json-file.ts";

const wanted = "take the checkpoint that it was made from, in 16 or 32 bits: `llava convert` quantizes it itself";
const fetchAgain = "the download was interrupted; let it go on, or fetch the file again";

/** What the names in a folder tell, each with the next step. */
const kinds: readonly { readonly when: RegExp; readonly is: (name: string, found: string) => string }[] = [
  {
    when: /^manifest\.json$/,
    is: (name) =>
      `${name} is a model package already; \`llava chat --model\` runs it, and its checkpoint is what can be converted`,
  },
  {
    when: /^model_index\.json$/,
    is: (name) => `${name} is a pipeline of diffusers, which makes pictures and reads none`,
  },
  {
    when: /\.(incomplete|part|partial|crdownload|aria2|download)$/,
    is: (name, found) => `${name} holds ${found}: ${fetchAgain}`,
  },
  { when: /\.gguf$/i, is: (name, found) => `${name} holds ${found}, llama.cpp's form of quantized weights; ${wanted}` },
  {
    when: /(^|\/)[^/]+\.onnx$/,
    is: (name) =>
      `${name} holds ONNX graphs, which are a converted model already: \`llava chat --model\` runs those of LLaVA's family; ` +
      "for converting, take the checkpoint with safetensors",
  },
  {
    when: /\.(safetensors|bin|pth?)\.(gz|xz|zst|bz2)$/i,
    is: (name, found) => `${name} holds ${found}, which is compressed; unpack it first`,
  },
  {
    when: /\.(zip|tar|tgz|tar\.\w+|7z|rar)$/i,
    is: (name, found) => `${name} holds ${found}, an archive; unpack it and give the folder inside`,
  },
  {
    when: /^(params\.json|consolidated\.\d+\.(pth|safetensors))$/,
    is: (name) =>
      `${name} is in the layout of the model's maker (params.json, consolidated.*); take the one for transformers`,
  },
  {
    when: /^refs\/|^snapshots\//,
    is: (name) => `${name} is a model's place in a hub's cache; give the folder in its snapshots`,
  },
  {
    when: /\.(h5|msgpack|npz|mlpackage|tflite|engine)$/,
    is: (name, found) => `${name} holds ${found}, weights for another library; take the safetensors or PyTorch files`,
  },
];

/** The sentence for a folder that lacks `missing`; undefined where its files tell nothing. */
export async function describeFolder(folder: CheckpointFolder): Promise<string | undefined> {
  const names = (await folder.names?.()) ?? [];
  for (const { when, is } of kinds) {
    const found = names.find((name) => when.test(name));
    if (found !== undefined) return is(folder.name, found);
  }
  const inner = names
    .filter((name) => /^[^/]+\/config\.json$/.test(name))
    .map((name) => name.slice(0, name.indexOf("/")));
  if (inner.length > 0)
    return `${folder.name} has no config.json of its own, but its folder ${inner.join(", ")} has one: give that`;
  return undefined;
}

/** How quantized checkpoints name themselves, and how people do. */
const methods: Readonly<Record<string, string>> = {
  bitsandbytes: "bitsandbytes",
  bnb: "bitsandbytes",
  gptq: "GPTQ",
  awq: "AWQ",
  "compressed-tensors": "compressed-tensors",
  compressed_tensors: "compressed-tensors",
  fp8: "fp8",
  fbgemm_fp8: "fp8",
  modelopt: "ModelOpt",
};

/** Throws EngineError("bad-checkpoint") for configs of models that can't be converted. */
export function refuseOtherKinds(config: JsonObject, name: string): void {
  const quantized = quantizationOf(config);
  if (quantized !== undefined) {
    throw badCheckpoint(
      `${name} is quantized already (${quantized}); ${wanted}. Where its weights are whole again, take quantization_config out of config.json`,
    );
  }
  const type = String(config["model_type"]);
  const architectures = Array.isArray(config["architectures"]) ? config["architectures"].map(String) : [];
  const text = objectOf(config["text_config"]);
  // Unknown model types are refused by config.ts.
  if (/mpt/i.test(String(text["model_type"]))) {
    throw badCheckpoint(
      "LLaVA on MPT is not supported; LLaVA 1.0 to 1.6 on Llama, Vicuna, Mistral or Yi, LLaVA-Interleave and LLaVA-OneVision are",
    );
  }
  const vila = "llm_cfg" in config || "vision_tower_cfg" in config || /vila/i.test(type);
  if (vila || architectures.some((value) => /vila/i.test(value) || value === "LlavaLlamaModel")) {
    throw badCheckpoint(
      `${name} is a VILA: its language model, tower and projector lie in folders of their own, and its projector shrinks pictures in a way ` +
        "that is not supported. Take a LLaVA, or let a server run it and connect the page to that",
    );
  }
  const video = [type, ...architectures].some((value) => /video/i.test(value)) || /next-video/i.test(name);
  const pools = Number(config["mm_spatial_pool_stride"] ?? 1) > 1;
  const resampler = config["mm_resampler_type"];
  if (video || pools || (typeof resampler === "string" && resampler !== "identity")) {
    const what =
      video || pools
        ? "a LLaVA-NeXT-Video: it pools the rows of its frames"
        : `made with the resampler ${String(resampler)}`;
    throw badCheckpoint(`${name} is ${what}, which is not supported; take a LLaVA for pictures, such as LLaVA-1.6`);
  }
}

const Quantization = v.looseObject({
  quant_method: v.nullish(v.string()),
  bits: v.nullish(v.number()),
  w_bit: v.nullish(v.number()),
  load_in_4bit: v.nullish(v.boolean()),
  load_in_8bit: v.nullish(v.boolean()),
  _load_in_4bit: v.nullish(v.boolean()),
  _load_in_8bit: v.nullish(v.boolean()),
});

/** "GPTQ, 4 bits"; undefined for plain weights. */
function quantizationOf(config: JsonObject): string | undefined {
  for (const part of [config, objectOf(config["text_config"]), objectOf(config["vision_config"])]) {
    const given = part["quantization_config"] ?? part["compression_config"];
    if (!v.is(JsonObjectSchema, given) || Array.isArray(given) || Object.keys(given).length === 0) continue;
    const parsed = v.safeParse(Quantization, given);
    const raw = parsed.success ? parsed.output : {};
    const four = raw.load_in_4bit === true || raw._load_in_4bit === true;
    const eight = raw.load_in_8bit === true || raw._load_in_8bit === true;
    const method = raw.quant_method ?? (four || eight ? "bitsandbytes" : "with a quantization_config");
    const bits = raw.bits ?? raw.w_bit ?? (four ? 4 : eight ? 8 : undefined);
    return `${methods[method.toLowerCase()] ?? method}${bits === undefined ? "" : `, ${bits} bits`}`;
  }
  return undefined;
}

/** Names that only quantized weights have, and whose they are. */
const quantizedNames: readonly (readonly [RegExp, string])[] = [
  [/\.(absmax|quant_state\.\w+|SCB|nested_absmax|quant_map)$/, "bitsandbytes"],
  [/\.(qweight|qzeros|g_idx)$/, "GPTQ or AWQ"],
  [/\.(weight_packed|weight_scale|weight_scale_inv|input_scale)$/, "compressed-tensors or fp8"],
];

/** Throws where tensors are those of a quantized checkpoint whose config does not say so. */
export function refuseQuantizedTensors(names: Iterable<string>, origin: string): void {
  for (const name of names) {
    const found = quantizedNames.find(([pattern]) => pattern.test(name));
    if (found)
      throw badCheckpoint(`${origin} is quantized already (${found[1]}: it has the tensor ${name}); ${wanted}`);
  }
}

function objectOf(value: unknown): JsonObject {
  return v.is(JsonObjectSchema, value) ? value : {};
}
