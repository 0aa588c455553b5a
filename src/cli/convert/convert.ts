// `llava convert`: a LLaVA checkpoint folder becomes a model package.
import { InvalidArgumentError, Option, type Command } from "commander";
import * as v from "valibot";
import { convertAdapter, type AdapterOptions } from "#convert/adapter.ts";
import type { CheckpointFolder, PackageFolder } from "#convert/checkpoint/folders.ts";
import { convert, type ConvertOptions } from "#convert/convert.ts";
import { checkpointFolder, packageFolder } from "#convert/package/folder.node.ts";
import type { Bits, Importances } from "#convert/onnx/weight-ops.ts";
import { rangesWhenAsked } from "#convert/places/range-reader.ts";
import { rangeThread } from "#convert/places/range-thread.node.ts";
import { renderChatThread, tokenizerThread } from "#convert/text/limited-thread.node.ts";
import { quantizerThreads } from "#convert/quantize/quantizer.node.ts";
import { ownTemplate } from "#convert/text/template.ts";
import { templates } from "#engine/text/templates.ts";
import { packageBytes, type PackageManifest } from "#weights/manifest.ts";
import { readCalibration } from "./calibration-file.ts";
import { convertFromHub } from "#cli/models/convert-hub.ts";
import { findCheckpoint, isHubId } from "#cli/models/hub-place.ts";
import { measureImportances, type MeasureOptions } from "./importances.ts";
import { multiplyOnRuntime } from "./multiply.ts";
import { givenFolder, givenPath } from "#cli/terminal/given-path.ts";
import { givenGguf } from "#cli/models/gguf-files.ts";
import { createProgress } from "#cli/terminal/progress.ts";
import { recordSelfTest } from "#cli/models/self-test.ts";
import { stopOnSignals } from "#cli/terminal/stop.ts";

const Flags = v.object({
  bits: v.optional(v.picklist([4, 8, 16, 32])),
  bitsVision: v.optional(v.picklist([4, 8, 16, 32])),
  bitsEmbed: v.optional(v.picklist([4, 8, 16, 32])),
  bitsDecoder: v.optional(v.picklist([4, 8, 16, 32])),
  scheme: v.optional(v.picklist(["symmetric", "asymmetric"])),
  calibrate: v.optional(v.string()),
  template: v.optional(v.string()),
  name: v.optional(v.string()),
  id: v.optional(v.string()),
  license: v.optional(v.string()),
  revision: v.optional(v.string()),
  base: v.optional(v.string()),
  vision: v.optional(v.string()),
  tokenizer: v.optional(v.string()),
  mmproj: v.optional(v.string()),
  adaptable: v.optional(v.boolean(), false),
  unmerged: v.optional(v.boolean(), false),
  force: v.optional(v.boolean(), false),
  selfTest: v.optional(v.boolean(), true),
});

/** Adds `convert` to the program. */
export function addConvert(program: Command): void {
  program
    .command("convert")
    .description("Write the model package of a LLaVA checkpoint, in Hugging Face's layout or in the original one.")
    .argument(
      "<checkpoint>",
      "folder with config.json, tokenizer.json and weights (safetensors or PyTorch files), a GGUF file, or owner/name on huggingface.co " +
        "(owner/name:Q4_K_M of several GGUF files)",
    )
    .argument("<out>", "folder of the package")
    .addOption(bitsOption("--bits <n>", "weights of all parts: 4, 8, 16 or 32"))
    .addOption(bitsOption("--bits-vision <n>", "vision tower and projector (default 8)"))
    .addOption(bitsOption("--bits-embed <n>", "token embeddings (default 4)"))
    .addOption(bitsOption("--bits-decoder <n>", "language model (default 4)"))
    .addOption(
      new Option(
        "--scheme <name>",
        "asymmetric: matrices with zero points, nearer and 2 % larger (default: at 4 bits; at 8 symmetric)",
      ).choices(["symmetric", "asymmetric"]),
    )
    .option(
      "--calibrate <file>",
      'conversations (JSON of LLaVA, ShareGPT or OpenAI, or lines of {"text", "image"?}) whose channels 4 and 8 bits are fitted to',
    )
    .option("--revision <name>", "branch, tag or commit of a model on the hub (default main)")
    .option("--base <folder>", "the language model, where the checkpoint is a LoRA adapter or a projector alone")
    .option(
      "--adaptable",
      "leave room for LoRA adapters, which then run beside the package without being merged into it",
    )
    .option(
      "--unmerged",
      "write a LoRA adapter alone (16 bits, or --bits 32), to run beside the adaptable package --base",
    )
    .option("--vision <folder>", "the vision tower, for checkpoints that come without")
    .option("--tokenizer <folder>", "where tokenizer.json is, for checkpoints that come without")
    .option("--mmproj <file>", "the projector of a GGUF file (default: the one beside it)")
    .option(
      "--template <id>",
      "conversation template, or chat_template for the checkpoint's own (default: that, or what its name stands for)",
    )
    .option("--name <name>", "name that people read (default: the checkpoint folder's)")
    .option("--id <id>", "the model's id (default: the checkpoint folder's name)")
    .option("--license <id>", "SPDX id of the weights' license")
    .option("--no-self-test", "leave out the golden numbers, which cost a run of the model")
    .option("--force", "replace the package if there is one; nothing else is ever replaced")
    .action((given: string, out: string, raw: unknown) => runConvert(given, out, v.parse(Flags, raw)));
}

type Flags = v.InferOutput<typeof Flags>;

async function runConvert(given: string, out: string, rawFlags: Flags): Promise<void> {
  if (await isHubId(given)) return runFromHub(given, out, rawFlags);
  if (rawFlags.revision !== undefined)
    throw new Error(`--revision is for models of a hub (owner/name), and ${given} is a path`);
  const flags = await withFolders(rawFlags);
  const files = await givenGguf(given, flags.mmproj);
  if (files?.note !== undefined) process.stderr.write(`${files.note}\n`);
  const checkpoint = files ? undefined : await givenFolder(given, "a checkpoint");
  const from = files?.from ?? checkpointFolder(checkpoint ?? given);
  const template = flags.template === undefined ? undefined : knownTemplate(flags.template);
  const progress = createProgress(process.stderr);
  const started = performance.now();
  const signal = stopOnSignals();
  const calibration = flags.calibrate === undefined ? undefined : await readCalibration(flags.calibrate);
  for (const note of calibration?.notes ?? []) process.stderr.write(`calibration: ${note}\n`);
  const more = {
    base: folderOf(flags.base),
    vision: folderOf(flags.vision),
    tokenizer: folderOf(flags.tokenizer),
    gguf: files?.gguf,
    multiply: multiplyOnRuntime,
  };
  const folders = [checkpoint, flags.base, flags.vision, flags.tokenizer, flags.calibrate];
  const inputs = [...folders, ...(files?.inputs ?? [])].filter((path) => path !== undefined);
  const to = await packageFolder(out, { force: flags.force, inputs });
  const common = {
    scheme: flags.scheme,
    id: flags.id,
    name: flags.name,
    license: flags.license,
    template,
    onNote: (note: string) => {
      progress.end();
      process.stderr.write(`${note}\n`);
    },
    onProgress: progress.update,
    signal,
  };
  const write = async (): Promise<PackageManifest> => {
    if (flags.unmerged) {
      const projectorBits = flags.bitsVision ?? flags.bits;
      return writeAdapter(from, more.base, to, flags.bitsDecoder ?? flags.bits, { ...common, projectorBits });
    }
    const renderChat = renderChatThread();
    const importances =
      calibration &&
      (await measure({ from, beside: out, more, template, renderChat, signal, calibration }).catch(
        async (error: unknown) => {
          await to.discard();
          throw error;
        },
      ));
    const quantizer = quantizerThreads();
    return convert(from, to, {
      quantizer,
      bits: bitsOf(flags),
      // Bits that are asked for are used.
      keep: {
        vision: (flags.bitsVision ?? flags.bits) === undefined,
        embed: (flags.bitsEmbed ?? flags.bits) === undefined,
        decoder: (flags.bitsDecoder ?? flags.bits) === undefined,
      },
      ...common,
      renderChat,
      tryTokenizer: tokenizerThread(),
      importances,
      more,
      adaptable: flags.adaptable,
      selfTest: flags.selfTest ? recordSelfTest : undefined,
    }).finally(() => quantizer.end());
  };
  const manifest = await write();
  progress.end();
  tellResult(out, manifest, started);
}

/** `llava convert owner/name`. */
async function runFromHub(given: string, out: string, flags: Flags): Promise<void> {
  for (const [flag, value] of [
    ["--base", flags.base],
    ["--calibrate", flags.calibrate],
    ["--unmerged", flags.unmerged || undefined],
  ] as const) {
    if (value === undefined) continue;
    throw new Error(
      `${flag} reads weights several times; fetch the model first (\`hf download ${given}\`) and give the folder`,
    );
  }
  const signal = stopOnSignals("stopped; what is finished stays, and the same command goes on with it");
  const ranges = rangesWhenAsked(rangeThread);
  const find = (text: string, what: string, revision?: string) =>
    findCheckpoint(text, what, revision, { signal, ranges });
  try {
    const found = await find(given, "a checkpoint", flags.revision);
    const vision = flags.vision === undefined ? undefined : await find(flags.vision, "the vision tower");
    const tokenizer = flags.tokenizer === undefined ? undefined : await find(flags.tokenizer, "the tokenizer");
    const started = performance.now();
    const manifest = await convertFromHub(found, out, {
      bits: bitsOf(flags),
      scheme: flags.scheme,
      adaptable: flags.adaptable,
      id: flags.id,
      name: flags.name,
      license: flags.license,
      template: flags.template === undefined ? undefined : knownTemplate(flags.template),
      more: { vision: vision?.folder, tokenizer: tokenizer?.folder },
      renderChat: renderChatThread(),
      tryTokenizer: tokenizerThread(),
      selfTest: flags.selfTest ? recordSelfTest : undefined,
      signal,
      force: flags.force,
      inputs: [found.path, vision?.path, tokenizer?.path].filter((path) => path !== undefined),
    });
    tellResult(out, manifest, started);
  } finally {
    await ranges.end();
  }
}

function tellResult(out: string, manifest: PackageManifest, started: number): void {
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  const megabytes = (packageBytes(manifest) / 1e6).toFixed(1);
  process.stderr.write(`${out}: ${megabytes} MB in ${manifest.files.length} files, ${seconds} s\n`);
}

function bitsOf({ bits, bitsVision, bitsEmbed, bitsDecoder }: Flags): ConvertOptions["bits"] {
  return { vision: bitsVision ?? bits ?? 8, embed: bitsEmbed ?? bits ?? 4, decoder: bitsDecoder ?? bits ?? 4 };
}

/** The flags with their paths resolved; throws a sentence where a folder is not there. */
async function withFolders(flags: Flags): Promise<Flags> {
  const folder = (path: string | undefined, what: string) => (path === undefined ? undefined : givenFolder(path, what));
  return {
    ...flags,
    base: await folder(flags.base, "the language model"),
    vision: await folder(flags.vision, "the vision tower"),
    tokenizer: await folder(flags.tokenizer, "the tokenizer"),
    calibrate: flags.calibrate === undefined ? undefined : ((await givenPath(flags.calibrate)) ?? flags.calibrate),
  };
}

/** `llava convert --unmerged`. */
async function writeAdapter(
  from: CheckpointFolder,
  base: CheckpointFolder | undefined,
  to: PackageFolder,
  bits: Bits | undefined,
  options: AdapterOptions,
): Promise<PackageManifest> {
  if (base && bits !== 4 && bits !== 8) return convertAdapter(from, base, to, { ...options, bits });
  await to.discard();
  if (base) throw new Error("an adapter's matrices are kept at 16 or 32 bits");
  throw new Error("name the adaptable package that the adapter is for with --base");
}

/** Runs the calibration's conversations, telling how far it has come. */
async function measure(options: MeasureOptions): Promise<Importances> {
  const { stderr } = process;
  const progress = createProgress(stderr);
  const importances = await measureImportances({
    ...options,
    onProgress: progress.update,
    onEntry(done, total) {
      if (stderr.isTTY) stderr.write(`\r\u001b[Kcalibration: ${done} of ${total}`);
    },
  });
  progress.end();
  stderr.write(`${stderr.isTTY ? "\r\u001b[K" : ""}calibrated on ${options.calibration.count} conversations\n`);
  return importances;
}

function folderOf(path: string | undefined): CheckpointFolder | undefined {
  return path === undefined ? undefined : checkpointFolder(path);
}

/** The template's id, if the engine can render it. */
function knownTemplate(id: string): string {
  const known = [ownTemplate, ...templates.map((template) => template.id)];
  if (known.includes(id)) return id;
  throw new Error(`the template ${id} is not known here; choose one with --template: ${known.join(", ")}`);
}

function bitsOption(flags: string, description: string): Option {
  return new Option(flags, description).argParser((value): Bits => {
    const parsed = v.safeParse(v.picklist([4, 8, 16, 32]), Number(value));
    if (parsed.success) return parsed.output;
    throw new InvalidArgumentError("It must be 4, 8, 16 or 32.");
  });
}
