// `llava chat`: one question about pictures, whose answer streams to stdout, or a conversation at the terminal.
import { readFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import { InvalidArgumentError, Option, type Command } from "commander";
import * as v from "valibot";
import type { Engine } from "#engine/engine.ts";
import type { FinishReason, GenerateEvent, Message, Part } from "#engine/types.ts";
import { openPackage } from "#eval/open-package.ts";
import { builtInModelId } from "#zoo/models.ts";
import { givenPath, givenPaths } from "#cli/terminal/given-path.ts";
import { modelFolder } from "#cli/models/model-folder.ts";
import { sentenceFor } from "#cli/terminal/sentences.ts";

const Flags = v.object({
  image: v.optional(v.array(v.string()), []),
  model: v.string(),
  revision: v.optional(v.string()),
  adapter: v.optional(v.string()),
  temperature: v.number(),
  topK: v.number(),
  topP: v.number(),
  minP: v.number(),
  repetitionPenalty: v.number(),
  maxNewTokens: v.number(),
  seed: v.optional(v.number()),
  stop: v.optional(v.array(v.string()), []),
  imageMode: v.picklist(["auto", "pad", "crop", "resize"]),
  detail: v.picklist(["auto", "quick", "every"]),
  verbose: v.optional(v.boolean(), false),
});
type Flags = v.InferOutput<typeof Flags>;

/** Adds `chat` to the program. */
export function addChat(program: Command): void {
  const collect = (value: string, before: string[] = []): string[] => [...before, value];
  program
    .command("chat")
    .description("Ask about pictures: once when a question is given, else in turns.")
    .argument("[question]", "what to ask; without it, questions are read line by line")
    .option("--image <file>", "picture the question is about; may be given several times", collect)
    .option(
      "--model <folder or id>",
      "model package, or owner/name on huggingface.co, which is converted once",
      builtInModelId,
    )
    .option("--revision <name>", "branch, tag or commit of a model on the hub (default main)")
    .option("--adapter <folder>", "LoRA adapter that the model goes on with (llava convert --unmerged)")
    .addOption(numberOption("--temperature <t>", "0 takes the likeliest token", 0))
    .addOption(numberOption("--top-k <k>", "draw from the k likeliest tokens; 0 is off", 0))
    .addOption(numberOption("--top-p <p>", "draw from the likeliest tokens that make up p; 1 is off", 1))
    .addOption(numberOption("--min-p <p>", "leave out tokens below p of the likeliest one; 0 is off", 0))
    .addOption(numberOption("--repetition-penalty <r>", "above 1 repeats less", 1))
    .addOption(numberOption("--max-new-tokens <n>", "longest answer", 512))
    .addOption(numberOption("--seed <n>", "same seed, same answer"))
    .option("--stop <text>", "end the answer before this text; may be given several times", collect)
    .addOption(
      new Option("--image-mode <mode>", "how a picture becomes square")
        .choices(["auto", "pad", "crop", "resize"])
        .default("auto"),
    )
    .addOption(
      new Option(
        "--detail <detail>",
        "how closely a model that sees pictures in tiles looks: whole only, or every tile",
      )
        .choices(["auto", "quick", "every"])
        .default("auto"),
    )
    .option("--verbose", "timings on stderr")
    .action(async (question: string | undefined, raw: unknown) => {
      const flags = v.parse(Flags, raw);
      try {
        await chat(question, flags);
      } catch (error) {
        throw new Error(sentenceFor(error), { cause: error });
      }
    });
}

function numberOption(flags: string, description: string, preset?: number): Option {
  const option = new Option(flags, description).argParser((value) => {
    const number = Number(value);
    if (value.trim() === "" || !Number.isFinite(number)) throw new InvalidArgumentError("It must be a number.");
    return number;
  });
  return preset === undefined ? option : option.default(preset);
}

async function chat(question: string | undefined, flags: Flags): Promise<void> {
  if (question?.trim() === "")
    throw new Error("The question is empty. Say what to ask, or leave it out to ask line by line.");
  const pictures = await Promise.all(flags.image.map(readPicture));
  const engine = await openPackage(await modelFolder(flags.model, flags.revision), flags.adapter);
  const interrupt = listenForInterrupt();
  try {
    if (question === undefined) return await converse(engine, pictures, flags, interrupt);
    const parts: readonly Part[] = [...pictures, { type: "text", text: question }];
    const { reason } = await answer(engine, [{ role: "user", parts }], flags, interrupt);
    if (reason === "abort") process.exitCode = 130;
  } finally {
    interrupt.close();
    await engine.dispose();
  }
}

/** Ctrl+C stops the answer that is being made; between answers it ends the program. */
interface Interrupt {
  /** The signal for one answer. */
  arm(): AbortSignal;
  disarm(): void;
  close(): void;
}

function listenForInterrupt(): Interrupt {
  let stopper: AbortController | undefined;
  let stoppedAt = -Infinity;
  const onSignal = (): void => {
    if (stopper && !stopper.signal.aborted) {
      stoppedAt = performance.now();
      stopper.abort();
      // The terminal and the parent process both send the signal, so a second one within half a second is the same key press.
      // A later one ends the program, even while the answer has not stopped yet.
    } else if (performance.now() - stoppedAt > 500) process.exit(130);
  };
  process.on("SIGINT", onSignal);
  return {
    arm: () => (stopper = new AbortController()).signal,
    disarm: () => (stopper = undefined),
    close: () => process.off("SIGINT", onSignal),
  };
}

/** Turns until an empty line or the end of the input. */
async function converse(engine: Engine, pictures: readonly Part[], flags: Flags, interrupt: Interrupt): Promise<void> {
  const { stdin, stderr } = process;
  const messages: Message[] = [];
  let waiting = pictures;
  const lines = createInterface({ input: stdin, terminal: false });
  const ask = (): void => {
    if (stdin.isTTY) stderr.write("USER: ");
  };
  if (stdin.isTTY) stderr.write("Ask, or add a picture with /image <file>. An empty line ends.\n");
  ask();
  for await (const line of lines) {
    const text = line.trim();
    if (text === "") break;
    try {
      const dropped = await namedPictures(text);
      if (dropped) {
        waiting = [...waiting, ...dropped];
        if (stdin.isTTY) stderr.write("The picture is added. Ask about it.\n");
      } else {
        if (stdin.isTTY) stderr.write("ASSISTANT: ");
        const turn: Message = { role: "user", parts: [...waiting, { type: "text", text }] };
        const reply = await answer(engine, [...messages, turn], flags, interrupt);
        // Stopped before its first word: the question is dropped, and its pictures go with the next one.
        if (reply.text.trim() !== "") {
          messages.push(turn, { role: "assistant", parts: [{ type: "text", text: reply.text }] });
          waiting = [];
        }
      }
    } catch (error) {
      // At a terminal, a picture that can't be read or a full context ends the turn, not the conversation.
      if (!stdin.isTTY) throw error;
      stderr.write(`${sentenceFor(error)}\n`);
    }
    ask();
  }
  lines.close();
}

/** The pictures that a line adds: after /image, or a dropped path alone on its line; undefined where the line is a question. */
async function namedPictures(line: string): Promise<Part[] | undefined> {
  const [, after] = /^\/image(?:\s+(.*))?$/s.exec(line) ?? [];
  if (after !== undefined) return readPictures(after);
  if (line === "/image") throw new Error("Say which picture: /image <file>.");
  const looksDropped = /^(['"]?([/~]|[A-Za-z]:\\)|file:|& ['"])/.test(line);
  return looksDropped && (await givenPaths(line)) !== undefined ? readPictures(line) : undefined;
}

/** Streams one answer to stdout. */
async function answer(
  engine: Engine,
  messages: readonly Message[],
  flags: Flags,
  interrupt: Interrupt,
): Promise<{ text: string; reason: FinishReason }> {
  const { temperature, topK, topP, minP, repetitionPenalty, seed } = flags;
  const sampling = { temperature, topK, topP, minP, repetitionPenalty, ...(seed === undefined ? {} : { seed }) };
  const request = {
    messages,
    sampling,
    maxNewTokens: flags.maxNewTokens,
    stop: flags.stop,
    imageMode: flags.imageMode,
    detail: flags.detail,
  };
  let text = "";
  let reason: FinishReason = "abort";
  try {
    for await (const event of engine.generate(request, interrupt.arm())) {
      if (event.type === "text") {
        process.stdout.write(event.text);
        text += event.text;
      } else if (event.type === "done") {
        process.stdout.write("\n");
        if (flags.verbose) process.stderr.write(describe(event));
        reason = event.reason;
      }
    }
  } finally {
    interrupt.disarm();
  }
  return { text, reason };
}

function describe({ reason, usage, timings }: Extract<GenerateEvent, { type: "done" }>): string {
  const ms = (value: number): string => `${value.toFixed(0)} ms`;
  const steps = Math.max(usage.newTokens - 1, 0);
  const rate = timings.decodeMs > 0 ? `${((steps * 1000) / timings.decodeMs).toFixed(0)} tokens/s` : "";
  return (
    `[${reason}] picture ${ms(timings.imageMs)}, vision ${ms(timings.visionMs)}, ` +
    `prefill ${ms(timings.prefillMs)} (${usage.promptTokens} tokens, ${usage.cachedTokens} held), ` +
    `first token ${ms(timings.firstTokenMs)}, decode ${ms(timings.decodeMs)} (${usage.newTokens} tokens, ${rate})\n`
  );
}

async function readPicture(file: string): Promise<Part> {
  return { type: "image", blob: new Blob([await readFile((await givenPath(file)) ?? file).catch(notOpened(file))]) };
}

/** The pictures that a line names: one path, or several as a drop of several files inserts them. */
async function readPictures(line: string): Promise<Part[]> {
  return Promise.all(((await givenPaths(line)) ?? [line.trim()]).map(readPicture));
}

function notOpened(file: string): (error: unknown) => never {
  return (cause) => {
    if (/^https?:/i.test(file.trim()))
      throw new Error(
        `${file} is an address, and nothing is fetched from the network. Save the picture and give its path.`,
        { cause },
      );
    const isFolder = cause instanceof Error && "code" in cause && cause.code === "EISDIR";
    throw new Error(
      isFolder ? `${file} is a folder. Give a picture in it.` : `The picture ${file} can't be opened. Check its path.`,
      { cause },
    );
  };
}
