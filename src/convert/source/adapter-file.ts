// Reads a LoRA adapter as peft and LLaVA's training save it: which weight each of its tensors changes, and how. A tensor without a known
// use is an error. Knows the names in both files and peft's prefixes; computes nothing.
import { badCheckpoint } from "#convert/checkpoint/bad-checkpoint.ts";
import { adapterConfigName, parseAdapterConfig, type AdapterConfig } from "./adapter-config.ts";
import type { CheckpointFolder } from "#convert/checkpoint/folders.ts";
import {
  isBuffer,
  requireFloat,
  sameShape,
  shapeText,
  type Checkpoint,
  type Tensor,
} from "#convert/checkpoint/checkpoint.ts";
import { readObject } from "#convert/checkpoint/json-file.ts";
import { openTensorFile } from "#convert/checkpoint/open-checkpoint.ts";
import { huggingFaceName } from "./original-layout.ts";
import { rowMatrix, turned } from "#convert/checkpoint/tensor-views.ts";

/** What an adapter changes in its base, by the changed tensor's Hugging Face name. */
export interface Adapter {
  readonly updates: ReadonlyMap<string, LoraUpdate>;
  /** Biases that were trained beside `up`: they are added, scaled like it. */
  readonly biases: ReadonlyMap<string, { readonly bias: Tensor; readonly scale: number }>;
  /** Rows of a table that were trained alone: they replace the base's. */
  readonly rows: ReadonlyMap<string, { readonly indices: readonly number[]; readonly values: Tensor }>;
  /** Tensors that were trained whole: they replace the base's, or are new. Changes of low rank come on top. */
  readonly whole: ReadonlyMap<string, Tensor>;
  readonly baseName: string | undefined;
  readonly keepsTied: boolean;
}

/** A change of low rank: `scale` · `up` · `down`. */
export interface LoraUpdate {
  readonly down: Tensor; // [rank, inputs]
  readonly up: Tensor; // [outputs, rank]
  readonly scale: number;
  /** Whether the changed weight is a plain matrix: no table of embeddings and no kernel of a convolution. */
  readonly plain: boolean;
  /** DoRA: the length that each row (of embeddings: each column) of the changed weight is brought to. */
  readonly magnitude?: { readonly lengths: Tensor; readonly of: "rows" | "columns" } | undefined;
}

/** A module's tensors as the file has them. */
interface Parts {
  readonly module: string;
  A?: Tensor;
  B?: Tensor;
  embeddingA?: Tensor;
  embeddingB?: Tensor;
  bias?: Tensor;
  magnitude?: Tensor;
}

const weightNames = ["adapter_model.safetensors", "adapter_model.bin"];

/** Reads the adapter in a folder; undefined when there is none. */
export async function readAdapter(folder: CheckpointFolder): Promise<Adapter | undefined> {
  const json = await readObject(folder, adapterConfigName);
  if (!json) return undefined;
  const config = parseAdapterConfig(json, folder.name);
  const file = await openTensorFile(folder, weightNames);
  if (!file) throw badCheckpoint(`${folder.name} has ${adapterConfigName} but neither of ${weightNames.join(", ")}`);
  const others = await openTensorFile(folder, ["non_lora_trainables.safetensors", "non_lora_trainables.bin"]);
  const whole = new Map([...(others ? trainedWhole(others) : [])]);
  const seen = new Set<string>();
  const modules = new Map<string, Parts>();
  const rows = new Map<string, { readonly indices: readonly number[]; readonly values: Tensor }>();
  for (const [name, tensor] of file.tensors) {
    const plain = unwrapped(name);
    const part = partOf(plain);
    if (part) {
      const weight = huggingFaceName(`${part.module}.weight`);
      const parts = modules.get(weight) ?? { module: part.module };
      if (parts[part.is])
        throw badCheckpoint(`the adapter's file holds two tensors for ${weight}: ${name} is the second`);
      modules.set(weight, { ...parts, [part.is]: tensor });
      continue;
    }
    const table = /^(.*)\.token_adapter\.trainable_tokens_delta(?:\.[^.]+)?$/.exec(plain)?.[1];
    if (table !== undefined) {
      rows.set(huggingFaceName(`${table}.weight`), { indices: config.tokensOf(table) ?? [], values: tensor });
    } else if (/\.lora_|\.token_adapter\./.test(plain)) {
      throw badCheckpoint(`the adapter's tensor ${name} is of a kind that can't be merged`);
    } else if (!isBuffer(plain) && !/\.original_module\./.test(plain)) {
      const weight = huggingFaceName(plain);
      if (seen.has(weight))
        throw badCheckpoint(`the adapter's file holds two tensors for ${weight}: ${name} is the second`);
      seen.add(weight);
      whole.set(weight, tensor);
    }
  }
  checkRows(rows);
  const updates = new Map(
    [...modules].map(([weight, parts]) => [weight, updateOf(weight, parts, config, folder.name)]),
  );
  const biases = [...modules].flatMap(([weight, { module, bias }]) =>
    bias ? [[weight.replace(/weight$/, "bias"), { bias, scale: config.scaleOf(module) }] as const] : [],
  );
  const { baseName, keepsTied } = config;
  return { updates, biases: new Map(biases), rows, whole, baseName, keepsTied };
}

/** A tensor's name in the model that was wrapped: without the prefixes and infixes of peft and of what wraps modules for training. */
function unwrapped(name: string): string {
  return name
    .replace(/^module\./, "")
    .replace(/(^|\.)(?:base_model\.model\.)+/g, "$1")
    .replace(/(^|\.)(?:_orig_mod|_fsdp_wrapped_module|_checkpoint_wrapped_module)(?=\.)/g, "$1")
    .replace(/^\.|\.(?=\.)/g, "")
    .replace(/\.base_layer(?=\.)/g, "")
    .replace(/\.modules_to_save(?:\.default)?(?=\.)/, "");
}

function partOf(name: string): { readonly module: string; readonly is: Exclude<keyof Parts, "module"> } | undefined {
  const linear = /^(.*)\.lora_([AB])(?:\.[^.]+)?\.(weight|bias)$/.exec(name);
  if (linear?.[1] !== undefined) {
    const [, module, side, kind] = linear;
    if (kind === "weight") return { module, is: side === "A" ? "A" : "B" };
    return side === "B" ? { module, is: "bias" } : undefined;
  }
  const table = /^(.*)\.lora_embedding_([AB])(?:\.[^.]+)?$/.exec(name);
  if (table?.[1] !== undefined) return { module: table[1], is: table[2] === "A" ? "embeddingA" : "embeddingB" };
  const magnitude = /^(.*)\.lora_magnitude_vector(?:\.(?!weight$)[^.]+)?(?:\.weight)?$/.exec(name)?.[1];
  return magnitude === undefined ? undefined : { module: magnitude, is: "magnitude" };
}

function updateOf(weight: string, parts: Parts, config: AdapterConfig, adapter: string): LoraUpdate {
  const { module, magnitude } = parts;
  const table = parts.embeddingA !== undefined || parts.embeddingB !== undefined;
  const [A, B] = table ? [parts.embeddingA, parts.embeddingB] : [parts.A, parts.B];
  const sides = table ? "lora_embedding" : "lora";
  if (!A || !B)
    throw badCheckpoint(`the adapter has ${sides}_${A ? "A" : "B"} for ${weight} and no ${sides}_${A ? "B" : "A"}`);
  for (const tensor of [A, B]) requireFloat(tensor);
  // Of a table, A has a column per token and B one per rank: both lie on their sides.
  const [down, up] = table ? [turned(B), turned(A)] : [rowMatrix(A), rowMatrix(B)];
  const [rank = 0] = down.shape;
  if (down.shape.length !== 2 || up.shape.length !== 2 || up.shape[1] !== rank || rank === 0) {
    throw badCheckpoint(
      `for ${weight} ${sides}_A has shape ${shapeText(A.shape)} and ${sides}_B ${shapeText(B.shape)}: not of one rank`,
    );
  }
  if (rank !== config.rankOf(module)) {
    throw badCheckpoint(
      `${adapterConfigName} says r = ${config.rankOf(module)}, and lora_A for ${weight} has rank ${rank}`,
    );
  }
  if (config.dora && !magnitude) {
    throw badCheckpoint(
      `the adapter ${adapter} is a DoRA (use_dora), and its file has no lora_magnitude_vector for ${weight}`,
    );
  }
  const of = table ? "columns" : "rows";
  return {
    down,
    up,
    scale: config.scaleOf(module),
    plain: !table && sameShape(A.shape, down.shape),
    ...(magnitude ? { magnitude: { lengths: magnitude, of } } : {}),
  };
}

function checkRows(rows: Adapter["rows"]): void {
  for (const [weight, { indices, values }] of rows) {
    if (indices.length === values.shape[0] && values.shape.length === 2) continue;
    throw badCheckpoint(
      `${adapterConfigName} lists ${indices.length} trainable_token_indices for ${weight}, and the adapter's file has ` +
        `rows of shape ${shapeText(values.shape)}`,
    );
  }
}

/** Names of what LLaVA's training saves beside the adapter: wrapped once or twice, as its own loader takes them apart. */
function* trainedWhole(file: Checkpoint): Generator<[string, Tensor]> {
  const stripped = [...file.tensors].map(([name, tensor]) => [name.replace(/^base_model\./, ""), tensor] as const);
  const twice = stripped.some(([name]) => name.startsWith("model.model."));
  for (const [name, tensor] of stripped) {
    const plain = unwrapped(twice ? name.replace(/^model\./, "") : name);
    if (!isBuffer(plain)) yield [huggingFaceName(plain), tensor];
  }
}
