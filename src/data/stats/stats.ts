// What conversations are like: lengths, pictures, languages, how they begin, tokens. One at a time, in bounded memory.
import type { PictureRef, Sample } from "#samples/sample.ts";
import { nameOfRef } from "#data/content-key.ts";
import type { Entry } from "#data/data-file.ts";
import { HashTable, type Hash } from "#data/hash-table.ts";
import type { UsableEntry } from "#data/left-out.ts";
import type { PictureState } from "#data/picture-state.ts";
import { beginningOf, countWords, scriptOf } from "#data/words.ts";
import { Tally, TextTally, type TallySummary } from "./tally.ts";

interface StatsOptions {
  readonly hash: Hash;
  /** Tokens of a text; undefined where they are not counted. */
  readonly countTokens: ((text: string) => number) | undefined;
  /** What one picture takes in the model's context. */
  readonly tokensOfPicture: number;
  /** Looks at a picture's head; undefined where pictures are not looked at. */
  readonly pictureState: ((entry: Entry, ref: PictureRef) => Promise<PictureState>) | undefined;
  /** Beginnings and sizes that are shown. */
  readonly top: number;
}

type Frequent = readonly { readonly text: string; readonly count: number }[];

export interface StatsReport {
  readonly conversations: number;
  readonly questions: number;
  readonly answers: number;
  readonly withSystem: number;
  readonly withoutPicture: number;
  /** Different pictures. */
  readonly differentPictures: number;
  /** Questions per conversation, words, pictures per conversation, tokens per conversation. */
  readonly turns: TallySummary | undefined;
  readonly questionWords: TallySummary | undefined;
  readonly answerWords: TallySummary | undefined;
  readonly pictures: TallySummary | undefined;
  readonly tokens: TallySummary | undefined;
  readonly languages: Frequent;
  readonly questionBeginnings: Frequent;
  readonly answerBeginnings: Frequent;
  /** Of the different pictures, where they were looked at. */
  readonly pictureKinds: Frequent;
  readonly pictureSizes: Frequent;
  readonly pictureSides: TallySummary | undefined;
  /** Sentences about what was left out. */
  readonly notes: readonly string[];
}

const wordEdges = [0, 1, 2, 3, 5, 9, 17, 33, 65, 129, 257, 513, 1025, 2049];
const countEdges = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 21, 51, 101];
const tokenEdges = [0, 33, 65, 129, 257, 513, 1025, 1537, 2049, 4097, 8193, 16_385, 32_769];
const sideEdges = [0, 65, 129, 225, 337, 513, 769, 1025, 2049, 4097, 8193];

export class Stats {
  private readonly counts = { conversations: 0, questions: 0, answers: 0, withSystem: 0, withoutPicture: 0 };
  private readonly turns = new Tally();
  private readonly questionWords = new Tally();
  private readonly answerWords = new Tally();
  private readonly pictures = new Tally();
  private readonly tokens = new Tally();
  private readonly sides = new Tally();
  private readonly languages = new TextTally();
  private readonly questionBeginnings = new TextTally();
  private readonly answerBeginnings = new TextTally();
  private readonly kinds = new TextTally();
  private readonly sizes = new TextTally();
  private readonly seen = new HashTable();
  private readonly options: StatsOptions;
  constructor(options: StatsOptions) {
    this.options = options;
  }

  async add(entry: UsableEntry): Promise<void> {
    const { sample } = entry;
    const { turns, system } = sample;
    this.counts.conversations++;
    if (system !== "") this.counts.withSystem++;
    this.languages.add(scriptOf(turns.map(({ text }) => text.slice(0, 500)).join(" ")));
    let questions = 0;
    let pictures = 0;
    for (const turn of turns) {
      const words = countWords(turn.text);
      const beginning = beginningOf(turn.text);
      if (turn.role === "user") {
        questions++;
        pictures += turn.pictures.length;
        this.questionWords.add(words);
        if (beginning !== "") this.questionBeginnings.add(beginning);
      } else {
        this.counts.answers++;
        this.answerWords.add(words);
        if (beginning !== "") this.answerBeginnings.add(beginning);
      }
    }
    this.counts.questions += questions;
    this.turns.add(questions);
    this.pictures.add(pictures);
    if (pictures === 0) this.counts.withoutPicture++;
    this.countTokens(sample, pictures);
    await this.lookAtPictures(entry);
  }

  report(notes: readonly string[]): StatsReport {
    const { top } = this.options;
    return {
      ...this.counts,
      differentPictures: this.seen.size,
      turns: this.turns.summary(countEdges),
      questionWords: this.questionWords.summary(wordEdges),
      answerWords: this.answerWords.summary(wordEdges),
      pictures: this.pictures.summary(countEdges),
      tokens: this.tokens.summary(tokenEdges),
      languages: this.languages.top(top),
      questionBeginnings: this.questionBeginnings.top(top),
      answerBeginnings: this.answerBeginnings.top(top),
      pictureKinds: this.kinds.top(top),
      pictureSizes: this.sizes.top(top),
      pictureSides: this.sides.summary(sideEdges),
      notes,
    };
  }

  private countTokens({ system, turns }: Sample, pictures: number): void {
    const { countTokens, tokensOfPicture } = this.options;
    if (countTokens === undefined) return;
    const texts = [...(system === "" ? [] : [system]), ...turns.map(({ text }) => text)];
    this.tokens.add(texts.reduce((sum, text) => sum + countTokens(text), pictures * tokensOfPicture));
  }

  private async lookAtPictures(entry: UsableEntry): Promise<void> {
    const { hash, pictureState } = this.options;
    for (const turn of entry.sample.turns) {
      for (const ref of turn.role === "user" ? turn.pictures : []) {
        const key = hash(
          ref.kind === "name" ? `${entry.file.folder ?? entry.file.path}\0${nameOfRef(ref)}` : nameOfRef(ref),
        );
        if (this.seen.get(key) !== undefined) continue;
        this.seen.set(key, 1);
        if (pictureState === undefined) continue;
        const { fault, kind, width, height } = await pictureState(entry, ref);
        this.kinds.add(fault === undefined || fault === "cut" ? kind.toUpperCase() : fault);
        if (width === 0 || height === 0) continue;
        this.sizes.add(`${width} × ${height}`);
        this.sides.add(Math.max(width, height));
      }
    }
  }
}
