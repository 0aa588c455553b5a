// How much memory and time the converter takes on a checkpoint of LLaVA-1.5-7B's shapes: random weights in the original layout (fp16, no
// tower), CLIP-L/336 in a second folder, a LoRA adapter of rank 128 in a third. Needs about 3 GB of disk per 4 layers, and takes it away.
//   node scripts/run.mjs bench/weights/convert-7b.ts [--layers 8] [--folder /somewhere/with/space] [--keep]
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs, promisify } from "node:util";
import * as v from "valibot";
import { Checkpoint, type Tensor } from "#convert/checkpoint/checkpoint.ts";
import { openWeights } from "#convert/source/checkpoint-source.ts";
import { convert } from "#convert/convert.ts";
import { checkpointFolder, packageFolder } from "#convert/package/folder.node.ts";
import { quantizerThreads } from "#convert/quantize/quantizer.node.ts";
import { writeCheckpoint } from "#convert/checkpoint/write-checkpoint.ts";
import { multiplyOnRuntime } from "#cli/convert/multiply.ts";
import { parseManifest } from "#weights/manifest.ts";

const { values: flags } = parseArgs({
  options: {
    layers: { type: "string", default: "8" },
    folder: { type: "string" },
    step: { type: "string" },
    keep: { type: "boolean", default: false },
  },
});
const layers = Number(flags.layers);
const wholeLayers = 32;
const [hidden, ffn, vocab, visionHidden] = [4096, 11008, 32000, 1024];

/** Parameters of one of the decoder's layers. */
const perLayer = 4 * hidden * hidden + 3 * hidden * ffn + 2 * hidden;

const noise = new Float32Array(2 ** 22).map(() => (Math.random() + Math.random() - 1) * 0.05);

function random(name: string, ...shape: number[]): [string, Tensor] {
  const read = (start: number, count: number) => {
    const out = new Float32Array(count);
    for (let at = 0; at < count;) {
      const from = (start + at) % noise.length;
      const part = noise.subarray(from, from + Math.min(count - at, noise.length - from));
      out.set(part, at);
      at += part.length;
    }
    return Promise.resolve(out);
  };
  return [name, { name, dtype: "F16", shape, origin: "noise", read }];
}

const modules = [
  ["self_attn.q_proj", hidden, hidden],
  ["self_attn.k_proj", hidden, hidden],
  ["self_attn.v_proj", hidden, hidden],
  ["self_attn.o_proj", hidden, hidden],
  ["mlp.gate_proj", ffn, hidden],
  ["mlp.up_proj", ffn, hidden],
  ["mlp.down_proj", hidden, ffn],
] as const;
const eachLayer = Array.from({ length: layers }, (_, i) => `model.layers.${i}`);

const language = [
  random("model.embed_tokens.weight", vocab, hidden),
  ...eachLayer.flatMap((at) => [
    random(`${at}.input_layernorm.weight`, hidden),
    random(`${at}.post_attention_layernorm.weight`, hidden),
    ...modules.map(([name, rows, cols]) => random(`${at}.${name}.weight`, rows, cols)),
  ]),
  random("model.norm.weight", hidden),
  random("lm_head.weight", vocab, hidden),
];
const projector = [
  random("model.mm_projector.0.weight", hidden, visionHidden),
  random("model.mm_projector.0.bias", hidden),
  random("model.mm_projector.2.weight", hidden, hidden),
  random("model.mm_projector.2.bias", hidden),
];

function tower(): [string, Tensor][] {
  const at = "vision_model";
  const pair = (name: string, rows: number, ...cols: number[]) => [
    random(`${name}.weight`, rows, ...cols),
    random(`${name}.bias`, rows),
  ];
  return [
    random(`${at}.embeddings.class_embedding`, visionHidden),
    random(`${at}.embeddings.patch_embedding.weight`, visionHidden, 3, 14, 14),
    random(`${at}.embeddings.position_embedding.weight`, 577, visionHidden),
    ...pair(`${at}.pre_layrnorm`, visionHidden),
    ...Array.from({ length: 24 }, (_, i) => `${at}.encoder.layers.${i}`).flatMap((layer) => [
      ...["q_proj", "k_proj", "v_proj", "out_proj"].flatMap((name) =>
        pair(`${layer}.self_attn.${name}`, visionHidden, visionHidden),
      ),
      ...["layer_norm1", "layer_norm2"].flatMap((name) => pair(`${layer}.${name}`, visionHidden)),
      ...pair(`${layer}.mlp.fc1`, 4 * visionHidden, visionHidden),
      ...pair(`${layer}.mlp.fc2`, visionHidden, 4 * visionHidden),
    ]),
  ];
}

function adapter(): [string, Tensor][] {
  return eachLayer.flatMap((at) =>
    modules.flatMap(([name, rows, cols]) => [
      random(`base_model.model.${at}.${name}.lora_A.weight`, 128, cols),
      random(`base_model.model.${at}.${name}.lora_B.weight`, rows, 128),
    ]),
  );
}

const config = {
  model_type: "llava",
  hidden_size: hidden,
  intermediate_size: ffn,
  num_hidden_layers: layers,
  num_attention_heads: 32,
  vocab_size: vocab,
  max_position_embeddings: 4096,
  rms_norm_eps: 1e-5,
  mm_projector_type: "mlp2x_gelu",
  mm_vision_tower: "openai/clip-vit-large-patch14-336",
  mm_vision_select_layer: -2,
  image_aspect_ratio: "pad",
};
const tokenizer = { version: "1.0", added_tokens: [], model: { type: "BPE", vocab: {}, merges: [] } };
const bytes = (json: unknown) => new TextEncoder().encode(JSON.stringify(json));

/** One step runs in a process of its own, so that its peak memory is its own. */
async function runStep(step: string, root: string): Promise<void> {
  const folder = (name: string) => checkpointFolder(join(root, name));
  const out = (name: string) => packageFolder(join(root, name), { force: true });
  if (step === "write") {
    const small = new Map([
      ["config.json", bytes(config)],
      ["tokenizer.json", bytes(tokenizer)],
    ]);
    const options = { maxFileBytes: 4e9 };
    await writeCheckpoint(
      new Checkpoint(new Map([...language, ...projector])),
      small,
      await out("llava-v1.5-7b"),
      options,
    );
    await writeCheckpoint(new Checkpoint(new Map(tower())), new Map(), await out("clip"), options);
    const note = new Map([["adapter_config.json", bytes({ r: 128, lora_alpha: 256 })]]);
    await writeCheckpoint(new Checkpoint(new Map(adapter())), note, await out("lora"), { base: "adapter_model" });
  } else if (step === "convert") {
    const quantizer = quantizerThreads();
    await convert(folder("llava-v1.5-7b"), await out("package"), {
      quantizer,
      bits: { vision: 8, embed: 4, decoder: 4 },
      more: { vision: folder("clip") },
    }).finally(() => quantizer.end());
  } else {
    const merged = await openWeights(folder("lora"), folder("llava-v1.5-7b"), multiplyOnRuntime);
    await writeCheckpoint(merged, new Map([["config.json", bytes(config)]]), await out("merged"));
  }
}

const Report = v.object({ seconds: v.number(), peakMegabytes: v.number() });

async function timed(step: string, root: string): Promise<v.InferOutput<typeof Report>> {
  const self = [...process.argv.slice(1, 2), "--step", step, "--folder", root, "--layers", String(layers)];
  const { stdout } = await promisify(execFile)(process.execPath, ["scripts/run.mjs", ...self]);
  return v.parse(Report, JSON.parse(stdout));
}

async function sizeOf(folder: string): Promise<number> {
  let sum = 0;
  for (const name of await readdir(folder)) {
    const found = await stat(join(folder, name));
    sum += found.isDirectory() ? await sizeOf(join(folder, name)) : found.size;
  }
  return sum;
}

async function main(): Promise<void> {
  await mkdir(flags.folder ?? tmpdir(), { recursive: true });
  const root = await mkdtemp(join(flags.folder ?? tmpdir(), "llava-7b-"));
  const say = (text: string) => process.stdout.write(`${text}\n`);
  const gigabytes = (n: number) => `${(n / 1e9).toFixed(2)} GB`;
  try {
    await timed("write", root);
    const read = (await sizeOf(join(root, "llava-v1.5-7b"))) + (await sizeOf(join(root, "clip")));
    const readWhole = read + 2 * perLayer * (wholeLayers - layers);
    say(`LLaVA-1.5-7B's shapes, ${layers} of ${wholeLayers} layers: ${gigabytes(read)} of fp16 weights`);

    const converted = await timed("convert", root);
    const made = await sizeOf(join(root, "package"));
    const parsed = parseManifest(JSON.parse(await readFile(join(root, "package", "manifest.json"), "utf8")));
    if (!parsed.ok) throw new Error(parsed.problem);
    const big = parsed.manifest.files.filter((file) => file.bytes > 1e6);
    const decoder = big.reduce((sum, file) => sum + (file.path.includes("decoder") ? file.bytes : 0), 0);
    const madeWhole = made + (decoder / (layers * perLayer + vocab * hidden)) * perLayer * (wholeLayers - layers);
    const tell = (step: string, { seconds, peakMegabytes }: typeof converted, bytes: number, bytesWhole: number) => {
      const each = seconds / (read / 1e9);
      say(
        `${step}: ${seconds.toFixed(0)} s (${each.toFixed(1)} s per GB read), peak memory ${peakMegabytes.toFixed(0)} MB, ` +
          `${gigabytes(bytes)} written; all ${wholeLayers} layers: ${((each * readWhole) / 6e10).toFixed(1)} min, ${gigabytes(bytesWhole)}`,
      );
    };
    tell("convert", converted, made, madeWhole);
    for (const file of big) {
      const largest = Math.max(...file.shards.map((shard) => shard.bytes)) / 2 ** 20;
      const megabytes = (file.bytes / 1e6).toFixed(1);
      say(`  ${file.path}: ${megabytes} MB in ${file.shards.length} shards of at most ${largest.toFixed(0)} MiB`);
    }
    const merged = await timed("merge-lora", root);
    const size = await sizeOf(join(root, "merged"));
    tell("merge-lora, rank 128", merged, size, size + 2 * perLayer * (wholeLayers - layers));
  } finally {
    if (!flags.keep) await rm(root, { recursive: true, force: true });
  }
}

if (flags.step === undefined) await main();
else {
  const started = performance.now();
  await runStep(flags.step, flags.folder ?? tmpdir());
  const report = {
    seconds: (performance.now() - started) / 1000,
    peakMegabytes: process.resourceUsage().maxRSS / 1024,
  };
  process.stdout.write(JSON.stringify(report));
}
