// An answer's Markdown while the answer streams. Reads it in time slices; until a slice is done, the page keeps showing the blocks that
// were read before.
import type { MarkdownBlock } from "./nodes.ts";
import { readMarkdown, type MarkdownBlocks } from "./markdown.ts";
import { isLate, later } from "./slices.ts";

export class GrowingMarkdown {
  readonly #onMore: () => void;
  #wanted = "";
  /** The state of the text that is being read or has been read. */
  #text = "";
  #read: MarkdownBlocks | undefined;
  #shown: readonly MarkdownBlock[] = [];
  #shownLength = 0;
  #cancel: (() => void) | undefined;

  /** `onMore` is called when there is more to show than the last call gave. */
  constructor(onMore: () => void) {
    this.#onMore = onMore;
  }

  /** The blocks of the text that can be shown by now; those that did not change are the same objects. */
  blocksOf(text: string): readonly MarkdownBlock[] {
    if (!text.startsWith(this.#wanted)) this.#forget();
    this.#wanted = text;
    if (!isLate()) this.#advance();
    this.#goOn();
    return this.#shown;
  }

  end(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  /** Another answer in the same place. */
  #forget(): void {
    this.#text = "";
    this.#read = undefined;
    this.#shown = [];
    this.#shownLength = 0;
  }

  /** Whether all of the text is shown. */
  get isDone(): boolean {
    return this.#read !== undefined && this.#read.rest === undefined && this.#text === this.#wanted;
  }

  #goOn(): void {
    if (this.isDone || this.#cancel !== undefined) return;
    this.#cancel = later(() => {
      this.#cancel = undefined;
      const before = this.#shown;
      this.#advance();
      this.#goOn();
      if (this.#shown !== before) this.#onMore();
    });
  }

  #advance(): void {
    do {
      if (this.isDone) return;
      // What has been begun is finished first: an answer that comes quickly would never be read to its end.
      if (this.#read?.rest === undefined) this.#text = this.#wanted;
      this.#read = readMarkdown(this.#text, this.#read, isLate);
      const { blocks, rest } = this.#read;
      const length = blocks.reduce((sum, { raw }) => sum + raw.length, 0);
      if (rest !== undefined && length < this.#shownLength) continue;
      this.#shown = blocks;
      this.#shownLength = length;
    } while (!isLate());
  }
}
