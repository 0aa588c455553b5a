// The `llava` command: one file per sub-command, registered here. Turns every error into one sentence and exit code 1.
import { Command } from "commander";
import { addChat } from "./chat.ts";
import { addConvert } from "#cli/convert/convert.ts";
import { addData } from "#cli/data/data.ts";
import { addEval } from "#cli/eval/eval.ts";
import { addTeach } from "./teach.ts";
import { addWeights } from "./weights.ts";

const program = new Command("llava")
  .description("LLaVA from the command line: convert checkpoints, ask about pictures.")
  .showHelpAfterError("(--help shows every option)");

for (const add of [addChat, addConvert, addData, addEval, addTeach, addWeights]) add(program);

try {
  await program.parseAsync();
} catch (error) {
  process.stderr.write(`llava: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode ??= 1;
}
