// Checks conversations for what breaks or spoils training, one at a time, in bounded memory: a few bytes per conversation are remembered.
import { isObject } from "#samples/picture-refs.ts";
import { marksIn, unknownSpeaker } from "#samples/read-sample.ts";
import type { PictureRef, Sample } from "#samples/sample.ts";
import { findBoxes } from "#data/boxes.ts";
import { contentKey, nameOfRef } from "#data/content-key.ts";
import type { Entry } from "#data/data-file.ts";
import { HashTable, type Hash } from "#data/hash-table.ts";
import type { PictureFault } from "#data/picture-state.ts";
import { countWords, scriptOf } from "#data/words.ts";
import { kindOfLoss, type FindingKind } from "./finding-kinds.ts";
import { Findings, type Example, type Finding } from "./findings.ts";

interface CheckOptions {
  readonly hash: Hash;
  /** Says what is wrong with a picture; undefined where pictures are not looked at. */
  readonly pictureFault: ((entry: Entry, ref: PictureRef) => Promise<PictureFault | undefined>) | undefined;
  /** Words of an answer above which it is a finding. */
  readonly longestAnswer: number;
  /** Examples shown of each kind. */
  readonly examples: number;
}

export interface CheckReport {
  readonly conversations: number;
  readonly questions: number;
  readonly answers: number;
  /** Mentions of pictures, and different pictures among them. */
  readonly pictures: number;
  readonly differentPictures: number;
  /** How many conversations are in which scripts, the most frequent first. */
  readonly languages: Readonly<Record<string, number>>;
  /** Conversations with a system prompt, and the most frequent prompts. */
  readonly withSystem: number;
  readonly systems: readonly { readonly text: string; readonly count: number }[];
  /** Conversations without an id. */
  readonly withoutId: number;
  readonly errors: number;
  readonly warnings: number;
  readonly findings: readonly Finding[];
}

const faults: readonly (PictureFault | undefined)[] = [undefined, "missing", "elsewhere", "empty", "unreadable", "cut"];
const templateToken =
  /<\/s>|<s>|<\|(?:im_start|im_end|endoftext|eot_id|begin_of_text)\|>|\[\/?INST\]|<start_of_turn>|\bASSISTANT: /;
/** Different system prompts that are told apart; a file with more has one per conversation. */
const mostSystems = 1000;

export class Checker {
  private readonly findings: Findings;
  /** In the order in which they come. */
  private readonly files: string[] = [];
  private readonly ids = new HashTable();
  private readonly contents = new HashTable();
  private readonly pictures = new HashTable();
  private readonly languages = new Map<string, number>();
  private readonly systems = new Map<string, number>();
  private readonly counts = { conversations: 0, questions: 0, answers: 0, pictures: 0, withSystem: 0, withoutId: 0 };
  private readonly options: CheckOptions;
  constructor(options: CheckOptions) {
    this.options = options;
    this.findings = new Findings(options.examples);
  }

  /** Looks at the next value of a file. */
  async add(entry: Entry): Promise<void> {
    const place = { file: entry.file.name, item: entry.item, line: entry.line };
    const add = (kind: FindingKind, detail?: string, count?: number): void =>
      this.findings.add(kind, place, detail, count);
    if ((entry.aside ?? 0) > 0) add("aside", "", entry.aside);
    if ((entry.unanswered ?? 0) > 0) add("unanswered", "", entry.unanswered);
    const { sample, json } = entry;
    if (typeof sample === "string") return add(sample, detailOf(sample, json));
    this.counts.conversations++;
    for (const [loss, count] of sample.lost) add(kindOfLoss[loss], loss === "mark" ? beginning(sample) : "", count);
    if (sample.unplaced > 0) add("unplaced", beginning(sample), sample.unplaced);
    this.checkId(json, add);
    this.checkTurns(sample, add);
    this.checkContent(sample, place, add);
    await this.checkPictures(entry, sample, add);
  }

  report(): CheckReport {
    const findings = this.findings.list();
    const sum = (level: Finding["level"]): number =>
      findings.filter((finding) => finding.level === level).reduce((total, { count }) => total + count, 0);
    const byCount = (counts: ReadonlyMap<string, number>): [string, number][] =>
      [...counts].sort((a, b) => b[1] - a[1]);
    return {
      ...this.counts,
      differentPictures: this.pictures.size,
      languages: Object.fromEntries(byCount(this.languages)),
      systems: byCount(this.systems)
        .slice(0, 5)
        .map(([text, count]) => ({ text, count })),
      errors: sum("error"),
      warnings: sum("warning"),
      findings,
    };
  }

  private checkId(json: unknown, add: Add): void {
    const id = isObject(json) ? json["id"] : undefined;
    if (typeof id !== "string" && typeof id !== "number") {
      this.counts.withoutId++;
      return;
    }
    if (typeof id === "number" && !Number.isSafeInteger(id) && Number.isInteger(id)) add("inexact-id", String(id));
    const hash = this.options.hash(String(id));
    if (this.ids.get(hash) === undefined) this.ids.set(hash, 1);
    else add("same-id", String(id));
  }

  private checkTurns(sample: Sample, add: Add): void {
    const { system, turns } = sample;
    if (system !== "") {
      this.counts.withSystem++;
      const known = this.systems.get(system);
      if (known !== undefined || this.systems.size < mostSystems) this.systems.set(system, (known ?? 0) + 1);
    }
    for (const turn of turns) {
      const { role, text } = turn;
      if (role === "user") {
        this.counts.questions++;
        if (text === "" && turn.pictures.length === 0) add("empty-question");
      } else {
        this.counts.answers++;
        if (text.trim() === "") add("empty-answer");
        const marks = marksIn(text);
        if (marks > 0) add("mark-in-answer", text, marks);
        const words = countWords(text);
        if (words > this.options.longestAnswer) add("long-answer", `${words.toLocaleString("en")} words`);
      }
      for (const box of findBoxes(text)) {
        if (box.outside) add("box-outside", box.text);
        else if (box.reversed) add("box-reversed", box.text);
      }
      const token = templateToken.exec(text);
      if (token !== null) add("template-token", token[0]);
      if (text.includes("\uFFFD")) add("bad-characters", text.slice(Math.max(0, text.indexOf("\uFFFD") - 30)));
    }
    if (turns.at(-1)?.role === "user") add("no-answer", beginning(sample));
    const script = scriptOf(turns.map(({ text }) => text.slice(0, 500)).join(" "));
    this.languages.set(script, (this.languages.get(script) ?? 0) + 1);
  }

  private checkContent(sample: Sample, { file, item }: Omit<Example, "detail">, add: Add): void {
    const hash = this.options.hash(contentKey(sample));
    const first = this.contents.get(hash);
    if (this.files.at(-1) !== file) this.files.push(file);
    // One number holds both: items up to 2^32, files up to 2^21.
    if (first === undefined) this.contents.set(hash, (this.files.length - 1) * 2 ** 32 + item);
    else add("same-conversation", `as item ${first % 2 ** 32} of ${this.files[Math.floor(first / 2 ** 32)] ?? ""}`);
  }

  private async checkPictures(entry: Entry, sample: Sample, add: Add): Promise<void> {
    const { hash, pictureFault } = this.options;
    for (const turn of sample.turns) {
      for (const ref of turn.role === "user" ? turn.pictures : []) {
        this.counts.pictures++;
        // Names count from the file's folder, so those of two files can differ in what they mean.
        const key = hash(
          ref.kind === "name" ? `${entry.file.folder ?? entry.file.path}\0${nameOfRef(ref)}` : nameOfRef(ref),
        );
        let state = this.pictures.get(key);
        if (state === undefined) {
          state = faults.indexOf(await pictureFault?.(entry, ref));
          this.pictures.set(key, state);
        }
        const fault = faults[state];
        if (fault !== undefined) add(`picture-${fault}`, ref.kind === "name" ? ref.name : "embedded as base64");
      }
    }
  }
}

type Add = (kind: FindingKind, detail?: string, count?: number) => void;

const beginning = (sample: Sample): string => sample.turns[0]?.text.slice(0, 80) ?? "";

/** What helps to find the fault in the data. */
function detailOf(problem: string, json: unknown): string {
  if (problem === "unknown-speaker") return unknownSpeaker(json) ?? "";
  const id = isObject(json) ? json["id"] : undefined;
  if (typeof id === "string" || typeof id === "number") return `id ${id}`;
  return json === undefined ? "" : JSON.stringify(json).slice(0, 80);
}
