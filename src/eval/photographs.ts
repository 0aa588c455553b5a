// The held-out questions about photographs, about two pictures, and without a picture: reads, asks and scores them against their floors.
// Photographs lie in a separate folder (training/README.md says where they come from), because their makers own the rights.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import * as v from "valibot";
import type { Engine } from "#engine/engine.ts";
import type { Part } from "#engine/types.ts";
import { bleu4, ciderD, type Captioned } from "./captions.ts";
import { isAccepted, matches } from "./score.ts";

const PhotoQuestion = v.object({
  question_id: v.number(),
  /** Paths in the folder of photographs; "heldout/…" names a drawn picture of the held-out set. */
  images: v.array(v.string()),
  text: v.string(),
  kind: v.string(),
  answers: v.array(v.string()),
  match: v.picklist([...matches, "pattern"]),
});
type PhotoQuestion = v.InferOutput<typeof PhotoQuestion>;

/** A question with the model's answer. */
export interface PhotoAnswer {
  readonly question: PhotoQuestion;
  readonly text: string;
  readonly right: boolean;
}

/** One line of the table; `value` and `floor` in the row's own unit, `most` in place of `floor` where less is better. */
export interface PhotoRow {
  readonly name: string;
  readonly n: number;
  readonly value: number;
  readonly floor?: number;
  readonly most?: number;
  readonly held?: boolean;
}

/** The questions and, by picture, the five human captions. */
export interface PhotoSet {
  readonly questions: readonly PhotoQuestion[];
  readonly captions: ReadonlyMap<string, readonly string[]>;
  /** The file of a question's picture. */
  readonly path: (image: string) => string;
}

const Captions = v.object({ image: v.string(), captions: v.array(v.string()) });

/** Reads heldout/photographs.jsonl and the captions in the photographs' folder; throws an Error that names a missing file. */
export async function readPhotographs(heldout: string, photographs: string): Promise<PhotoSet> {
  const lines = async <T extends v.GenericSchema>(file: string, schema: T): Promise<v.InferOutput<T>[]> => {
    const text = await readFile(file, "utf8").catch((cause: unknown) => {
      throw new Error(`${file} is missing: is ${photographs} the folder of photographs?`, { cause });
    });
    return text.split("\n").filter((line) => line !== "").map((line) => v.parse(schema, JSON.parse(line))); // prettier-ignore
  };
  const captions = new Map<string, readonly string[]>();
  for (const set of ["flickr8k", "coco"])
    for (const row of await lines(join(photographs, `${set}.jsonl`), Captions))
      captions.set(`${set}/${row.image}`, row.captions);
  return {
    questions: await lines(join(heldout, "photographs.jsonl"), PhotoQuestion),
    captions,
    path: (image) =>
      image.startsWith("heldout/")
        ? join(heldout, "pictures", image.slice("heldout/".length))
        : join(photographs, image),
  };
}

/** Asks every question in a conversation of its own, with greedy decoding; calls `onDone` after each. */
export async function answerPhotographs(
  engine: Engine,
  { questions, path }: PhotoSet,
  onDone: (count: number) => void = () => undefined,
): Promise<PhotoAnswer[]> {
  const answers: PhotoAnswer[] = [];
  for (const question of questions) {
    const parts: Part[] = [];
    for (const image of question.images) parts.push({ type: "image", blob: new Blob([await readFile(path(image))]) });
    parts.push({ type: "text", text: question.text });
    let text = "";
    const events = engine.generate({
      messages: [{ role: "user", parts }],
      sampling: { temperature: 0, topK: 0, topP: 1, minP: 0, repetitionPenalty: 1 },
      maxNewTokens: 48,
      stop: [],
    });
    for await (const event of events) if (event.type === "text") text += event.text;
    answers.push({ question, text, right: isRight(question, text) });
    onDone(answers.length);
  }
  return answers;
}

function isRight({ answers, match }: PhotoQuestion, text: string): boolean {
  if (match === "pattern") return answers.some((pattern) => new RegExp(pattern, "iu").test(text));
  return isAccepted(answers, match, text);
}

const hedge = /not sure/i;

/** Scores the answers; one row per kind of question. */
export function photoRows(answers: readonly PhotoAnswer[], captions: PhotoSet["captions"]): PhotoRow[] {
  const of = (kind: string): PhotoAnswer[] => answers.filter(({ question }) => question.kind === kind);
  const percent = (some: number, all: number): number => (all === 0 ? 0 : (100 * some) / all);
  const share = (name: string, kind: string, floor: number): PhotoRow => {
    const asked = of(kind);
    return atLeast(name, asked.length, percent(asked.filter(({ right }) => right).length, asked.length), floor);
  };
  const objects = of("object");
  const [wrong, right] = [objects.filter((answer) => !answer.right), objects.filter((answer) => answer.right)];
  const hedged = (group: readonly PhotoAnswer[]): number =>
    percent(group.filter(({ text }) => hedge.test(text)).length, group.length);
  const flickr = of("caption").flatMap(({ question, text }): Captioned[] => {
    const image = question.images[0] ?? "";
    return image.startsWith("flickr8k/") ? [{ answer: text, references: captions.get(image) ?? [] }] : [];
  });
  const unhedged = hedged(right);
  return [
    share("photograph, told", "photograph", 99),
    share("drawing, told", "drawing", 99),
    share("what is this? (objects)", "object", 60),
    atLeast("wrong names hedged", wrong.length, hedged(wrong), 50),
    { name: "right names hedged", n: right.length, value: unhedged, most: 15, held: unhedged <= 15 },
    atLeast("captions, CIDEr-D", flickr.length, flickr.length === 0 ? 0 : ciderD(flickr), 0.5),
    atLeast("captions, BLEU-4", flickr.length, flickr.length === 0 ? 0 : bleu4(flickr), 0.18),
    share("is there a …? (photos)", "photo yesno", 80),
    share("talk and off-topic", "talk", 95),
    share("two pictures", "pair", 85),
  ];
}

function atLeast(name: string, n: number, value: number, floor: number): PhotoRow {
  return { name, n, value, floor, held: value >= floor };
}

/** Formats the rows as lines for a terminal. */
export function formatPhotoRows(rows: readonly PhotoRow[]): string {
  return rows
    .map(({ name, n, value, floor, most, held }) => {
      const limit = floor === undefined ? `≤ ${most ?? ""}` : `≥ ${floor}`;
      const shown = value < 2 && (floor ?? 100) < 2 ? value.toFixed(3) : value.toFixed(1);
      return `${name.padEnd(26)}${String(n).padStart(6)}${shown.padStart(10)}${limit.padStart(10)}  ${held === true ? "held" : "MISSED"}`;
    })
    .join("\n");
}
