// Prompt lookup decoding (Saxena, 2023): where the last few tokens occurred before, guess that the answer goes on as it did there. That is
// speculative decoding (Leviathan et al., 2022) without a draft model. Knows no model: the decode loop checks every guess.

export interface Drafter {
  /** The answer's next token. */
  push(token: number): void;
  /**
   * A draft of at most `room` tokens, of the length that is expected to pay when one more row in a step costs `rowCost` steps. Empty where the
   * last tokens did not occur before, or where drafts were rejected lately.
   */
  draft(room: number, rowCost: number): number[];
  /** Reports how many tokens of the last draft the sampler agreed with. */
  tell(accepted: number, drafted: number): void;
}

/** How many of the last tokens must have occurred before. */
const context = 3;
const longestDraft = 16;
/** How many tokens before two places are compared at most. */
const longestMatch = 48;
/** Tokens without a draft after a rejected one; doubles with each further rejection. */
const firstPause = 4;
const longestPause = 64;
/** Least factor by which the expected acceptance is scaled, and how fast that factor follows what is seen. */
const [leastTrust, trustLearned] = [0.2, 0.3];

/** A drafter that has read the prompt. Negative numbers, which stand for pictures' rows, are never drafted. */
export function createDrafter(prompt: readonly number[]): Drafter {
  const said: number[] = [];
  /** By a few tokens: the place in `said` of what followed their last occurrence. */
  const followed = new Map<string, number>();
  const push = (token: number): void => {
    if (said.length >= context) {
      const tokens = said.slice(-context);
      if (tokens.every((one) => one >= 0)) followed.set(tokens.join(" "), said.length);
    }
    said.push(token);
  };
  prompt.forEach(push);
  /** How many tokens before the place equal the last ones said. */
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

/** Whether drafts pay on this device, judged by the measured times of steps. All times in milliseconds. */
export interface DraftBudget {
  /** Whether the time that drafts have saved lately pays for a rejected one. */
  readonly allows: boolean;
  /** What one more row in a step costs, in steps of one token. */
  readonly rowCost: number;
  /** Records the time of a step without a draft. */
  plain(ms: number): void;
  /** Records the time of a step with a draft, and how many of its tokens were accepted. */
  drafted(accepted: number, drafted: number, ms: number): void;
}

/** In steps of one token: the credit that each plain step earns, the credit at the start, and the bounds of the credit. */
const allowance = 0.015;
const startingCredit = 3;
const [leastCredit, mostCredit] = [-6, 4];
const rememberedSteps = 9;
/** The cost of a row in steps until one was timed, its least value, and how fast it follows the measurements. */
const [firstRowCost, leastRowCost, rowCostLearned] = [0.35, 0.02, 0.3];

/** For one model on one device: a further row costs little on some devices, and as much as a step of its own on others. */
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
      // Bounded, because one hiccup of a busy machine is no measurement.
      const cost = Math.min(ms / step, 2 * (drafted + 1));
      earn(accepted + 1 - cost);
      if (drafted === 0) return;
      const measured = Math.min(0.9, Math.max(leastRowCost, (cost - 1) / drafted));
      rowCost += rowCostLearned * (measured - rowCost);
    },
  };
}
