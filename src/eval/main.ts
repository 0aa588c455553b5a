// `npm run eval:pocket`: scores the built-in package on the held-out questions. Exits with 1 when a floor is missed or quantization costs too much.
import { fileURLToPath } from "node:url";
import { Command } from "commander";
import * as v from "valibot";
import { readHeldout } from "./heldout.ts";
import { openPackage } from "./open-package.ts";
import { answerPhotographs, formatPhotoRows, photoRows, readPhotographs, type PhotoRow } from "./photographs.ts";
import { answerAll } from "./pocket.ts";
import { formatTable, makeTable } from "./table.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const Flags = v.object({
  model: v.string(),
  heldout: v.string(),
  photographs: v.optional(v.string()),
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
  .option("--json", "the table as JSON")
  .option("--wrong", "also list wrong answers")
  .action(async (raw: unknown) => {
    const flags = v.parse(Flags, raw);
    const heldout = await readHeldout(flags.heldout);
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

try {
  await program.parseAsync();
} catch (error) {
  process.stderr.write(`eval: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
