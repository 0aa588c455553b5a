// Guesses how an answer goes on: after the same few tokens, as it went on before. Prompt lookup decoding (Saxena, 2023), which is
// speculative decoding (Leviathan et al., 2022) without a second model. Knows no model: who asks checks every guess.

export interface Drafter {
  /** The answer's next token. */
  push(token: number): void;
  /** At most `room` tokens that may come next; none where nothing was said like this, or where guesses failed lately. */
  draft(room: number): number[];
  /** How much of the last draft came true. */
  tell(accepted: number, drafted: number): void;
}

/** So many tokens have to be as they were before; two are enough after a guess came true. */
const context = 3;
const firstDraft = 4;
const longestDraft = 16;
/** Tokens without guesses after a failed one; doubles with each more. */
const firstPause = 4;
const longestPause = 64;

/** Reads the prompt's tokens; negative numbers (pictures) are never guessed. */
export function createDrafter(prompt: readonly number[]): Drafter {
  const said: number[] = [];
  /** What followed a few tokens where they were last: its place in `said`. */
  const followed = new Map<string, number>();
  const keyAt = (end: number, length: number): string | undefined => {
    if (end < length) return undefined;
    const tokens = said.slice(end - length, end);
    return tokens.some((token) => token < 0) ? undefined : tokens.join(" ");
  };
  const push = (token: number): void => {
    for (const length of [context, context - 1]) {
      const key = keyAt(said.length, length);
      if (key !== undefined) followed.set(key, said.length);
    }
    said.push(token);
  };
  prompt.forEach(push);

  let size = firstDraft;
  let pause = firstPause;
  let waiting = 0;
  let lucky = false;
  return {
    push,
    draft(room) {
      if (waiting > 0) {
        waiting--;
        return [];
      }
      for (const length of lucky ? [context, context - 1] : [context]) {
        const key = keyAt(said.length, length);
        const from = key === undefined ? undefined : followed.get(key);
        if (from === undefined) continue;
        const drafted = said.slice(from, from + Math.max(0, Math.min(size, room)));
        const picture = drafted.findIndex((token) => token < 0);
        return picture < 0 ? drafted : drafted.slice(0, picture);
      }
      return [];
    },
    tell(accepted, drafted) {
      lucky = accepted > 0;
      if (accepted === drafted) size = Math.min(longestDraft, size * 2);
      else size = Math.max(firstDraft, accepted);
      if (lucky) {
        pause = firstPause;
      } else {
        waiting = pause;
        pause = Math.min(longestPause, pause * 2);
      }
    },
  };
}

/** Whether guesses are worth their time on this device, from how long steps took. All times in milliseconds. */
export interface DraftBudget {
  /** Whether what guesses have gained lately pays for a wrong one. */
  readonly allows: boolean;
  /** A step of one token took so long. */
  plain(ms: number): void;
  /** A step with a draft took so long, and so much of it came true. */
  drafted(accepted: number, drafted: number, ms: number): void;
}

/** In steps of one token: what every such step allows to lose, what is allowed at first, and how far gains and losses are remembered. */
const allowance = 0.015;
const startingCredit = 1;
const [leastCredit, mostCredit] = [-6, 4];
const rememberedSteps = 9;

/** For one model on one device: rows of a step cost little on some, and as much as steps of their own on others. */
export function createDraftBudget(): DraftBudget {
  const times: number[] = [];
  let credit = startingCredit;
  const earn = (steps: number): void => {
    credit = Math.min(mostCredit, Math.max(leastCredit, credit + steps));
  };
  return {
    get allows() {
      return credit > 0 && times.length >= 3;
    },
    plain(ms) {
      times.push(ms);
      if (times.length > rememberedSteps) times.shift();
      earn(allowance);
    },
    drafted(accepted, drafted, ms) {
      const step = times.toSorted((a, b) => a - b)[times.length >> 1];
      if (step === undefined) return;
      // One hiccup of a busy machine is no measurement.
      earn(accepted + 1 - Math.min(ms / step, 2 * (drafted + 1)));
    },
  };
}
