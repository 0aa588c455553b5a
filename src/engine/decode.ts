// The decode loop: sample a token, stream its text, stop or run the decoder for the next logits. With prompt lookup decoding, a step runs
// several guessed tokens at once, and the guesses that the sampler agrees with cost no step of their own. Knows no messages and no pictures.
import type { KvCache } from "#engine/decoder/kv-cache.ts";
import type { Model } from "#engine/model/model.ts";
import type { DraftBudget, Drafter } from "#engine/text/drafts.ts";
import type { Sampler } from "#engine/text/sampler.ts";
import type { TextStream } from "#engine/text/text-stream.ts";
import type { FinishReason, GenerateEvent } from "./types.ts";

export interface DecodeOptions {
  readonly model: Model;
  /** Holds the prompt; the answer's rows are added to it. */
  readonly cache: KvCache;
  /** The prompt, one number per row of the cache. */
  readonly slots: readonly number[];
  /** The logits after the prompt. */
  readonly logits: Float32Array;
  /** As many of the largest logits as the sampler looks at; absent, all. */
  readonly top: number | undefined;
  readonly sampler: Sampler;
  readonly stream: TextStream;
  /** Tokens that end the answer and are not part of its text. */
  readonly endIds: ReadonlySet<number>;
  readonly maxNewTokens: number;
  /** The reason to report once `maxNewTokens` tokens have been generated. */
  readonly reasonAtLimit: "length" | "context";
  /** Guesses the tokens to come; absent, every step runs one token. */
  readonly drafter: Drafter | undefined;
  readonly budget: DraftBudget;
  /** Drafts even where the budget says that guesses do not pay; for tests. */
  readonly alwaysDraft: boolean;
  readonly isAborted: () => boolean;
  /** Called once, when the first token is drawn. */
  readonly onFirstToken: () => void;
}

/** How an answer ended, and of how many tokens it is. */
export interface Decoded {
  readonly reason: FinishReason;
  readonly newTokens: number;
}

/** Yields at least one event per token, between which a host hears Stop. Afterwards the cache may hold a few rejected guesses at its end. */
export async function* decode(options: DecodeOptions): AsyncGenerator<GenerateEvent, Decoded> {
  const { model, cache, slots, top, sampler, stream, drafter, budget, maxNewTokens } = options;
  const seen = new Set(slots);
  let newTokens = 0;
  let rows = [options.logits]; // logits after the last token, then after each token of the draft
  let draft: number[] = []; // guesses whose rows are in the cache, still to be confirmed by the sampler
  let drafted = 0;
  let stepMs = 0;

  for (;;) {
    if (options.isAborted()) return { reason: "abort", newTokens };
    if (newTokens >= maxNewTokens) return { reason: options.reasonAtLimit, newTokens };

    const token = sampler.next(rows.shift() ?? new Float32Array(0), seen);
    newTokens++;
    if (newTokens === 1) options.onFirstToken();
    if (options.endIds.has(token)) return { reason: "eos", newTokens };
    seen.add(token);
    drafter?.push(token);

    const { text, stopped } = stream.push(token);
    yield text === ""
      ? { type: "stage", stage: "decode", done: newTokens, total: maxNewTokens }
      : { type: "text", text };
    if (stopped) return { reason: "stop", newTokens };
    if (newTokens >= maxNewTokens || options.isAborted()) continue;

    if (token === draft[0]) {
      draft.shift(); // guessed right: its row is in the cache, and its logits are next in `rows`
      continue;
    }
    if (drafted > 0) {
      const accepted = drafted - draft.length;
      drafter?.tell(accepted, drafted);
      budget.drafted(accepted, drafted, stepMs);
    }
    const stepStarted = performance.now();
    cache.truncate(slots.length + newTokens - 1); // drops the rows of wrong guesses
    const mayDraft = options.alwaysDraft || budget.allows;
    draft = mayDraft ? (drafter?.draft(maxNewTokens - newTokens - 1, budget.rowCost) ?? []) : [];
    drafted = draft.length;
    rows = await step(model, cache, [token, ...draft], top);
    stepMs = performance.now() - stepStarted;
    if (drafted === 0) budget.plain(stepMs);
  }
}

/** Runs the decoder over the tokens; the logits after each of them. */
async function step(
  model: Model,
  cache: KvCache,
  tokens: readonly number[],
  top: number | undefined,
): Promise<Float32Array[]> {
  const embeds = await model.embed(tokens);
  try {
    return await model.decoder.run(embeds, tokens, cache, tokens.length, top);
  } finally {
    embeds.dispose();
  }
}
