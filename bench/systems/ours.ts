// This project's engine, timed as a system of the bench. Runs in Node and in a browser.
import type { Engine } from "#engine/engine.ts";
import type { GenerateRequest, Message } from "#engine/types.ts";
import { perToken, type GpuCounts } from "../gpu-meter.ts";
import type { System, Timed } from "../measure.ts";

/** What the time to the first token is split into, in milliseconds. */
export interface Split {
  readonly imageMs: number;
  readonly visionMs: number;
  readonly prefillMs: number;
}

/** A picture in squares is seen as one: a quick look is what both systems are asked for. */
const requestOf = (
  messages: readonly Message[],
  maxNewTokens: number,
  { info: { model } }: Engine,
): GenerateRequest => ({
  messages,
  sampling: { temperature: 0, topK: 0, topP: 1, minP: 0, repetitionPenalty: 1 },
  maxNewTokens,
  stop: [],
  detail: model.squares ? "quick" : "auto",
});

/** Greedy; `onSplit` is told after every answer. */
export const engineSystem =
  (
    engine: Engine,
    longestAnswer: number,
    { meter, onSplit }: { readonly meter?: (() => GpuCounts) | undefined; onSplit?: (split: Split) => void } = {},
  ): System<readonly Message[]> =>
  async (messages): Promise<Timed> => {
    let text = "";
    let first: GpuCounts | undefined;
    for await (const event of engine.generate(requestOf(messages, longestAnswer, engine))) {
      if (event.type === "text") text += event.text;
      if (event.type === "text" || (event.type === "stage" && event.stage === "decode")) first ??= meter?.();
      if (event.type !== "done") continue;
      const { usage, timings } = event;
      onSplit?.(timings);
      // Every token counts, also the one that ends the answer.
      const decodeRate = usage.newTokens < 2 ? NaN : ((usage.newTokens - 1) / timings.decodeMs) * 1000;
      return {
        text,
        tokens: usage.newTokens,
        firstTokenMs: timings.firstTokenMs,
        decodeRate,
        promptTokens: usage.promptTokens,
        perToken: first && meter && perToken(first, meter(), usage.newTokens),
      };
    }
    throw new Error("the answer has no end");
  };
