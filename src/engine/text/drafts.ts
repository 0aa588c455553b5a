// Guesses how an answer goes on: after the same few tokens, as it went on before. Prompt lookup decoding (Saxena, 2023), which is
// speculative decoding (Leviathan et al., 2022) without a second model. Knows no model: who asks checks every guess.

export interface Drafter {
  /** The answer's next token. */
  push(token: number): void;
  /**
   * At most `room` tokens that may come next, as many as are likely to be worth their time when one more row costs `rowCost` steps; none
   * where nothing was said like this, or where guesses failed lately.
   */
  draft(room: number, rowCost: number): number[];
  /** How much of the last draft came true. */
  tell(accepted: number, drafted: number): void;
}

/** So many tokens have to be as they were before. */
const context = 3;
const longestDraft = 16;
/** How far back two places are compared. */
const longestMatch = 48;
/** Tokens without guesses after a failed one; doubles with each more. */
const firstPause = 4;
const longestPause = 64;
/** How much of what is expected comes true, at first, and how fast that is learned. */
const [leastTrust, trustLearned] = [0.2, 0.3];

/** Reads the prompt's tokens; negative numbers (pictures) are never guessed. */
export function createDrafter(prompt: readonly number[]): Drafter {
  const said: number[] = [];
  /** What followed a few tokens where they were last: its place in `said`. */
  const followed = new Map<string, number>();
  const push = (token: number): void => {
    if (said.length >= context) {
      const tokens = said.slice(-context);
      if (tokens.every((one) => one >= 0)) followed.set(tokens.join(" "), said.length);
    }
    said.push(token);
  };
  prompt.forEach(push);
  /** How many tokens before the place are the same as the last ones. */
  const matchAt = (place: number): number => {
    let length = 0;
    while (length < longestMatch && length < place && said[place - 1 - length] === said[said.length - 1 - length])
      length++;
    return length;
  };

  let pause = firstPause;
  let waiting = 0;
  let trust = 1;
  let expected = 0;
  return {
    push,
    draft(room, rowCost) {
      if (waiting > 0) {
        waiting--;
        return [];
      }
      const from = followed.get(said.slice(-context).join(" "));
      if (from === undefined) return [];
      // After n tokens that were the same the next one is with n / (n + 1), as in Laplace's rule of succession; so k more are with n / (n + k).
      const match = matchAt(from) * trust;
      const worth = Math.floor(match * (1 / rowCost - 1));
      const drafted = said.slice(from, from + Math.max(0, Math.min(worth, longestDraft, room)));
      const picture = drafted.findIndex((token) => token < 0);
      if (picture >= 0) drafted.length = picture;
      expected = drafted.reduce((sum, _, i) => sum + match / (match + i + 1), 0);
      return drafted;
    },
    tell(accepted, drafted) {
      if (drafted > 0) {
        const share = Math.min(1, accepted / Math.max(expected, 0.5));
        trust = Math.max(leastTrust, trust + trustLearned * (share - trust));
      }
      if (accepted > 0) {
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
  /** What one more row in a step costs, in steps of one token. */
  readonly rowCost: number;
  /** A step of one token took so long. */
  plain(ms: number): void;
  /** A step with a draft took so long, and so much of it came true. */
  drafted(accepted: number, drafted: number, ms: number): void;
}

/** In steps of one token: what every such step allows to lose, what is allowed at first, and how far gains and losses are remembered. */
const allowance = 0.015;
const startingCredit = 3;
const [leastCredit, mostCredit] = [-6, 4];
const rememberedSteps = 9;
/** Of a row, until one was timed; and how fast it is learned. */
const [firstRowCost, leastRowCost, rowCostLearned] = [0.35, 0.02, 0.3];

/** For one model on one device: rows of a step cost little on some, and as much as steps of their own on others. */
export function createDraftBudget(): DraftBudget {
  const times: number[] = [];
  let credit = startingCredit;
  let rowCost = firstRowCost;
  const earn = (steps: number): void => {
    credit = Math.min(mostCredit, Math.max(leastCredit, credit + steps));
  };
  return {
    get allows() {
      return credit > 0 && times.length >= 3;
    },
    get rowCost() {
      return rowCost;
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
      const cost = Math.min(ms / step, 2 * (drafted + 1));
      earn(accepted + 1 - cost);
      if (drafted === 0) return;
      const measured = Math.min(0.9, Math.max(leastRowCost, (cost - 1) / drafted));
      rowCost += rowCostLearned * (measured - rowCost);
    },
  };
}
