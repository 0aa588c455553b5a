// `npm run eval:pocket`: scores the built-in package on the held-out questions. Exits with 1 when a floor is missed or quantization costs too much.
import { fileURLToPath } from "node:url";
import { Command } from "commander";
import * as v from "valibot";
import type { Engine } from "#engine/engine.ts";
import { formatForgetting, makeForgetting, type Pass } from "./forgetting.ts";
import { readHeldout, type Heldout } from "./heldout.ts";
import { openPackage } from "./open-package.ts";
import { answerPhotographs, formatPhotoRows, photoRows, readPhotographs, type PhotoRow, type PhotoSet } from "./photographs.ts"; // prettier-ignore
import { answerAll } from "./pocket.ts";
import { formatTable, makeTable } from "./table.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const Flags = v.object({
  model: v.string(),
  heldout: v.string(),
  photographs: v.optional(v.string()),
  adapter: v.optional(v.string()),
  every: v.optional(v.pipe(v.string(), v.transform(Number), v.integer(), v.minValue(1)), "1"),
  json: v.optional(v.boolean(), false),
  wrong: v.optional(v.boolean(), false),
});

const program = new Command("eval").showHelpAfterError("(--help shows every option)");
program
  .command("pocket")
  .description("Score a package of Pocket LLaVA on the held-out pictures.")
  .option("--model <folder>", "model package", `${root}public/models/pocket-llava`)
  .option("--heldout <folder>", "questions, pictures and the fp32 checkpoint's answers", `${root}training/heldout`)
  .option(
    "--photographs <folder>",
    "also ask about photographs, which lie there; default: the variable LLAVA_PHOTOGRAPHS",
  )
  .option("--adapter <folder>", "an adapter's package: asks everything without and with it, and tells what it costs")
  .option("--every <n>", "with --adapter: only every n-th question")
  .option("--json", "the table as JSON")
  .option("--wrong", "also list wrong answers")
  .action(async (raw: unknown) => {
    const flags = v.parse(Flags, raw);
    const heldout = await readHeldout(flags.heldout);
    if (flags.adapter !== undefined) return compareAdapter({ ...flags, adapter: flags.adapter }, heldout);
    const engine = await openPackage(flags.model);
    const { stderr } = process;
    const started = performance.now();
    const scored = await answerAll(engine, heldout, (count) => {
      if (stderr.isTTY && count % 20 === 0) stderr.write(`\r${count} of ${heldout.questions.length}`);
    });
    const photographs = flags.photographs ?? process.env["LLAVA_PHOTOGRAPHS"];
    const photoSet = photographs === undefined ? undefined : await readPhotographs(flags.heldout, photographs);
    const photoAnswers = photoSet && (await answerPhotographs(engine, photoSet));
    const rows: PhotoRow[] = photoSet && photoAnswers ? photoRows(photoAnswers, photoSet.captions) : [];
    await engine.dispose();
    if (stderr.isTTY) stderr.write("\r");
    const seconds = (performance.now() - started) / 1000;
    const table = makeTable(scored);
    if (flags.wrong) {
      for (const { question, text, packageRight } of scored) {
        if (packageRight) continue;
        process.stdout.write(
          `${question.kind}: ${question.image} ${question.text} → ${text} (${question.answers[0] ?? ""})\n`,
        );
      }
      for (const { question, text, right } of photoAnswers ?? []) {
        if (right && question.kind !== "caption") continue;
        process.stdout.write(`${question.kind}: ${question.images.join(" + ")} ${question.text} → ${text} (${question.answers[0] ?? ""})\n`); // prettier-ignore
      }
    }
    process.stdout.write(
      flags.json ? `${JSON.stringify({ ...table, photographs: rows, seconds })}\n` : `${formatTable(table)}\n`,
    );
    if (!flags.json && photoSet) process.stdout.write(`\n${formatPhotoRows(rows)}\n`);
    if (!photoSet) stderr.write("Not asked about photographs: --photographs names their folder.\n");
    stderr.write(`${scored.length} questions in ${seconds.toFixed(0)} s\n`);
    process.exitCode = table.passed && rows.every(({ held }) => held === true) ? 0 : 1;
  });

/** Asks everything without and with the adapter. Exits with 1 where it costs too much. */
async function compareAdapter(flags: v.InferOutput<typeof Flags> & { adapter: string }, all: Heldout): Promise<void> {
  const sample = <T>(questions: readonly T[]): T[] => questions.filter((_, i) => i % flags.every === 0);
  const heldout = { ...all, questions: sample(all.questions) };
  const folder = flags.photographs ?? process.env["LLAVA_PHOTOGRAPHS"];
  const set = folder === undefined ? undefined : await readPhotographs(flags.heldout, folder);
  const photographs = set && { ...set, questions: sample(set.questions) };
  const [without, withAdapter] = [
    await onePass(await openPackage(flags.model), heldout, photographs),
    await onePass(await openPackage(flags.model, flags.adapter), heldout, photographs),
  ];
  const forgetting = makeForgetting(without, withAdapter);
  process.stdout.write(`${flags.json ? JSON.stringify(forgetting) : formatForgetting(forgetting)}\n`);
  if (!photographs) process.stderr.write("Not asked about photographs: --photographs names their folder.\n");
  process.exitCode = forgetting.passed ? 0 : 1;
}

async function onePass(engine: Engine, heldout: Heldout, photographs: PhotoSet | undefined): Promise<Pass> {
  try {
    const drawings = await answerAll(engine, heldout);
    return { drawings, photographs: photographs ? await answerPhotographs(engine, photographs) : [] };
  } finally {
    await engine.dispose();
  }
}

try {
  await program.parseAsync();
} catch (error) {
  process.stderr.write(`eval: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
