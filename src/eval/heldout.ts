// Reads the held-out questions and the fp32 checkpoint's answers from training/heldout, and refuses files that have changed.
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import * as v from "valibot";
import { matches } from "./score.ts";

const Question = v.object({
  question_id: v.number(),
  image: v.string(),
  text: v.string(),
  kind: v.string(),
  style: v.string(),
  answers: v.array(v.string()),
  match: v.picklist(matches),
});
const Answer = v.object({ question_id: v.number(), text: v.string() });
const Hashes = v.object({ questions: v.string(), answers: v.string(), pictures: v.string(), checkpoint: v.string() });

export type Question = Omit<v.InferOutput<typeof Question>, "question_id"> & {
  readonly id: number;
  /** The fp32 checkpoint's answer. */
  readonly reference: string;
};

export interface Heldout {
  readonly questions: readonly Question[];
  /** The folder of the questions' pictures. */
  readonly pictures: string;
}

/** Throws where a part is missing or its hash does not match; the message names the part. */
export async function readHeldout(folder: string): Promise<Heldout> {
  const file = (name: string): Promise<Buffer> =>
    readFile(join(folder, name)).catch((cause: unknown) => {
      throw new Error(`${join(folder, name)} is missing: the held-out set is not complete.`, { cause });
    });
  const hashes = v.parse(Hashes, JSON.parse((await file("hash.json")).toString("utf8")));
  const questions = await file("questions.jsonl");
  const answers = await file("answers-fp32.jsonl");
  const pictures = join(folder, "pictures");
  const found: Partial<typeof hashes> = {
    questions: sha256(questions),
    answers: sha256(answers),
    pictures: await hashPictures(pictures),
    ...(await hashCheckpoint(join(folder, "..", "checkpoint", "model.safetensors"))),
  };
  for (const part of ["questions", "answers", "pictures", "checkpoint"] as const) {
    if (found[part] !== undefined && found[part] !== hashes[part]) {
      throw new Error(
        `The held-out set's ${part} changed since the figures were taken: the hash is not that of hash.json.`,
      );
    }
  }
  const references = new Map(readLines(answers, Answer).map(({ question_id, text }) => [question_id, text]));
  return {
    pictures,
    questions: readLines(questions, Question).map(({ question_id: id, ...question }) => {
      const reference = references.get(id);
      if (reference === undefined) throw new Error(`Question ${id} has no fp32 answer.`);
      return { ...question, id, reference };
    }),
  };
}

/** The hash of the weights that gave the reference answers; a copy of the held-out set may lack them. */
async function hashCheckpoint(path: string): Promise<{ checkpoint?: string }> {
  return existsSync(path) ? { checkpoint: sha256(await readFile(path)) } : {};
}

/** The hash over lines of name and SHA-256, sorted by name. */
async function hashPictures(folder: string): Promise<string> {
  const names = (await readdir(folder)).sort();
  const lines = await Promise.all(names.map(async (name) => `${name} ${sha256(await readFile(join(folder, name)))}\n`));
  return sha256(Buffer.from(lines.join("")));
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function readLines<T extends v.GenericSchema>(bytes: Buffer, schema: T): v.InferOutput<T>[] {
  const lines = bytes.toString("utf8").split("\n");
  return lines.filter((line) => line !== "").map((line) => v.parse(schema, JSON.parse(line)));
}
