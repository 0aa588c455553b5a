// What quantization costs, by the converter itself: a table of schemes × bits for Pocket LLaVA and, where a folder made by
// bench/weights/make-smollm.py is given, for SmolLM2-135M. Vision and embeddings are at 8 bits, the decoder at 4 or 8; KL against f32 throughout.
//   npm run bench:quant [-- --smollm <folder>] [--pocket <checkpoint>] [--only pocket|smollm] [--bits 4,8] [--work <folder>] [--keep]
// Right answers are counted at 4 bits only: a processor unpacks 8 bits at every step.
import { mkdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { readCalibration } from "#cli/convert/calibration-file.ts";
import { measureImportances } from "#cli/convert/importances.ts";
import { convert, type ConvertOptions } from "#convert/convert.ts";
import { checkpointFolder, packageFolder } from "#convert/package/folder.node.ts";
import type { Importances } from "#convert/onnx/weight-ops.ts";
import type { Scheme } from "#convert/quantize/quantize.ts";
import type { Message } from "#engine/types.ts";
import { readHeldout, type Heldout } from "#eval/heldout.ts";
import { openPackage as openEngine } from "#eval/open-package.ts";
import { answerAll } from "#eval/pocket.ts";
import { packageBytes, type Manifest } from "#weights/manifest.ts";
import { calibrationQuestions, testQuestions } from "./questions.ts";
import { distance, openPackage, stepTimes, type Sample } from "./runs.ts";

const { values: flags } = parseArgs({
  options: {
    smollm: { type: "string" },
    pocket: { type: "string", default: "training/checkpoint" },
    bits: { type: "string", default: "4,8" },
    work: { type: "string", default: join(tmpdir(), "llava-quantization") },
    only: { type: "string" },
    keep: { type: "boolean", default: false },
  },
});
const say = (text: string) => process.stdout.write(`${text}\n`);
const note = (text: string) => process.stderr.write(`${text}\n`);

interface Variant {
  readonly bits: 4 | 8;
  readonly scheme: Scheme;
  readonly calibrated: boolean;
}
const variants: readonly Variant[] = ([4, 8] as const).flatMap((bits) =>
  [false, true].flatMap((calibrated) =>
    (["symmetric", "asymmetric"] as const).map((scheme) => ({ bits, scheme, calibrated })),
  ),
);
const nameOf = ({ bits, scheme, calibrated }: Variant) => `${bits}-${scheme}${calibrated ? "-calibrated" : ""}`;

/** What is measured on. */
interface Subject {
  readonly name: string;
  readonly checkpoint: string;
  readonly template: string;
  /** Made with the f32 package where it has to be. */
  readonly calibration: (f32: string, manifest: Manifest) => Promise<string>;
  readonly samples: (f32: string, manifest: Manifest) => Promise<readonly Sample[]>;
  readonly heldout?: Heldout | undefined;
}

async function write(
  subject: Subject,
  folder: string,
  bits: ConvertOptions["bits"],
  more: Partial<ConvertOptions> = {},
): Promise<{ readonly manifest: Manifest; readonly seconds: number }> {
  const started = performance.now();
  const manifest = await convert(checkpointFolder(subject.checkpoint), await packageFolder(folder, { force: true }), {
    bits,
    template: subject.template,
    ...more,
  });
  return { manifest, seconds: (performance.now() - started) / 1000 };
}

async function measure(subject: Subject, work: string): Promise<void> {
  const f32 = join(work, "f32");
  const whole = await write(subject, f32, { vision: 32, embed: 32, decoder: 32 });
  const samples = await subject.samples(f32, whole.manifest);
  const file = await subject.calibration(f32, whole.manifest);
  const started = performance.now();
  const importances: Importances = await measureImportances({
    from: checkpointFolder(subject.checkpoint),
    beside: join(work, "package"),
    calibration: await readCalibration(file),
    template: subject.template,
  });
  note(`${subject.name}: calibrated in ${((performance.now() - started) / 1000).toFixed(0)} s`);

  const opened = await openPackage(f32, whole.manifest);
  const vocab = opened.model.config.vocabSize;
  const reference: Float32Array[] = [];
  for (const sample of samples) reference.push(await opened.rows(sample));
  await opened.close();
  const positions = reference.reduce((sum, rows) => sum + rows.length / vocab, 0);

  const rates = new Map<string, number>();
  const rows: string[][] = [];
  for (const bits of ([4, 8] as const).filter((width) => flags.bits.includes(String(width)))) {
    const made = new Map<string, { readonly manifest: Manifest; readonly seconds: number }>();
    for (const variant of variants.filter((other) => other.bits === bits)) {
      const folder = join(work, nameOf(variant));
      const parts = { vision: 8, embed: 8, decoder: bits } as const;
      const options = { scheme: variant.scheme, importances: variant.calibrated ? importances : undefined };
      made.set(nameOf(variant), await write(subject, folder, parts, options));
    }
    for (const [name, ratio] of await decodeRatios(work, bits, made)) rates.set(name, ratio);
    for (const variant of variants.filter((other) => other.bits === bits)) {
      const name = nameOf(variant);
      const { manifest, seconds } = made.get(name) ?? whole;
      const folder = join(work, name);
      const other = await openPackage(folder, manifest);
      const found: Float32Array[] = [];
      for (const sample of samples) found.push(await other.rows(sample));
      await other.close();
      const { kl, same } = distance(reference, found, vocab);
      rows.push([
        `${bits}`,
        `${variant.scheme}${variant.calibrated ? ", calibrated" : ""}`,
        kl.toFixed(4),
        `${(100 * same).toFixed(1)} %`,
        ...(subject.heldout ? [bits === 4 ? await accuracy(folder, subject.heldout) : "–"] : []),
        `${(packageBytes(manifest) / 1e6).toFixed(1)} MB`,
        rates.get(name)?.toFixed(2) ?? "",
        `${seconds.toFixed(0)} s`,
      ]);
      note(`${subject.name}: ${rows.at(-1)?.join(" · ") ?? ""}`);
    }
  }
  const head = [
    "Bits",
    "Scheme",
    "KL",
    "Same token",
    ...(subject.heldout ? ["Right"] : []),
    "Package",
    "Decode",
    "Convert",
  ];
  say(
    `\n${subject.name}: ${samples.length} answers, ${positions} positions` +
      (subject.heldout ? `; f32 ${await accuracy(f32, subject.heldout)} right` : ""),
  );
  for (const cells of [head, head.map(() => "---"), ...rows]) say(`| ${cells.join(" | ")} |`);
}

/** Tokens per second against the symmetric package of as many bits. Calibrated packages are laid out like the others. */
async function decodeRatios(
  work: string,
  bits: 4 | 8,
  made: ReadonlyMap<string, { readonly manifest: Manifest }>,
): Promise<Map<string, number>> {
  const models = [];
  for (const [name, { manifest }] of made) {
    if (name.endsWith("metric")) models.push({ name, opened: await openPackage(join(work, name), manifest) });
  }
  const times = await stepTimes(
    models.map(({ opened }) => opened.model),
    bits === 4 ? 120 : 30, // 8 bits are unpacked at every step on a CPU
  );
  for (const { opened } of models) await opened.close();
  const base = times[models.findIndex(({ name }) => name === `${bits}-symmetric`)] ?? NaN;
  note(`${bits} bits: ${times.map((ms) => `${ms.toFixed(1)} ms`).join(", ")} per step`);
  return new Map(models.map(({ name }, i) => [name, base / (times[i] ?? NaN)]));
}

async function accuracy(folder: string, heldout: Heldout): Promise<string> {
  const engine = await openEngine(folder);
  const scored = await answerAll(engine, heldout);
  await engine.dispose();
  return `${((100 * scored.filter(({ packageRight }) => packageRight).length) / scored.length).toFixed(1)} %`;
}

const asked = (text: string): Message => ({ role: "user", parts: [{ type: "text", text }] });

async function pocket(): Promise<Subject> {
  const heldout = await readHeldout("training/heldout");
  return {
    name: "Pocket LLaVA",
    checkpoint: flags.pocket,
    template: "vicuna_v1",
    calibration: () => Promise.resolve("training/calibration/conversations.json"),
    samples: () =>
      Promise.all(
        heldout.questions
          .filter((_, i) => i % 8 === 0)
          .map(async ({ image, text, reference }): Promise<Sample> => {
            const blob = new Blob([await readFile(join(heldout.pictures, image))]);
            return {
              question: { role: "user", parts: [{ type: "image", blob }, ...asked(text).parts] },
              answer: reference,
            };
          }),
      ),
    heldout,
  };
}

/** Calibration and reference answers are the f32 model's own. */
function smollm(checkpoint: string, work: string): Subject {
  const answers = async (f32: string, manifest: Manifest, questions: readonly string[]) => {
    const opened = await openPackage(f32, manifest);
    const samples: Sample[] = [];
    for (const text of questions) {
      samples.push({ question: asked(text), answer: await opened.answer(asked(text), 96) });
    }
    await opened.close();
    return samples;
  };
  return {
    name: "SmolLM2-135M-Instruct",
    checkpoint,
    template: "qwen_1_5",
    async calibration(f32, manifest) {
      const samples = await answers(f32, manifest, calibrationQuestions);
      const entries = samples.map(({ answer }, i) => ({
        conversations: [
          { from: "human", value: calibrationQuestions[i] },
          { from: "gpt", value: answer },
        ],
      }));
      const file = join(work, "calibration.json");
      await writeFile(file, JSON.stringify(entries));
      return file;
    },
    samples: (f32, manifest) => answers(f32, manifest, testQuestions),
  };
}

async function run(subject: (work: string) => Promise<Subject> | Subject, name: string): Promise<void> {
  const work = join(flags.work, name);
  await mkdir(work, { recursive: true });
  try {
    await measure(await subject(work), work);
  } finally {
    if (!flags.keep) await rm(work, { recursive: true, force: true });
  }
}

const folder = flags.smollm;
if (folder !== undefined) {
  await stat(join(folder, "config.json")).catch(() => {
    throw new Error(`${folder} holds no checkpoint: make it with bench/weights/make-smollm.py`);
  });
  if (flags.only !== "pocket") await run((work) => smollm(folder, work), "smollm");
}
if (flags.only !== "smollm") await run(pocket, "pocket");
