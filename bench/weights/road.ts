// How fast a checkpoint of LLaVA-1.5-7B's shapes becomes a package while it arrives from a hub on the same machine, beside the network alone and the
// command line on a folder, and how much memory that takes. Weights are noise in fp16 in three files, made by the server as it is asked.
//   npm run bench -- road [--layers 2] [--folder /somewhere/with/space]
import { createHash } from "node:crypto";
import { createServer } from "node:http";
import { execFile, fork } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createWriteStream } from "node:fs";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { encodeHeader } from "#convert/checkpoint/safetensors.ts";

const { values: flags } = parseArgs({
  options: { layers: { type: "string", default: "2" }, folder: { type: "string" }, step: { type: "string" } },
});
const layers = Number(flags.layers);
const repository = "someone/llava-7b-shapes";
const commit = "0".repeat(40);
const [hidden, ffn, vocab, tower] = [4096, 11008, 32000, 1024];

type Shape = readonly [name: string, ...shape: number[]];
const pair = (name: string, rows: number, ...cols: number[]): Shape[] => [
  [`${name}.weight`, rows, ...cols],
  [`${name}.bias`, rows],
];
const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
const decoder = range(layers).flatMap((i): Shape[] => {
  const at = `language_model.model.layers.${i}`;
  return [
    [`${at}.input_layernorm.weight`, hidden],
    [`${at}.mlp.down_proj.weight`, hidden, ffn],
    [`${at}.mlp.gate_proj.weight`, ffn, hidden],
    [`${at}.mlp.up_proj.weight`, ffn, hidden],
    [`${at}.post_attention_layernorm.weight`, hidden],
    ...["k", "o", "q", "v"].map((name): Shape => [`${at}.self_attn.${name}_proj.weight`, hidden, hidden]),
  ];
});
const vision: Shape[] = [
  ["vision_tower.vision_model.embeddings.class_embedding", tower],
  ["vision_tower.vision_model.embeddings.patch_embedding.weight", tower, 3, 14, 14],
  ["vision_tower.vision_model.embeddings.position_embedding.weight", 577, tower],
  ...pair("vision_tower.vision_model.pre_layrnorm", tower),
  ...range(24).flatMap((i): Shape[] => {
    const at = `vision_tower.vision_model.encoder.layers.${i}`;
    return [
      ...["layer_norm1", "layer_norm2"].flatMap((name) => pair(`${at}.${name}`, tower)),
      ...pair(`${at}.mlp.fc1`, 4 * tower, tower),
      ...pair(`${at}.mlp.fc2`, tower, 4 * tower),
      ...["k", "out", "q", "v"].flatMap((name) => pair(`${at}.self_attn.${name}_proj`, tower, tower)),
    ];
  }),
];
const middle = Math.ceil(decoder.length / 2) + 2; // within a layer, as the hub's files are cut
const groups: Shape[][] = [
  [["language_model.model.embed_tokens.weight", vocab, hidden], ...decoder.slice(0, middle)],
  [...decoder.slice(middle), ["language_model.model.norm.weight", hidden]],
  [
    ["language_model.lm_head.weight", vocab, hidden],
    ...pair("multi_modal_projector.linear_1", hidden, tower),
    ...pair("multi_modal_projector.linear_2", hidden, hidden),
    ...vision,
  ],
];

/** fp16 numbers of about ±0.05; an odd length, so that rows differ. */
const noise = new Uint8Array(Uint16Array.from({ length: 2 ** 21 + 7 }, (_, i) => (Math.imul(i, 40503) & 0x83ff) | 0x2800).buffer); // prettier-ignore

interface NoiseFile {
  readonly name: string;
  readonly header: Uint8Array;
  readonly bytes: number;
}
const files = groups.map((shapes, i): NoiseFile => {
  const header = encodeHeader(shapes.map(([name, ...shape]) => ({ name, dtype: "F16", shape })));
  const data = shapes.reduce((sum, [, ...shape]) => sum + 2 * shape.reduce((product, n) => product * n, 1), 0);
  return { name: `model-0000${i + 1}-of-00003.safetensors`, header, bytes: header.length + data };
});
const totalBytes = files.reduce((sum, { bytes }) => sum + bytes, 0);

/** The bytes of a file from one position to another, in runs. */
function* content({ header, bytes }: NoiseFile, from: number, to: number): Generator<Uint8Array> {
  for (let at = from; at < Math.min(to, bytes);) {
    const place = at < header.length ? at : (at - header.length) % noise.length;
    const run = (at < header.length ? header : noise).subarray(place, place + Math.min(2 ** 20, to - at));
    yield run;
    at += run.length;
  }
}

const tokens = { version: "1.0", added_tokens: [], model: { type: "BPE", vocab: {}, merges: [] } };
const small = new Map(
  Object.entries({
    "config.json": {
      model_type: "llava",
      image_token_index: 31999,
      text_config: { model_type: "llama", hidden_size: hidden, intermediate_size: ffn, num_hidden_layers: layers, num_attention_heads: 32, vocab_size: vocab, max_position_embeddings: 4096 }, // prettier-ignore
      vision_config: { model_type: "clip_vision_model", hidden_size: tower, intermediate_size: 4 * tower, num_hidden_layers: 24, num_attention_heads: 16, image_size: 336, patch_size: 14 }, // prettier-ignore
    },
    "tokenizer.json": tokens,
    "tokenizer_config.json": { bos_token: "<s>", eos_token: "</s>" },
    "model.safetensors.index.json": {
      weight_map: Object.fromEntries(groups.flatMap((shapes, i) => shapes.map(([name]) => [name, files[i]?.name]))),
    },
  }).map(([name, json]) => [name, Buffer.from(JSON.stringify(json))]),
);

/** The hub, in a process of its own. */
async function serve(): Promise<void> {
  const siblings = [
    ...[...small].map(([rfilename, bytes]) => ({
      rfilename,
      size: bytes.length,
      blobId: createHash("sha1").update(`blob ${bytes.length}\0`).update(bytes).digest("hex"),
    })),
    ...files.map((file) => {
      const hash = createHash("sha256");
      for (const run of content(file, 0, file.bytes)) hash.update(run);
      return {
        rfilename: file.name,
        size: file.bytes,
        blobId: "0",
        lfs: { sha256: hash.digest("hex"), size: file.bytes },
      };
    }),
  ];
  const server = createServer((request, response) => {
    const path = request.url ?? "";
    if (path.startsWith("/api/")) return void response.end(JSON.stringify({ sha: commit, siblings }));
    const name = path.slice(path.lastIndexOf("/") + 1);
    const file = files.find((one) => one.name === name);
    if (!file) return void response.end(small.get(name));
    const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "") ?? [];
    const [from, to] = first === undefined ? [0, file.bytes] : [Number(first), Number(last) + 1];
    response.writeHead(first === undefined ? 200 : 206, { "content-length": to - from });
    void (async () => {
      for (const run of content(file, from, to)) if (!response.write(run)) await once(response, "drain");
      response.end();
    })();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  process.send?.(typeof address === "object" ? address?.port : undefined);
}

/** The files by ranges of 8 MiB, four at a time, thrown away: what the network alone takes. */
async function fetchAll(hub: string): Promise<void> {
  const jobs = files.flatMap(({ name, bytes }) =>
    range(Math.ceil(bytes / 2 ** 23)).map((i) => [name, i * 2 ** 23, Math.min(bytes, (i + 1) * 2 ** 23)] as const),
  );
  const work = async (): Promise<void> => {
    for (let job = jobs.shift(); job; job = jobs.shift()) {
      const [name, from, to] = job;
      const headers = { range: `bytes=${from}-${to - 1}` };
      await (await fetch(`${hub}${repository}/resolve/${commit}/${name}`, { headers })).arrayBuffer();
    }
  };
  await Promise.all(range(4).map(work));
}

/** Runs the command line, and tells seconds and the most memory that it had. */
function convert(from: string, out: string, hub: string): Promise<{ seconds: number; megabytes: number }> {
  const began = performance.now();
  const parameters = ["-f", "%M", process.execPath, "scripts/run.mjs", "src/cli/main.ts", "convert", from, out, "--no-self-test"]; // prettier-ignore
  return new Promise((resolve, reject) => {
    execFile("/usr/bin/time", parameters, { env: { ...process.env, HF_ENDPOINT: hub } }, (error, _, err) => {
      const seconds = (performance.now() - began) / 1000;
      const kilobytes = Number(err.trimEnd().split("\n").at(-1));
      if (error) reject(new Error(err, { cause: error }));
      else resolve({ seconds, megabytes: kilobytes / 1000 });
    });
  });
}

if (flags.step === "serve") await serve();
else {
  const folder = await mkdtemp(join(flags.folder ?? tmpdir(), "llava-road-"));
  const server = fork(fileURLToPath(import.meta.url), ["--step", "serve", "--layers", String(layers)]);
  try {
    const [port] = (await once(server, "message")) as [number];
    const hub = `http://127.0.0.1:${port}/`;
    const checkpoint = join(folder, "checkpoint");
    await mkdir(checkpoint);
    for (const [name, bytes] of small) await writeFile(join(checkpoint, name), bytes);
    for (const file of files) {
      const out = createWriteStream(join(checkpoint, file.name));
      for (const run of content(file, 0, file.bytes)) if (!out.write(run)) await once(out, "drain");
      out.end();
      await once(out, "close");
    }
    const rate = (seconds: number): string => `${(totalBytes / 1e6 / seconds).toFixed(0)} MB/s`;
    console.log(`${layers} layers, ${(totalBytes / 1e9).toFixed(2)} GB`);
    for (const turn of range(2)) {
      const began = performance.now();
      await fetchAll(hub);
      const network = (performance.now() - began) / 1000;
      const local = await convert(checkpoint, join(folder, `folder-${turn}`), hub);
      const streamed = await convert(repository, join(folder, `hub-${turn}`), hub);
      const share = (Math.max(network, local.seconds) / streamed.seconds) * 100;
      console.log(
        `network alone ${rate(network)}; a folder ${rate(local.seconds)}, ${local.megabytes.toFixed(0)} MB at most; ` +
          `the hub ${rate(streamed.seconds)}, ${streamed.megabytes.toFixed(0)} MB at most: ${share.toFixed(0)} % of the slower`,
      );
    }
  } finally {
    server.kill();
    await rm(folder, { recursive: true, force: true });
  }
}
