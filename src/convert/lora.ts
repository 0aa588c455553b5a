// LoRA adapters: reads one as peft and LLaVA's training save it, and merges it into its base, W + B·A·alpha/r, as tensors are read.
// Knows the names of both files; refuses kinds of adapters whose arithmetic it does not have.
import * as v from "valibot";
import { EngineError } from "#engine/errors.ts";
import type { CheckpointFolder } from "./byte-source.ts";
import {
  Checkpoint,
  elementsOf,
  requireFloat,
  sameShape,
  shapeText,
  type Tensor,
  computedTensor,
} from "./checkpoint.ts";
import { readObject } from "./json-file.ts";
import { openTensorFile } from "./open-checkpoint.ts";
import { huggingFaceName } from "./original-layout.ts";

export const adapterConfigName = "adapter_config.json";

const Config = v.looseObject({
  peft_type: v.optional(v.string(), "LORA"),
  r: v.pipe(v.number(), v.integer(), v.minValue(1)),
  lora_alpha: v.number(),
  fan_in_fan_out: v.nullish(v.boolean()),
  use_rslora: v.nullish(v.boolean()),
  use_dora: v.nullish(v.boolean()),
  rank_pattern: v.nullish(v.record(v.string(), v.unknown())),
  alpha_pattern: v.nullish(v.record(v.string(), v.unknown())),
  init_lora_weights: v.nullish(v.union([v.boolean(), v.string()])),
  base_model_name_or_path: v.nullish(v.string()),
});

/** Settings of peft that change the arithmetic. */
const variants = [
  "use_qalora",
  "use_bdlora",
  "lora_bias",
  "layer_replication",
  "target_parameters",
  "alora_invocation_tokens",
  "arrow_config",
  "kasa_config",
  "monteclora_config",
  "trainable_token_indices",
];

function isSet(value: unknown): boolean {
  if (typeof value === "object" && value !== null) return Object.keys(value).length > 0;
  return value !== undefined && value !== null && value !== false;
}

/** What an adapter changes in its base. */
export interface Adapter {
  /** By the changed weight's Hugging Face name. */
  readonly updates: ReadonlyMap<string, LoraUpdate>;
  /** Tensors that were trained whole: they replace the base's, or are new. */
  readonly whole: ReadonlyMap<string, Tensor>;
  readonly baseName: string | undefined;
}

/** A change of low rank: `scale` · `up` · `down`. */
export interface LoraUpdate {
  readonly down: Tensor; // [rank, inputs]
  readonly up: Tensor; // [outputs, rank]
  readonly scale: number;
}

/** up [rows, rank] · down [rank, cols] → [rows, cols]; a host may have a faster one than ours. */
export type Multiply = (
  up: Float32Array<ArrayBuffer>,
  down: Float32Array<ArrayBuffer>,
  rows: number,
  rank: number,
  cols: number,
) => Promise<Float32Array> | Float32Array;

/** Tensors that a LLaVA may have and its base lack. */
const added = /^(multi_modal_projector\.|vision_tower\.|image_newline$)/;
/** Tables with a row per token, which may have grown. */
const grows = new Set(["language_model.model.embed_tokens.weight", "language_model.lm_head.weight"]);

/** Reads the adapter in a folder; undefined when there is none. */
export async function readAdapter(folder: CheckpointFolder): Promise<Adapter | undefined> {
  const json = await readObject(folder, adapterConfigName);
  if (!json) return undefined;
  const parsed = v.safeParse(Config, json);
  if (!parsed.success) {
    const issue = parsed.issues[0];
    throw bad(`${adapterConfigName}: ${v.getDotPath(issue) ?? "the whole"}: ${issue.message}`);
  }
  const config = parsed.output;
  const variant = variants.find((field) => isSet(config[field]));
  const init = String(config.init_lora_weights ?? true);
  const refused: readonly (readonly [unknown, string])[] = [
    [config.peft_type !== "LORA", `is of the kind ${config.peft_type}; only LORA can be merged`],
    [config.fan_in_fan_out, "has fan_in_fan_out set, which no LLaVA's base needs; it can't be merged"],
    [config.use_dora, "is a DoRA (use_dora); only plain LoRA can be merged"],
    [Object.keys(config.alpha_pattern ?? {}).length > 0, "has an alpha_pattern; only one lora_alpha can be merged"],
    [variant !== undefined, `sets ${variant ?? ""}; only plain LoRA can be merged`],
    [/^(pissa|olora|corda)/.test(init), `began as ${init}, which changed its base's weights, too; it can't be merged`],
  ];
  for (const [applies, sentence] of refused) if (applies === true) throw bad(`the adapter ${folder.name} ${sentence}`);

  const names = ["adapter_model.safetensors", "adapter_model.bin"];
  const file = await openTensorFile(folder, names);
  if (!file) throw bad(`${folder.name} has ${adapterConfigName} but neither of ${names.join(", ")}`);
  const others = await openTensorFile(folder, ["non_lora_trainables.safetensors", "non_lora_trainables.bin"]);
  const whole = new Map([...(others ? trainedWhole(others) : [])]);
  const pairs = new Map<string, { down?: Tensor; up?: Tensor }>();
  for (const [name, tensor] of file.tensors) {
    const plain = name.replace(/^base_model\.model\./, "");
    const found = /^(.*)\.lora_([AB])(?:\.[^.]+)?\.weight$/.exec(plain);
    if (found?.[1] !== undefined) {
      const weight = huggingFaceName(`${found[1]}.weight`);
      const side = found[2] === "A" ? { down: tensor } : { up: tensor };
      pairs.set(weight, { ...pairs.get(weight), ...side });
    } else if (/\.lora_/.test(plain)) {
      throw bad(`the adapter's tensor ${name} is of a kind that can't be merged (embeddings, biases or magnitudes)`);
    } else whole.set(huggingFaceName(plain.replace(/\.modules_to_save(\.[^.]+)?/, "")), tensor);
  }
  const updates = new Map<string, LoraUpdate>();
  for (const [weight, { down, up }] of pairs) {
    if (!down || !up)
      throw bad(`the adapter has lora_${down ? "A" : "B"} for ${weight} and no lora_${down ? "B" : "A"}`);
    const rank = down.shape[0] ?? 0;
    if (down.shape.length !== 2 || up.shape.length !== 2 || up.shape[1] !== rank || rank === 0) {
      throw bad(
        `for ${weight} lora_A has shape ${shapeText(down.shape)} and lora_B ${shapeText(up.shape)}: not of one rank`,
      );
    }
    if (rank !== config.r && Object.keys(config.rank_pattern ?? {}).length === 0) {
      throw bad(`${adapterConfigName} says r = ${config.r}, and lora_A for ${weight} has rank ${rank}`);
    }
    const scale = config.lora_alpha / (config.use_rslora === true ? Math.sqrt(rank) : rank);
    updates.set(weight, { down, up, scale });
  }
  return { updates, whole, baseName: config.base_model_name_or_path ?? undefined };
}

/** Names of what LLaVA's training saves beside the adapter: wrapped once or twice, as its own loader takes them apart. */
function* trainedWhole(file: Checkpoint): Generator<[string, Tensor]> {
  const stripped = [...file.tensors].map(([name, tensor]) => [name.replace(/^base_model\./, ""), tensor] as const);
  const twice = stripped.some(([name]) => name.startsWith("model.model."));
  for (const [name, tensor] of stripped) yield [huggingFaceName(twice ? name.replace(/^model\./, "") : name), tensor];
}

/** The base, under its own names, with the adapter merged into it; computed in f32 and rounded once to the base's types. */
export function mergeAdapter(base: Checkpoint, adapter: Adapter, multiply: Multiply = multiplyPlainly): Checkpoint {
  const hint = adapter.baseName === undefined ? "" : ` (it was trained on ${adapter.baseName})`;
  const namesInBase = new Map([...base.tensors.keys()].map((name) => [huggingFaceName(name), name]));
  const tensors = new Map(base.tensors);
  const held: HeldMatrix = { multiply, tensor: undefined, values: undefined };
  for (const [weight, update] of adapter.updates) {
    const name = namesInBase.get(weight);
    const tensor = name === undefined ? undefined : base.tensors.get(name);
    if (name === undefined || !tensor) throw bad(`the adapter changes ${weight}, which the base does not have${hint}`);
    const shape = [update.up.shape[0] ?? 0, update.down.shape[1] ?? 0];
    if (!sameShape(tensor.shape, shape)) {
      throw bad(
        `the adapter changes ${weight} as a matrix of ${shapeText(shape)}, and the base's has ${shapeText(tensor.shape)}: ` +
          `it belongs to another base${hint}`,
      );
    }
    tensors.set(name, mergedTensor(tensor, update, held));
  }
  for (const [weight, tensor] of adapter.whole) {
    const name = namesInBase.get(weight);
    const below = name === undefined ? undefined : base.tensors.get(name);
    if (name === undefined || !below) {
      if (!added.test(weight)) throw bad(`the adapter brings ${weight}, which the base does not have${hint}`);
      tensors.set(originalName(weight, tensor.name), tensor);
    } else if (sameShape(below.shape, tensor.shape) || grows.has(weight)) tensors.set(name, tensor);
    else {
      throw bad(
        `the adapter brings ${weight} of shape ${shapeText(tensor.shape)}, and the base's has ${shapeText(below.shape)}: ` +
          `it belongs to another base${hint}`,
      );
    }
  }
  return new Checkpoint(tensors);
}

/** A new tensor keeps the name it was saved under, without the wrapping. */
function originalName(weight: string, saved: string): string {
  const found = /(?:^|\.)(model\.(?:mm_projector|vision_tower|image_newline).*)$/.exec(saved)?.[1];
  return found ?? weight;
}

/** The last `down` matrix that was read: runs of rows of one weight follow one another. */
interface HeldMatrix {
  readonly multiply: Multiply;
  tensor: Tensor | undefined;
  values: Promise<Float32Array<ArrayBuffer>> | undefined;
}

function mergedTensor(base: Tensor, { down, up, scale }: LoraUpdate, held: HeldMatrix): Tensor {
  for (const tensor of [base, down, up]) requireFloat(tensor);
  const [rank = 0, cols = 0] = down.shape;
  return computedTensor(base, {
    origin: `${base.origin} + ${down.origin}`,
    async read(start, count) {
      if (held.tensor !== down) {
        held.tensor = down;
        held.values = down.read(0, elementsOf(down.shape));
      }
      const firstRow = Math.floor(start / cols);
      const rows = Math.ceil((start + count) / cols) - firstRow;
      const upRows = await up.read(firstRow * rank, rows * rank);
      const change = await held.multiply(upRows, (await held.values) ?? new Float32Array(), rows, rank, cols);
      const values = await base.read(start, count);
      const shift = start - firstRow * cols;
      for (let i = 0; i < count; i++) values[i] = (values[i] ?? NaN) + scale * (change[shift + i] ?? NaN);
      return values;
    },
  });
}

/** Four ranks at a time, which saves most of the passes over the result. */
function multiplyPlainly(up: Float32Array, down: Float32Array, rows: number, rank: number, cols: number): Float32Array {
  const out = new Float32Array(rows * cols);
  for (let row = 0; row < rows; row++) {
    const target = out.subarray(row * cols, (row + 1) * cols);
    for (let k = 0; k < rank; k += 4) {
      const at = row * rank + k;
      const left = rank - k;
      const [u0, u1, u2, u3] = [
        up[at] ?? 0,
        left > 1 ? (up[at + 1] ?? 0) : 0,
        left > 2 ? (up[at + 2] ?? 0) : 0,
        left > 3 ? (up[at + 3] ?? 0) : 0,
      ];
      const d0 = k * cols;
      const d1 = left > 1 ? d0 + cols : d0;
      const d2 = left > 2 ? d1 + cols : d0;
      const d3 = left > 3 ? d2 + cols : d0;
      for (let col = 0; col < cols; col++) {
        target[col] =
          (target[col] ?? 0) +
          u0 * (down[d0 + col] ?? 0) +
          u1 * (down[d1 + col] ?? 0) +
          u2 * (down[d2 + col] ?? 0) +
          u3 * (down[d3 + col] ?? 0);
      }
    }
  }
  return out;
}

function bad(message: string): EngineError {
  return new EngineError("bad-checkpoint", message);
}
