// Turns generated token ids into text as they come: whole characters only, nothing from a stop string on, no leading white space.
// Knows no model, only the tokenizer's `decode`.
import type { Tokenizer } from "./tokenizer.ts";

export interface TextStream {
  /** Text that is certain after this token, "" while a character or a possible stop string is unfinished. */
  push(id: number): { readonly text: string; readonly stopped: boolean };
  /** What was held back, when no more tokens come. */
  end(): string;
}

/** A UTF-8 character has at most four bytes, so more tokens than that can't be one unfinished character. */
const longestCharacter = 4;

/** A stream of one answer. */
export function createTextStream(
  tokenizer: Pick<Tokenizer, "decode">,
  stop: readonly string[],
  trimStart: boolean,
): TextStream {
  const stops = stop.filter((text) => text !== "");
  const ids: number[] = [];
  // Decoded anew each time: ids from `contextStart` on, of which those before `fresh` are context only, since some tokenizers
  // drop a leading space. `given` characters of that text are out.
  let contextStart = 0;
  let fresh = 0;
  let given = 0;
  let quiet = 0; // tokens since text last came out
  let trimming = trimStart;
  let held = "";
  let ended = false;

  const decodeNew = (force: boolean): string => {
    const text = tokenizer.decode(ids.slice(contextStart));
    const unfinished = !force && text.endsWith("\uFFFD") && quiet < longestCharacter;
    const whole = unfinished ? text.replace(/\uFFFD+$/, "") : text;
    const piece = whole.slice(given);
    quiet = piece === "" ? quiet + 1 : 0;
    given = Math.max(given, whole.length);
    if (!unfinished && piece !== "") {
      contextStart = fresh;
      fresh = ids.length;
      given = tokenizer.decode(ids.slice(contextStart)).length;
    }
    return piece;
  };
  const accept = (piece: string): { text: string; stopped: boolean } => {
    let text = held + piece;
    held = "";
    if (trimming) {
      text = text.trimStart();
      if (text === "") return { text: "", stopped: false };
      trimming = false;
    }
    const found = stops.map((one) => text.indexOf(one)).filter((at) => at >= 0);
    if (found.length > 0) {
      ended = true;
      return { text: text.slice(0, Math.min(...found)), stopped: true };
    }
    const keep = Math.max(0, ...stops.map((one) => overlap(text, one)));
    held = text.slice(text.length - keep);
    return { text: text.slice(0, text.length - keep), stopped: false };
  };

  return {
    push(id) {
      ids.push(id);
      const piece = decodeNew(false);
      return piece === "" ? { text: "", stopped: false } : accept(piece);
    },
    end() {
      if (ended) return "";
      const { text, stopped } = accept(decodeNew(true).replace(/\uFFFD+$/, ""));
      return stopped ? text : text + held;
    },
  };
}

/** Length of the longest proper beginning of `stop` that `text` ends with. */
function overlap(text: string, stop: string): number {
  for (let length = Math.min(stop.length - 1, text.length); length > 0; length--) {
    if (text.endsWith(stop.slice(0, length))) return length;
  }
  return 0;
}
