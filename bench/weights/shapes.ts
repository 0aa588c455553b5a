// A package with the shapes of a published model and random weights, for the other benches to measure work of real size:
//   npm run bench -- shapes <folder> [onevision | smolvlm]; then npm run bench -- node --model <folder>/package, and the like.
// Needs 3 GB of disk for OneVision, 1 GB for SmolVLM.
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Checkpoint } from "#convert/checkpoint/checkpoint.ts";
import { convert } from "#convert/convert.ts";
import { checkpointFolder, packageFolder } from "#convert/package/folder.node.ts";
import { quantizerThreads } from "#convert/quantize/quantizer.node.ts";
import { writeCheckpoint } from "#convert/checkpoint/write-checkpoint.ts";
import { oneVision } from "./onevision-shapes.ts";
import type { NamedTensor } from "./random-tensors.ts";
import { smolVlm } from "./smolvlm-shapes.ts";

export interface ShapedCheckpoint {
  readonly tensors: readonly NamedTensor[];
  /** Its small files, as text by name. */
  readonly files: ReadonlyMap<string, string>;
}

const kinds: Readonly<Record<string, () => Promise<ShapedCheckpoint>>> = { onevision: oneVision, smolvlm: smolVlm };

const { positionals } = parseArgs({ allowPositionals: true });
const [to, name = "onevision"] = positionals;
const make = kinds[name];
if (to === undefined || !make) {
  throw new Error(`Say where to, and which: npm run bench -- shapes <folder> [${Object.keys(kinds).join(" | ")}]`);
}
const { tensors, files } = await make();
const encoder = new TextEncoder();
const small = new Map([...files].map(([path, content]) => [path, encoder.encode(content)]));
const checkpoint = join(to, "checkpoint");
await mkdir(to, { recursive: true });
await writeCheckpoint(new Checkpoint(new Map(tensors)), small, await packageFolder(checkpoint, { force: true }));
const quantizer = quantizerThreads();
await convert(checkpointFolder(checkpoint), await packageFolder(join(to, "package"), { force: true }), {
  quantizer,
  name: `${name}'s shapes, random weights`,
  bits: { vision: 8, embed: 8, decoder: 4 },
}).finally(() => quantizer.end());
await rm(checkpoint, { recursive: true });
console.log(`The package is in ${join(to, "package")}`);
