// What a benchmark is for a run: where its questions and pictures are, and how a question is put and its answer line written, as LLaVA's generators do.
import type { ImageMode } from "#engine/types.ts";

/** A picture in the benchmark's folder of pictures, or in the question file itself. */
export type PictureRef =
  { readonly kind: "file"; readonly path: string } | { readonly kind: "bytes"; readonly base64: string };

export interface Question {
  readonly id: string | number;
  /** What the model reads, after the picture. */
  readonly text: string;
  /** The `prompt` of the answer line, which is not always the same. */
  readonly prompt: string;
  readonly picture?: PictureRef | undefined;
  readonly category?: string | undefined;
  /** Right answers, where the question file has them. */
  readonly references?: readonly string[];
  /** Fields that the answer line has after the id. */
  readonly afterId?: Readonly<Record<string, unknown>>;
  /** Fields that it has after the text. */
  readonly afterText?: Readonly<Record<string, unknown>>;
}

export interface QuestionOptions {
  /** Which part of a benchmark that comes in several. */
  readonly split: string;
  /** MMBench: ask each question once per option, with the options rotated. */
  readonly allRounds: boolean;
}

export interface Benchmark {
  readonly id: string;
  readonly title: string;
  /** What LLaVA calls the benchmark's folder in playground/data/eval. */
  readonly folders: readonly string[];
  /** Paths of the question file, the usual one first. */
  readonly questions: (split: string) => readonly string[];
  /** Folders of the pictures, the usual one first; absent where the question file holds them. */
  readonly pictures?: readonly string[];
  /** Where the question file comes from, and where the pictures do, as sentences. */
  readonly from: string;
  readonly picturesFrom?: string;
  /** Splits, the usual one first; absent where there is one alone. */
  readonly splits?: readonly string[];
  /** As LLaVA's generator for the benchmark. */
  readonly maxNewTokens: number;
  /** How pictures become square where that is not the model's own way. */
  readonly imageMode?: ImageMode;
  /** Throws a sentence where the text is no question file of this benchmark. */
  readonly parse: (text: string, options: QuestionOptions) => Question[];
}

/** An answer line as LLaVA writes it; `error` says why a question was not asked. */
export function answerLine(
  question: Question,
  text: string,
  { answerId, modelId, error }: { readonly answerId: string; readonly modelId: string; readonly error?: string },
): Readonly<Record<string, unknown>> {
  return {
    question_id: question.id,
    ...question.afterId,
    prompt: question.prompt,
    text,
    ...question.afterText,
    answer_id: answerId,
    model_id: modelId,
    metadata: error === undefined ? {} : { error },
  };
}

const letters = "23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/** A random answer id in the form of Python's shortuuid: 22 characters for 128 bits. */
export function shortId(): string {
  let number = BigInt(`0x${crypto.randomUUID().replaceAll("-", "")}`);
  let id = "";
  for (let i = 0; i < 22; i++) {
    id = (letters[Number(number % 57n)] ?? "") + id;
    number /= 57n;
  }
  return id;
}
