// What was trained as a folder that peft reads: adapter_config.json and adapter_model.safetensors, under Hugging Face's names.
import type { CheckpointFolder } from "#convert/checkpoint/folders.ts";
import { encodeHeader } from "#convert/checkpoint/safetensors.ts";
import { blobSource } from "#formats/byte-source.ts";
import { sitesOf, type DecoderShape, type LoraSpec } from "./shape.ts";

/** One LoRA matrix: peft's name, its shape [rows, columns], and where it lies among all trained numbers. */
export interface LoraTensor {
  readonly name: string;
  readonly shape: readonly [number, number];
  readonly at: number;
}

/** All matrices, block after block. */
export function loraTensors(shape: DecoderShape, { firstBlock, rank }: LoraSpec): LoraTensor[] {
  const { sites, length } = sitesOf(shape, rank);
  return Array.from({ length: shape.layers - firstBlock }, (_, i) =>
    Object.values(sites).flatMap((site) =>
      site.parts.flatMap(({ of, outputs, up }, part): LoraTensor[] => {
        const stem = `base_model.model.model.language_model.layers.${firstBlock + i}.${of}`;
        return [
          {
            name: `${stem}.lora_A.weight`,
            shape: [rank, site.inputs],
            at: i * length + site.down + part * rank * site.inputs,
          },
          { name: `${stem}.lora_B.weight`, shape: [outputs, rank], at: i * length + up },
        ];
      }),
    ),
  ).flat();
}

/** The folder, in memory. `baseName` is what peft calls the model that the adapter is for. */
export function peftFolder(
  name: string,
  values: Float32Array,
  shape: DecoderShape,
  spec: LoraSpec,
  baseName: string,
): CheckpointFolder & { readonly files: ReadonlyMap<string, Uint8Array<ArrayBuffer>> } {
  const tensors = loraTensors(shape, spec);
  const trained = Array.from({ length: shape.layers - spec.firstBlock }, (_, i) => spec.firstBlock + i);
  const config = {
    peft_type: "LORA",
    task_type: null,
    base_model_name_or_path: baseName,
    auto_mapping: {
      base_model_class: "LlavaForConditionalGeneration",
      parent_library: "transformers.models.llava.modeling_llava",
    },
    r: spec.rank,
    lora_alpha: spec.rank * spec.scale,
    lora_dropout: 0,
    bias: "none",
    fan_in_fan_out: false,
    inference_mode: true,
    target_modules: `.*language_model\\.layers\\.(${trained.join("|")})\\..*_proj`,
  };
  const files = new Map([
    ["adapter_config.json", new TextEncoder().encode(JSON.stringify(config, null, 2) + "\n")],
    ["adapter_model.safetensors", encodeTensors(tensors, values)],
  ]);
  return {
    name,
    files,
    open(path) {
      const bytes = files.get(path);
      return Promise.resolve(bytes && blobSource(new Blob([bytes])));
    },
  };
}

/** A safetensors file. */
function encodeTensors(tensors: readonly LoraTensor[], values: Float32Array): Uint8Array<ArrayBuffer> {
  const header = encodeHeader(tensors.map(({ name, shape }) => ({ name, dtype: "F32", shape })));
  const data = tensors.map(({ shape: [rows, columns], at }) => values.subarray(at, at + rows * columns));
  const file = new Uint8Array(data.reduce((sum, { byteLength }) => sum + byteLength, header.length));
  file.set(header);
  let to = header.length;
  for (const { buffer, byteOffset, byteLength } of data) {
    file.set(new Uint8Array(buffer, byteOffset, byteLength), to);
    to += byteLength;
  }
  return file;
}
