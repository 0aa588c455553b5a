// A calibration file: conversations that a model is run on to see which channels matter, in any form that src/samples reads. It is
// streamed twice, first to tell what is wrong before hours of work. Knows no model.
import { open, readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { findPicture, isAddress } from "#data/find-picture.node.ts";
import type { Message, Part } from "#engine/types.ts";
import { readSamples, type ReadSample } from "#samples/read-samples.ts";
import { dataBlob, type Loss, type PictureRef, type Sample } from "#samples/sample.ts";

/** One conversation of a calibration file; pictures are read when it is asked for. */
export interface CalibrationEntry {
  /** "entry 3 of conversations.json", for sentences. */
  readonly name: string;
  messages(): Promise<readonly Message[]>;
}

export interface Calibration {
  readonly count: number;
  /** What was left out, a sentence each. */
  readonly notes: readonly string[];
  /** All of them, in order; may be asked for again. */
  entries(): AsyncIterable<CalibrationEntry>;
}

/** Reads the file through; throws a sentence where nothing in it can be used, or a picture is missing. Pictures lie beside it. */
export async function readCalibration(path: string): Promise<Calibration> {
  const folder = dirname(resolve(path));
  const notes = new Notes(path);
  const missing: string[] = [];
  const found = new Map<string, string | undefined>();
  let count = 0;
  for await (const { sample, where } of readEntries(path)) {
    if (typeof sample === "string") {
      if (sample === "broken") throw new Error(`${where} is not JSON; ${forms}`);
      notes.leaveOut(where, sentences[sample]);
      continue;
    }
    count++;
    notes.lose(sample.lost);
    for (const ref of picturesOf(sample)) {
      if (ref.kind === "data") {
        if (dataBlob(ref) === undefined) throw new Error(`${where}: a picture in it is no base64`);
        continue;
      }
      if (!found.has(ref.name)) found.set(ref.name, await findPicture(folder, ref.name));
      if (found.get(ref.name) !== undefined) continue;
      const why = isAddress(ref.name) ? "lies elsewhere, and nothing is fetched" : "can't be opened";
      missing.push(`${where}: the picture ${isAddress(ref.name) ? ref.name : resolve(folder, ref.name)} ${why}`);
    }
  }
  if (missing.length > 0) {
    const others = missing.length === 1 ? "" : `, and ${missing.length - 1} more like it`;
    throw new Error(`${missing[0] ?? ""}${others}; put the pictures beside ${path}`);
  }
  if (count === 0) throw new Error(notes.first ?? `the calibration file ${path} holds no conversation`);
  return { count, notes: notes.sentences(), entries: () => entriesOf(path, folder) };
}

async function* entriesOf(path: string, folder: string): AsyncGenerator<CalibrationEntry> {
  for await (const { sample, where } of readEntries(path))
    if (typeof sample !== "string") yield { name: where, messages: () => messagesOf(sample, folder, where) };
}

const forms = 'a calibration file is LLaVA\'s training JSON, OpenAI\'s messages, or lines of {"text", "image"?}';
const shape =
  'is neither {"text", "image"?} nor {"conversations": [{"from", "value"}], "image"?} nor {"messages": [{"role", "content"}]}';
const sentences: Record<Exclude<ReadSample["sample"] & string, "broken">, string> = {
  "not-a-conversation": shape,
  "no-turns": "holds no turn",
  "unknown-speaker": "has a speaker who is neither user nor assistant",
  "not-alternating": "has two answers in a row",
  "text-too-long": "has a text that is too long",
  "too-many-turns": "has too many turns",
  "too-large": "is too large",
};
const lossSentences: Record<Loss, string> = {
  "early-answer": "answers before a first question, left out",
  "late-system": "system turns after the first question, left out",
  mark: "places for pictures without a picture",
  picture: "pictures that are named in no way that is known, or are too many in one conversation",
  media: "videos, sounds or other parts, left out",
};

/** Counts what was left out, and describes the first case in full. */
class Notes {
  first: string | undefined;
  private left = 0;
  private readonly lost = new Map<Loss, number>();
  private readonly path: string;
  constructor(path: string) {
    this.path = path;
  }
  leaveOut(where: string, why: string): void {
    this.left++;
    this.first ??= `${where} ${why}`;
  }
  lose(lost: ReadonlyMap<Loss, number>): void {
    for (const [loss, count] of lost) this.lost.set(loss, (this.lost.get(loss) ?? 0) + count);
  }
  sentences(): string[] {
    const left =
      this.left === 0 ? [] : [`${this.left} left out: ${this.first ?? ""}${this.left > 1 ? ", and more like it" : ""}`];
    return [...left, ...Array.from(this.lost, ([loss, count]) => `${this.path}: ${lossSentences[loss]}: ${count}`)];
  }
}

/** Every conversation with what it is called in sentences. */
async function* readEntries(path: string): AsyncGenerator<ReadSample & { readonly where: string }> {
  for await (const read of readSamples(fileChunks(path))) {
    const isLine = read.sample === "broken" && !read.inList;
    yield { ...read, where: isLine ? `line ${read.line} of ${path}` : `entry ${read.item} of ${path}` };
  }
}

async function* fileChunks(path: string): AsyncGenerator<Uint8Array> {
  const file = await open(path).catch((cause: unknown) => {
    throw new Error(`the calibration file ${path} can't be opened; check its path`, { cause });
  });
  try {
    for await (const chunk of file.createReadStream({ highWaterMark: 2 ** 20, autoClose: false }))
      yield chunk as Uint8Array;
  } catch (cause) {
    throw new Error(`the calibration file ${path} can't be read; is it a file?`, { cause });
  } finally {
    await file.close();
  }
}

const picturesOf = (sample: Sample): PictureRef[] =>
  sample.turns.flatMap((turn) => (turn.role === "user" ? turn.pictures : []));

async function messagesOf(sample: Sample, folder: string, where: string): Promise<Message[]> {
  const messages: Message[] = [];
  if (sample.system !== "") messages.push({ role: "system", parts: [{ type: "text", text: sample.system }] });
  for (const turn of sample.turns) {
    const pictures: Part[] = [];
    for (const ref of turn.role === "user" ? turn.pictures : [])
      pictures.push({ type: "image", blob: await openPicture(ref, folder, where) });
    messages.push({ role: turn.role, parts: [...pictures, { type: "text", text: turn.text }] });
  }
  return messages;
}

async function openPicture(ref: PictureRef, folder: string, where: string): Promise<Blob> {
  const inData = ref.kind === "data" ? dataBlob(ref) : undefined;
  if (inData !== undefined) return inData;
  const name = ref.kind === "name" ? ref.name : "";
  const path = (await findPicture(folder, name)) ?? resolve(folder, name);
  const bytes = await readFile(path).catch((cause: unknown) => {
    throw new Error(`${where}: the picture ${path} can't be opened`, { cause });
  });
  return new Blob([bytes]);
}
