// `llava apply-delta`, `make-delta`, `merge-lora`, `extract-projector`: operations on checkpoints that end in a checkpoint.
// Each checks everything that needs no weights before it writes, and leaves nothing when it fails.
import { Option, type Command } from "commander";
import * as v from "valibot";
import type { CheckpointFolder } from "#convert/checkpoint/folders.ts";
import { openWeights } from "#convert/source/checkpoint-source.ts";
import { applyDelta, checkBase, deltaNoteName, describeBase, makeDelta } from "#convert/source/delta.ts";
import { checkpointFolder, packageFolder } from "#convert/package/folder.node.ts";
import { JsonObjectSchema, readObject } from "#convert/checkpoint/json-file.ts";
import { adapterConfigName } from "#convert/source/adapter-config.ts";
import { openCheckpoint } from "#convert/checkpoint/open-checkpoint.ts";
import { huggingFaceName } from "#convert/source/original-layout.ts";
import { extractProjector, projectorBase } from "#convert/source/projector.ts";
import type { Checkpoint } from "#convert/checkpoint/checkpoint.ts";
import { writeCheckpoint } from "#convert/checkpoint/write-checkpoint.ts";
import { givenFolder } from "#cli/terminal/given-path.ts";
import { multiplyOnRuntime } from "#cli/convert/multiply.ts";
import { createProgress } from "#cli/terminal/progress.ts";
import { stopOnSignals } from "#cli/terminal/stop.ts";

const Flags = v.object({
  base: v.optional(v.string()),
  force: v.optional(v.boolean(), false),
  shardSize: v.optional(v.number()),
});

/** Files that go along with weights; each is taken from the first folder that has it. */
const companions = [
  "config.json",
  "generation_config.json",
  "tokenizer.json",
  "tokenizer.model",
  "tokenizer_config.json",
  "special_tokens_map.json",
  "added_tokens.json",
  "preprocessor_config.json",
  "processor_config.json",
  "chat_template.jinja",
  "chat_template.json",
];

/** What an operation makes: the tensors, where small files come from, and those that it writes itself. */
interface Result {
  readonly checkpoint: Checkpoint;
  readonly folders: readonly CheckpointFolder[];
  readonly notes?: ReadonlyMap<string, string>;
  readonly weightsName?: string;
}

type Operation = (given: CheckpointFolder, base: CheckpointFolder) => Promise<Result>;

/** Adds the four commands to the program. */
export function addWeights(program: Command): void {
  const add = (name: string, given: string, base: string | undefined, description: string, run: Operation) => {
    const command = program
      .command(name)
      .description(description)
      .argument(`<${given}>`, "folder")
      .argument("<out>", "folder");
    if (base !== undefined) command.requiredOption("--base <folder>", base);
    command
      .addOption(new Option("--shard-size <gigabytes>", "largest file of weights (default 4)").argParser(Number))
      .option("--force", "replace an earlier result; nothing else is ever replaced")
      .action(async (path: string, out: string, raw: unknown) => {
        const flags = v.parse(Flags, raw);
        const base = flags.base === undefined ? undefined : await givenFolder(flags.base, "the base");
        await operate(await givenFolder(path, `a ${given}`), out, { ...flags, base }, run);
      });
  };

  add(
    "apply-delta",
    "delta",
    "the language model that the delta was made from",
    "Add a delta to its language model: the result is the whole LLaVA.",
    async (given, base) => {
      const [weights, delta] = [await openCheckpoint(base), await openCheckpoint(given)];
      const checkpoint = applyDelta(weights, delta);
      await checkBase(weights, delta, await readObject(given, deltaNoteName));
      return { checkpoint, folders: [given, base] };
    },
  );
  add(
    "make-delta",
    "checkpoint",
    "the language model that the checkpoint was trained from",
    "Subtract a language model from a LLaVA: the result can be passed on without the language model.",
    async (given, base) => {
      const weights = await openCheckpoint(base);
      const checkpoint = makeDelta(weights, await openCheckpoint(given));
      return {
        checkpoint,
        folders: [given],
        notes: new Map([[deltaNoteName, await describeBase(weights, base.name)]]),
      };
    },
  );
  add(
    "merge-lora",
    "adapter",
    "the model that the adapter was trained on",
    "Merge a LoRA adapter into its base: the result is a whole checkpoint.",
    async (given, base) => {
      if (!(await given.open(adapterConfigName)))
        throw new Error(`${given.name} has no ${adapterConfigName}: is it an adapter?`);
      const checkpoint = await openWeights(given, base, multiplyOnRuntime);
      return { checkpoint, folders: [given, base], notes: await untiedConfig(checkpoint, given, base) };
    },
  );
  add(
    "extract-projector",
    "checkpoint",
    undefined,
    "Write the projector of a LLaVA alone, in a file of its own.",
    async (given) => ({
      checkpoint: extractProjector(await openCheckpoint(given)),
      folders: [given],
      weightsName: projectorBase,
    }),
  );
}

/** A config that ties embeddings and output layer, and a merged checkpoint that has both apart, would not be read as it was meant. */
async function untiedConfig(
  checkpoint: Checkpoint,
  given: CheckpointFolder,
  base: CheckpointFolder,
): Promise<ReadonlyMap<string, string>> {
  const config = (await readObject(given, "config.json")) ?? (await readObject(base, "config.json"));
  const apart = [...checkpoint.tensors.keys()].some(
    (name) => huggingFaceName(name) === "language_model.lm_head.weight",
  );
  if (!config || !apart || (await openCheckpoint(base)).tensors.size === checkpoint.tensors.size) return new Map();
  const text = config["text_config"];
  const parts = v.is(JsonObjectSchema, text) ? { text_config: { ...text, tie_word_embeddings: false } } : {};
  const untied = { ...config, tie_word_embeddings: false, ...parts };
  return new Map([["config.json", `${JSON.stringify(untied, null, 2)}\n`]]);
}

async function operate(path: string, out: string, flags: v.InferOutput<typeof Flags>, run: Operation): Promise<void> {
  const shardSize = flags.shardSize ?? 4;
  if (!(shardSize > 0)) throw new Error("--shard-size must be a number of gigabytes above 0");
  const given = checkpointFolder(path);
  const { checkpoint, folders, notes, weightsName } = await run(given, checkpointFolder(flags.base ?? path));
  const small = new Map<string, Uint8Array>();
  for (const name of companions) {
    for (const folder of folders) {
      const source = small.has(name) ? undefined : await folder.open(name);
      if (source) small.set(name, await source.read(0, source.bytes));
    }
  }
  for (const [name, text] of notes ?? []) small.set(name, new TextEncoder().encode(text));

  const signal = stopOnSignals();
  const progress = createProgress(process.stderr);
  const started = performance.now();
  const inputs = [path, ...(flags.base === undefined ? [] : [flags.base])];
  const files = await writeCheckpoint(checkpoint, small, await packageFolder(out, { force: flags.force, inputs }), {
    onProgress: progress.update,
    signal,
    maxFileBytes: shardSize * 1e9,
    ...(weightsName === undefined ? {} : { base: weightsName }),
  });
  progress.end();
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  process.stderr.write(`${out}: ${(bytes / 1e6).toFixed(1)} MB of weights in ${files.length} files, ${seconds} s\n`);
}
